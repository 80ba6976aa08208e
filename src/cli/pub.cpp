// hawser pub: publishes, and ends when the server has processed it.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

#include "base/quantity.hpp"
#include "cli/command.hpp"
#include "cli/connection.hpp"
#include "cli/pub_draft.hpp"
#include "cli/sub_render.hpp"
#include "cli/user_session.hpp"

namespace hawser::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBatchBytes = 64UL << 10U;
constexpr Duration kProgressInterval = 200ms;

struct PubOptions {
  ConnectionFlags connection;
  DraftFlags draft;
  std::uint64_t count = 1;
  std::string sleep;
  bool quiet = false;
};

// "published 120000 of 1000000" on a terminal, while it lasts.
class Progress {
 public:
  explicit Progress(std::uint64_t total) : total_(total), shown_(::isatty(STDERR_FILENO) == 1 && total > 1) {}
  ~Progress() {
    if (drawn_) {
      std::fputs("\r\x1b[K", stderr);
    }
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void at(std::uint64_t done) {
    const Time now = hawser::now();
    if (!shown_ || now - drawn_at_ < kProgressInterval) {
      return;
    }
    const double seconds = std::chrono::duration<double>(now - started_).count();
    const double rate = static_cast<double>(done) / std::max(seconds, 0.001);
    fmt::print(stderr, "\r\x1b[Kpublished {} of {} ({}%), {:.0f} msg/s", done, total_, done * 100 / total_, rate);
    std::fflush(stderr);
    drawn_at_ = now;
    drawn_ = true;
  }

 private:
  std::uint64_t total_;
  bool shown_;
  bool drawn_ = false;
  Time started_ = hawser::now();
  Time drawn_at_ = started_;
};

struct Published {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  Duration took{};
};

// Stops at the server's first complaint: what follows would meet the same.
Result<Published> publish_all(UserSession& session, const Draft& draft, std::uint64_t count, Duration sleep) {
  const Time started = hawser::now();
  Published published;
  Progress progress(count);
  std::string frames;
  std::size_t batched = 0;
  for (std::uint64_t i = 1; i <= count; ++i) {
    const auto size = draft.append(frames, {.count = i}, session.server());
    if (!size) {
      return std::unexpected(size.error());
    }
    published.bytes += *size;
    ++published.messages;
    ++batched;
    if (sleep == Duration::zero() && frames.size() < kBatchBytes && i != count) {
      continue;
    }
    if (auto sent = session.publish(frames, std::exchange(batched, 0)); !sent) {
      return std::unexpected(std::move(sent.error()));
    }
    frames.clear();
    progress.at(i);
    if (auto complaint = session.take_complaint()) {
      return std::unexpected(std::move(*complaint));
    }
    if (sleep > Duration::zero() && i != count) {
      if (auto slept = session.wait([] { return false; }, hawser::now() + sleep); !slept) {
        return std::unexpected(std::move(slept.error()));
      }
    }
    if (stop_signal() != 0) {
      return fail(Errc::interrupted, "publishing");
    }
  }
  if (auto flushed = session.flush(); !flushed) {
    return std::unexpected(std::move(flushed.error()));
  }
  published.took = hawser::now() - started;
  return published;
}

void report(const PubOptions& options, const Published& published, bool json) {
  const double seconds = std::chrono::duration<double>(published.took).count();
  if (json) {
    const boost::json::value facts = {
        {"subject", options.draft.subject}, {"messages", published.messages}, {"bytes", published.bytes}};
    fmt::print("{}\n", with_number(boost::json::serialize(facts), "seconds", seconds));
  } else if (options.count == 1) {
    fmt::print("published {} bytes to \"{}\"\n", published.bytes, options.draft.subject);
  } else {
    fmt::print("published {} messages, {}, to \"{}\" in {} ({:.0f} msg/s)\n", published.messages,
               format_size(published.bytes), options.draft.subject, fmt::format("{:.3f}s", seconds),
               static_cast<double>(published.messages) / std::max(seconds, 1e-6));
  }
}

Result<ExitCode> run(PubOptions& options, bool json) {
  auto connection = settle(options.connection, "hawser pub", json);
  if (!connection) {
    return std::unexpected(std::move(connection.error()));
  }
  Duration sleep{};
  if (!options.sleep.empty()) {
    const auto parsed = parse_duration(options.sleep);
    if (!parsed) {
      return std::unexpected(parsed.error());
    }
    sleep = *parsed;
  }
  const auto draft = Draft::make(options.draft);
  if (!draft) {
    return std::unexpected(draft.error());
  }
  auto session = UserSession::connect(*connection, Away::give_up, [](const wire::Frame&) {});
  if (!session) {
    return std::unexpected(std::move(session.error()));
  }
  const auto published = publish_all(**session, *draft, options.count, sleep);
  if (!published) {
    return std::unexpected(published.error());
  }
  if (!options.quiet) {
    report(options, *published, json);
  }
  return ExitCode::done;
}

}  // namespace

void add_pub(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<PubOptions>();
  CLI::App* command =
      add_command(app, "pub", "Publish messages, and wait until the server has processed them",
                  "hawser pub greet.joe hello\n"
                  "hawser pub -s tls://nats:4222 --tlsca ca.crt --creds joe.creds greet.joe hello\n"
                  "hawser pub orders.new '{\"id\": {{Count}}, \"at\": \"{{Time}}\"}' --count 100 --sleep 10ms\n"
                  "hawser pub -H 'Nats-Msg-Id: {{ID}}' files.report - < report.pdf");
  add_draft_flags(*command, options->draft);
  command->add_option("--reply", options->draft.reply, "Reply subject of the messages")->type_name("SUBJECT");
  require_number(*command->add_option("--count", options->count, "How many messages")->capture_default_str(), 1,
                 1'000'000'000'000);
  command->add_option("--sleep", options->sleep, "Pause between two messages: 10ms, 1s")->type_name("DURATION");
  command->add_flag("-q,--quiet", options->quiet, "Print nothing when all went well");
  add_json_flag(*command, exit);
  add_connection_flags(*command, options->connection);
  command->callback([options, &exit] { end_with(exit, run(*options, exit.json)); });
}

}  // namespace hawser::cli
