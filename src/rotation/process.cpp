#include "rotation/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "base/file.hpp"
#include "net/fd.hpp"

extern char** environ;

namespace hawser::rotation {
namespace {

constexpr std::size_t kShownOutput = 600;  // of a failure: its end says why
constexpr int kLookMs = 20;

struct Child {
  pid_t pid = 0;
  net::Fd output;
};

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words) {
    all.push_back(word.data());
  }
  all.push_back(nullptr);
  return all;
}

Result<Child> start(const Command& command) {
  std::vector<std::string> words = command.words;
  if (command.shell) {
    words.insert(words.begin(), {"sh", "-c"});
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(Errc::rotation_command_failed, fmt::format("{}: no pipe: {}", to_text(command), std::strerror(errno)));
  }
  Child child{.pid = 0, .output = net::Fd(ends[0])};
  const net::Fd write(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, write.value(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, write.value(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t usual;  // we ignore SIGPIPE; a command may expect it
  sigemptyset(&usual);
  sigaddset(&usual, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  const int failed =
      ::posix_spawnp(&child.pid, words.front().c_str(), &actions, &attributes, pointers(words).data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    return fail(Errc::rotation_command_failed,
                fmt::format("{}: cannot be started: {}", to_text(command), std::strerror(failed)));
  }
  return child;
}

// What people can read of it, and not much of it.
std::string end_of(std::string_view output) {
  const std::string_view end = output.substr(output.size() - std::min(output.size(), kShownOutput));
  std::string shown;
  for (const char c : end) {
    shown += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
  }
  shown.erase(shown.find_last_not_of(' ') + 1);
  return shown;
}

// Takes what there is. False: there will be no more.
bool read_some(int fd, std::string& output) {
  std::array<char, 4096> chunk{};
  const ssize_t got = ::read(fd, chunk.data(), chunk.size());
  if (got > 0) {
    output.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

std::string why_to_end(const std::string& output, Time until, const std::stop_token& stop) {
  return stop.stop_requested()                 ? "interrupted"
         : now() >= until                      ? "not done in time"
         : output.size() > kCommandOutputBytes ? "its output is too long"
                                               : "";
}

// Until the command itself ends: what it leaves running, as a restart does, may hold its output open.
int attend(const Child& child, std::string& output, std::string& wrong, Time until, const std::stop_token& stop) {
  const int fd = child.output.value();
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  bool open = true;
  int status = 0;
  for (;;) {
    const pid_t ended = ::waitpid(child.pid, &status, WNOHANG);
    if (ended == child.pid || (ended < 0 && errno != EINTR)) {
      while (open && output.size() <= kCommandOutputBytes) {
        const std::size_t before = output.size();
        open = read_some(fd, output) && output.size() > before;
      }
      return status;
    }
    wrong = why_to_end(output, until, stop);
    if (!wrong.empty()) {
      ::kill(-child.pid, SIGKILL);
      while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
      }
      return status;
    }
    pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, open ? 1 : 0, open ? kLookMs : 5) > 0) {
      open = read_some(fd, output);
    }
  }
}

}  // namespace

Result<std::string> run_command(const Command& command, Time until, const std::stop_token& stop) {
  const Result<Child> child = start(command);
  if (!child) {
    return std::unexpected(child.error());
  }
  std::string output;
  std::string wrong;
  const int status = attend(*child, output, wrong, until, stop);
  if (wrong == "interrupted") {
    return fail(Errc::interrupted, to_text(command));
  }
  if (wrong.empty() && WIFSIGNALED(status)) {
    wrong = fmt::format("ended by signal {}", WTERMSIG(status));
  } else if (wrong.empty() && WEXITSTATUS(status) != 0) {
    wrong = fmt::format("exit status {}", WEXITSTATUS(status));
  }
  if (wrong.empty()) {
    return output;
  }
  const std::string shown = end_of(output);
  return fail(Errc::rotation_command_failed,
              fmt::format("{}: {}{}{}", to_text(command), wrong, shown.empty() ? "" : ": ", shown));
}

Result<void> send_signal(const Signal& signal) {
  int process = signal.process;
  if (!signal.pid_file.empty()) {
    const Result<std::string> text = read_file(signal.pid_file, 64);
    if (!text) {
      return fail(Errc::rotation_command_failed, text.error().doing);
    }
    const auto [stopped, error] = std::from_chars(text->data(), text->data() + text->size(), process);
    const bool clean =
        std::string_view(stopped, text->data() + text->size()).find_first_not_of(" \r\n") == std::string_view::npos;
    if (error != std::errc() || !clean || process < 2) {
      return fail(Errc::rotation_command_failed, signal.pid_file.string() + " does not hold the id of a process");
    }
  }
  if (::kill(process, signal.number) != 0) {
    return fail(Errc::rotation_command_failed, fmt::format("{}: {}", to_text(Trigger(signal)), std::strerror(errno)));
  }
  return {};
}

}  // namespace hawser::rotation
