#include "cli/command.hpp"

#include <CLI/CLI.hpp>
#include <atomic>
#include <boost/json.hpp>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "base/log.hpp"

namespace hawser::cli {
namespace {

constexpr int kPostureFirst = 100;
constexpr int kTlsFirst = 200;
constexpr int kNetFirst = 300;
constexpr int kConfigFirst = 700;

std::atomic<int> stop_event{-1};
std::atomic<int> stopped_by{0};

extern "C" void on_stop_signal(int signal) {
  const int event = stop_event.load();
  if (event < 0 || stopped_by.exchange(signal) != 0) {
    _exit(128 + signal);
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event, &one, sizeof one);  // an eventfd at 0 always takes it
}

}  // namespace

ExitCode exit_code(const Error& error) {
  const int number = static_cast<int>(error.code);
  if (error.code == Errc::interrupted) {
    return ExitCode::interrupted;
  }
  if (number >= kPostureFirst && number < kTlsFirst) {
    return ExitCode::refused;
  }
  const ErrorKind kind = info(error.code).kind;
  // What is permanent about TLS is our own material: a handshake's errors are denied or retryable.
  const bool bad_material = number >= kTlsFirst && number < kNetFirst && kind == ErrorKind::permanent;
  if (kind == ErrorKind::misuse || bad_material || error.code == Errc::file_unreadable) {
    return ExitCode::misuse;
  }
  const bool about_a_connection = number >= kTlsFirst && number < kConfigFirst;
  if (about_a_connection && kind != ErrorKind::internal && error.code != Errc::listen_failed) {
    return ExitCode::no_connection;
  }
  return ExitCode::not_so;
}

Exit& Exit::operator=(ExitCode ended) {
  code = ended;
  error.reset();
  return *this;
}

Exit& Exit::operator=(Error failed) {
  code = exit_code(failed);
  error = std::move(failed);
  return *this;
}

Exit& Exit::operator=(Result<void> result) {
  return result ? (*this = ExitCode::done) : (*this = std::move(result.error()));
}

CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& summary,
                      const std::string& examples) {
  CLI::App* command = parent.add_subcommand(name, summary);
  std::string footer = "Examples:";
  for (std::size_t begin = 0; begin <= examples.size();) {
    const std::size_t end = std::min(examples.find('\n', begin), examples.size());
    footer += "\n  " + examples.substr(begin, end - begin);
    begin = end + 1;
  }
  command->footer(footer);
  return command;
}

void require_number(CLI::Option& option, std::uint64_t least, std::uint64_t most) {
  const auto check = [least, most](const std::string& text) -> std::string {
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool good = failed == std::errc{} && end == text.data() + text.size() && number >= least && number <= most;
    return good ? std::string() : fmt::format("\"{}\" is not a whole number from {} to {}", text, least, most);
  };
  option.check(CLI::Validator(check, ""))->type_name("N");
}

void add_json_flag(CLI::App& command, Exit& exit) {
  command.add_flag("--json", exit.json, "Print facts, and errors, as JSON");
}

std::string render_error(const Error& error, bool json, std::string_view program) {
  const ErrorInfo& row = info(error.code);
  const std::string doing = log::redact(error.doing);
  if (json) {
    const boost::json::value document = {{"error",
                                          {{"id", error_id(error.code)},
                                           {"name", row.name},
                                           {"kind", to_string(row.kind)},
                                           {"message", Error{error.code, doing}.message()},
                                           {"hint", row.hint}}}};
    return boost::json::serialize(document) + "\n";
  }
  return std::string(program) + ": " + Error{error.code, doing}.message() + "\n  hint: " + std::string(row.hint) + "\n";
}

bool colours_on(int descriptor) {
  const char* terminal = std::getenv("TERM");
  const char* refused = std::getenv("NO_COLOR");
  return ::isatty(descriptor) == 1 && (refused == nullptr || *refused == '\0') && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

void end_on_signals() {
  struct sigaction action{};
  action.sa_handler = on_stop_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;  // a peer that went away is an EPIPE where it is written to
  sigaction(SIGPIPE, &action, nullptr);
}

int stop_descriptor() {
  int event = stop_event.load();
  if (event < 0) {
    event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    stop_event.store(event);
  }
  return event;
}

int stop_signal() { return stopped_by.load(); }

}  // namespace hawser::cli
