// `hawser drill`: a whole rotation on a throw-away system under load, and the verdict (docs/rotation.md).
#include "cli/drill.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

#include "base/file.hpp"
#include "cli/command.hpp"

namespace hawser::cli {

namespace {

struct DrillFlags {
  drill::DrillOptions options;
  std::string fault;
  std::string directory;
  std::string report = "hawser-drill.html";
  std::string admin = "127.0.0.1:0";
  std::uint64_t brokers = 1;
  std::uint64_t agents = 4;
  std::uint64_t rate = 100;
  std::uint64_t size = 128;
  std::uint64_t rotations = 1;
  bool keep = false;
  bool hold = false;
};

// A directory of the drill's own. Removed at the end, unless somebody wants to look at it.
class Place {
 public:
  static Result<Place> make(const std::string& wanted) {
    std::error_code failed;
    if (!wanted.empty()) {
      if (wanted.find_first_of("\"\\\r\n") != std::string::npos) {
        return fail(Errc::bad_usage,
                    "--dir: quotes, backslashes and line breaks cannot stand in a server's configuration");
      }
      std::filesystem::create_directories(wanted, failed);
      if (failed || !std::filesystem::is_empty(wanted, failed) || failed) {
        return fail(Errc::bad_usage,
                    fmt::format("--dir {}: {}", wanted,
                                failed ? failed.message() : "is not empty: a drill makes everything anew"));
      }
      return Place(std::filesystem::absolute(wanted), true);
    }
    std::string name = std::filesystem::temp_directory_path(failed) / "hawser-drill-XXXXXX";
    if (failed || ::mkdtemp(name.data()) == nullptr) {
      return fail(Errc::drill_impossible,
                  "no temporary directory can be made: set TMPDIR to one that can be written to");
    }
    return Place(name, false);
  }
  ~Place() {
    if (!path_.empty() && !keep_) {
      std::error_code ignored;
      std::filesystem::remove_all(path_, ignored);
    }
  }
  Place(Place&& other) noexcept : path_(std::exchange(other.path_, {})), keep_(other.keep_) {}
  Place& operator=(Place&&) = delete;

  void keep() noexcept { keep_ = true; }
  [[nodiscard]] bool kept() const noexcept { return keep_; }
  [[nodiscard]] const drill::Path& path() const noexcept { return path_; }

 private:
  Place(drill::Path path, bool keep) : path_(std::move(path)), keep_(keep) {}
  drill::Path path_;
  bool keep_;
};

std::string names_of_faults() {
  std::string out;
  for (const drill::FaultRow& row : drill::faults()) {
    out += fmt::format("{}{}", out.empty() ? "" : ", ", row.name);
  }
  return out;
}

Result<void> fits(const DrillFlags& flags) {
  if (flags.brokers > 1 && flags.options.system.server_bin.empty()) {
    return fail(Errc::bad_usage, "--brokers: the embedded broker is one; a cluster needs --server-bin nats-server");
  }
  if (!flags.fault.empty() && flags.options.fault == nullptr) {
    return fail(Errc::bad_usage, fmt::format("--inject {}: it is one of {}", flags.fault, names_of_faults()));
  }
  if (!flags.fault.empty() && flags.rotations > 1) {
    return fail(Errc::bad_usage, "--inject: is done to one rotation; leave --rotations out");
  }
  // Rather now than when all is done.
  std::error_code ignored;
  const std::filesystem::path report = std::filesystem::absolute(flags.report);
  if (flags.report != "off" &&
      (std::filesystem::is_directory(report, ignored) || ::access(report.parent_path().c_str(), W_OK | X_OK) != 0)) {
    return fail(Errc::file_unwritable,
                fmt::format("--report {}: name a file in a directory that can be written to, or off", flags.report));
  }
  return {};
}

Result<drill::Outcome> hold(DrillFlags& flags, const Place& place, DrillScreen& screen) {
  drill::DrillOptions& options = flags.options;
  std::error_code failed;
  options.system.directory = place.path();
  options.system.hawser = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) {
    return fail(Errc::drill_impossible, "this program does not find itself: " + failed.message());
  }
  if (!flags.admin.empty() && flags.admin != "off") {
    if (const auto address = screen.serve(flags.admin); !address) {
      return std::unexpected(address.error());
    }
  }
  return hold_drill(options, screen);
}

// `kept`: where the files stay; empty: nowhere.
Result<void> show(const DrillFlags& flags, const drill::Outcome& outcome, const std::string& kept, const Exit& exit) {
  const std::string report = flags.report == "off" ? std::string() : std::filesystem::absolute(flags.report).string();
  if (!report.empty()) {
    const std::string page = drill_html(outcome, flags.options);
    if (Result<void> written = write_file_atomically(report, page, FileMode::world_readable); !written) {
      return written;
    }
  }
  fmt::print("{}",
             exit.json ? drill_json(outcome, flags.options, report) : render_drill(outcome, flags.options, report));
  if (!kept.empty() && !exit.json) {
    fmt::print("  files          {}\n", kept);
  }
  std::fflush(stdout);
  return {};
}

void run_drill(DrillFlags& flags, Exit& exit) {
  static_cast<void>(stop_descriptor());  // from here on, everything is ended in order
  flags.options.fault = drill::find_fault(flags.fault);
  flags.options.system.brokers = flags.brokers;
  flags.options.system.agents = flags.agents;
  flags.options.rate = static_cast<double>(flags.rate);
  flags.options.payload_bytes = flags.size;
  flags.options.rotations = flags.rotations;
  if (Result<void> good = fits(flags); !good) {
    exit = good.error();
    return;
  }
  Result<Place> place = Place::make(flags.directory);
  if (!place) {
    exit = place.error();
    return;
  }
  const Showing showing = exit.json ? Showing::nothing : colours_on(STDOUT_FILENO) ? Showing::terminal : Showing::lines;
  Result<void> shown;
  DrillScreen screen(showing, flags.hold, [&](const drill::Outcome& outcome) {
    if (flags.keep || !outcome.wrong.empty()) {
      place->keep();
    }
    shown = show(flags, outcome, place->kept() ? place->path().string() : "", exit);
  });
  const Result<drill::Outcome> outcome = hold(flags, *place, screen);
  if (!outcome) {
    exit = outcome.error();
  } else if (!shown) {
    exit = shown.error();
  } else {
    exit = outcome->wrong.empty() ? ExitCode::done : ExitCode::not_so;
  }
}

}  // namespace

void add_drill(CLI::App& app, Exit& exit) {
  auto flags = std::make_shared<DrillFlags>();
  CLI::App* command = add_command(app, "drill", "Rehearse a rotation on a throw-away system under load, and count",
                                  "hawser drill\n"
                                  "hawser drill --server-bin nats-server --brokers 3 --agents 12\n"
                                  "hawser drill --inject kill-broker\n"
                                  "hawser drill --json --report drill.html | jq .lost\n"
                                  "hawser drill --hold --admin 127.0.0.1:9333");
  command
      ->add_option("--server-bin", flags->options.system.server_bin,
                   "A nats-server to use in place of the embedded broker")
      ->type_name("PROGRAM");
  require_number(*command->add_option("--brokers", flags->brokers, "How many; more than one are a cluster"), 1, 9);
  require_number(*command->add_option("--agents", flags->agents, "How many"), 2, 64);
  require_number(*command->add_option("--rate", flags->rate, "Messages a second, of each flow between two agents"), 1,
                 100'000);
  require_number(*command->add_option("--size", flags->size, "Bytes of a message"), 40, 1'000'000);
  require_number(*command->add_option("--rotations", flags->rotations, "How many, one after the other"), 1, 1000);
  command->add_option("--inject", flags->fault, "Do something wrong on purpose: " + names_of_faults())
      ->type_name("FAULT");
  command->add_option("--report", flags->report, "Where the report goes; off: nowhere")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_option("--admin", flags->admin, "Where the live page listens, on loopback; off: nowhere")
      ->type_name("ADDRESS")
      ->capture_default_str();
  command->add_option("--dir", flags->directory, "An empty directory for everything; kept")->type_name("DIR");
  command->add_flag("--keep", flags->keep, "Keep the directory");
  command->add_flag("--hold", flags->hold, "Leave everything up after the verdict, until ^C");
  add_json_flag(*command, exit);
  command->callback([flags, &exit] { run_drill(*flags, exit); });
}

}  // namespace hawser::cli
