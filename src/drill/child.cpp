#include "drill/child.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "net/fd.hpp"

namespace hawser::drill {
namespace {

constexpr std::size_t kShownOfLog = 1500;
constexpr int kNotStarted = 127;

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words) {
    all.push_back(word.data());
  }
  all.push_back(nullptr);
  return all;
}

// In the child: only what is safe between fork and exec.
[[noreturn]] void become(char* const* words, char* const* environment, int log, pid_t parent) {
  ::setsid();  // ^C is for us: we end it in order
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {
    ::_exit(kNotStarted);
  }
  ::signal(SIGPIPE, SIG_DFL);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(null, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execvpe(words[0], words, environment);
  const char* const why = std::strerror(errno);
  static_cast<void>(::write(STDERR_FILENO, why, std::strlen(why)));
  ::_exit(kNotStarted);
}

}  // namespace

Result<Child> Child::start(const std::vector<std::string>& words, const std::filesystem::path& log,
                           const std::vector<std::string>& environment) {
  const net::Fd output(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!output) {
    return fail(Errc::drill_impossible, fmt::format("{}: {}", log.string(), std::strerror(errno)));
  }
  std::vector<std::string> arguments = words;
  std::vector<std::string> variables = environment;
  for (const char* name : {"PATH", "HOME", "TMPDIR"}) {
    if (const char* value = std::getenv(name)) {
      variables.push_back(fmt::format("{}={}", name, value));
    }
  }
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(variables);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail(Errc::drill_impossible, fmt::format("{} cannot be started: {}", words.front(), std::strerror(errno)));
  }
  if (pid == 0) {
    become(argv.data(), envp.data(), output.value(), parent);
  }
  return Child(pid);
}

bool Child::running() {
  if (pid_ == 0) {
    return false;
  }
  const pid_t ended = ::waitpid(pid_, nullptr, WNOHANG);
  if (ended == pid_ || (ended < 0 && errno == ECHILD)) {
    pid_ = 0;
  }
  return pid_ != 0;
}

void Child::end(Duration patience) {
  const Time until = now() + patience;
  if (pid_ != 0) {
    ::kill(pid_, SIGTERM);
  }
  while (running() && now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  kill();
}

void Child::kill() {
  if (pid_ == 0) {
    return;
  }
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
}

std::string end_of_log(const std::filesystem::path& log) {
  const Result<std::string> text = read_file(log, limits::kPemFileBytes);
  if (!text) {
    return {};
  }
  std::string_view shown(*text);
  shown.remove_prefix(shown.size() - std::min(shown.size(), kShownOfLog));
  return std::string(shown.substr(0, shown.find_last_not_of(" \n") + 1));
}

}  // namespace hawser::drill
