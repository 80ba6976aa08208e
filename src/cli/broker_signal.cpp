#include "cli/broker_signal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <sys/types.h>
#include <system_error>
#include <unistd.h>

#include "base/file.hpp"
#include "cli/broker_flags.hpp"

namespace hawser::cli {
namespace {

constexpr std::size_t kMostArgumentBytes = 1UL << 20U;
constexpr std::size_t kPidFileBytes = 64;

std::optional<pid_t> number(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  pid_t pid = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), pid);
  const bool good = failed == std::errc{} && end == text.data() + text.size() && pid > 0;
  return good ? std::optional(pid) : std::nullopt;
}

std::vector<std::string> arguments_of(pid_t pid) {
  std::vector<std::string> out;
  const auto text = read_file(fmt::format("/proc/{}/cmdline", pid), kMostArgumentBytes);
  for (std::size_t begin = 0; text && begin < text->size();) {
    const std::size_t end = std::min(text->find('\0', begin), text->size());
    out.push_back(text->substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

// The program's file name, also after an upgrade has replaced it.
std::string program_of(std::string_view process) {
  std::error_code failed;
  std::string path = std::filesystem::read_symlink(fmt::format("/proc/{}/exe", process), failed).filename().string();
  constexpr std::string_view kReplaced = " (deleted)";
  if (path.ends_with(kReplaced)) {
    path.resize(path.size() - kReplaced.size());
  }
  return path;
}

std::vector<pid_t> running_brokers() {
  std::vector<pid_t> out;
  const std::string own_program = program_of("self");
  std::error_code failed;
  for (std::filesystem::directory_iterator at("/proc", failed), end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename().string();
    const auto pid = number(name);
    if (pid && *pid != ::getpid() && program_of(name) == own_program && serves_as_broker(arguments_of(*pid))) {
      out.push_back(*pid);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<pid_t> the_only_broker() {
  const std::vector<pid_t> found = running_brokers();
  if (found.empty()) {
    return fail(Errc::broker_not_found, "no brokers running");
  }
  if (found.size() > 1) {
    return fail(Errc::broker_not_found, fmt::format("multiple brokers running: {}", fmt::join(found, ", ")));
  }
  return found.front();
}

// A file's content when there is such a file, as nats-server has it.
Result<pid_t> named(const std::string& where) {
  std::error_code failed;
  const bool is_file = std::filesystem::exists(where, failed);
  std::string text = where;
  if (is_file) {
    auto content = read_file(where, kPidFileBytes);
    if (!content) {
      return std::unexpected(std::move(content.error()));
    }
    text = std::move(*content);
  }
  if (const auto pid = number(text)) {
    return *pid;
  }
  return fail(Errc::bad_usage, is_file ? fmt::format("{} holds no process id", where)
                                       : fmt::format("\"{}\" is no process id, and no file", where));
}

}  // namespace

std::optional<int> signal_of(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, int>, 6> kSignals{{{"reload", SIGHUP},
                                                                      {"reopen", SIGUSR1},
                                                                      {"ldm", SIGUSR2},
                                                                      {"term", SIGTERM},
                                                                      {"quit", SIGINT},
                                                                      {"stop", SIGKILL}}};
  const auto* const found =
      std::find_if(kSignals.begin(), kSignals.end(), [word](const auto& s) { return s.first == word; });
  return found == kSignals.end() ? std::nullopt : std::optional(found->second);
}

bool serves_as_broker(std::span<const std::string> arguments) {
  if (arguments.empty()) {
    return false;
  }
  const bool as_nats_server = std::filesystem::path(arguments[0]).filename() == "nats-server";
  if (!as_nats_server && (arguments.size() < 2 || arguments[1] != "broker")) {
    return false;
  }
  const auto flags = parse_broker_flags(arguments.subspan(as_nats_server ? 1 : 2));
  return flags && flags->signal.empty() && !flags->test && !flags->version && !flags->help;
}

Result<void> signal_broker(std::string_view command) {
  const std::size_t equals = command.find('=');
  const std::string_view word = command.substr(0, equals);
  const auto signal = signal_of(word);
  if (!signal) {
    return fail(Errc::bad_usage,
                fmt::format("unknown signal \"{}\": it is reload, reopen, ldm, term, quit or stop", word));
  }
  const Result<pid_t> pid =
      equals == std::string_view::npos ? the_only_broker() : named(std::string(command.substr(equals + 1)));
  if (!pid) {
    return std::unexpected(pid.error());
  }
  if (::kill(*pid, *signal) == 0) {
    return {};
  }
  const int why = errno;
  return fail(why == ESRCH ? Errc::broker_not_found : Errc::broker_signal_failed,
              fmt::format("signal \"{}\" to {}: {}", word, *pid, std::generic_category().message(why)));
}

}  // namespace hawser::cli
