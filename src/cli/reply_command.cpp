#include "cli/reply_command.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/quantity.hpp"

extern char** environ;

namespace hawser::cli {
namespace {

constexpr std::size_t kBodyInEnvironment = 64UL << 10U;  // one string may have 128 KiB
constexpr std::size_t kReadStep = 64UL << 10U;

struct Pipe {
  net::Fd read;
  net::Fd write;
};

std::optional<Pipe> open_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return std::nullopt;
  }
  return Pipe{net::Fd(ends[0]), net::Fd(ends[1])};
}

void make_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

// A child in a group of its own.
class Child {
 public:
  static std::optional<Child> start(const std::string& command, const Request& request, std::string& wrong);
  Child(Child&&) = default;
  Child& operator=(Child&&) = delete;

  // Until it ends, or must be ended.
  CommandOutcome attend(const Request& request, const CommandLimits& limits, int stop);

 private:
  Child(pid_t pid, net::Fd handle, net::Fd input, net::Fd output)
      : pid_(pid), handle_(std::move(handle)), input_(std::move(input)), output_(std::move(output)) {}

  void feed(std::string_view& body);
  bool read(std::string& into, std::size_t limit);
  int end_group();

  pid_t pid_;
  net::Fd handle_;  // a pidfd: readable when the child has ended
  net::Fd input_;   // its standard input
  net::Fd output_;  // its standard output
};

std::vector<std::string> environment_for(const Request& request) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("NATS_REQUEST_")) {
      variables.emplace_back(*variable);
    }
  }
  variables.push_back("NATS_REQUEST_SUBJECT=" + request.subject);
  if (request.body.size() <= kBodyInEnvironment && request.body.find('\0') == std::string::npos) {
    variables.push_back("NATS_REQUEST_BODY=" + request.body);
  }
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  all.reserve(words.size() + 1);
  for (std::string& word : words) {
    all.push_back(word.data());
  }
  all.push_back(nullptr);
  return all;
}

std::optional<Child> Child::start(const std::string& command, const Request& request, std::string& wrong) {
  auto input = open_pipe();
  auto output = open_pipe();
  if (!input || !output) {
    wrong = std::string("no pipe: ") + std::strerror(errno);
    return std::nullopt;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input->read.value(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output->write.value(), STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t usual;  // we ignore SIGPIPE; a command may expect it
  sigemptyset(&usual);
  sigaddset(&usual, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);

  std::vector<std::string> words = {"sh", "-c", command};
  std::vector<std::string> variables = environment_for(request);
  pid_t pid = 0;
  const int failed =
      ::posix_spawn(&pid, "/bin/sh", &actions, &attributes, pointers(words).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    wrong = std::string("cannot be started: ") + std::strerror(failed);
    return std::nullopt;
  }
  make_nonblocking(input->write.value());
  make_nonblocking(output->read.value());
  return Child(pid, net::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))), std::move(input->write),
               std::move(output->read));
}

// Writes what the pipe takes; closes it when there is no more, or when nobody reads.
void Child::feed(std::string_view& body) {
  while (!body.empty()) {
    const ssize_t n = ::write(input_.value(), body.data(), body.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0 && errno == EAGAIN) {
      return;
    }
    if (n < 0) {
      break;
    }
    body.remove_prefix(static_cast<std::size_t>(n));
  }
  input_.reset();
}

// What is there. False: more than the limit.
bool Child::read(std::string& into, std::size_t limit) {
  while (output_) {
    const std::size_t old = into.size();
    into.resize(old + kReadStep);
    const ssize_t n = ::read(output_.value(), into.data() + old, kReadStep);
    into.resize(old + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return true;
    }
    if (n == 0) {
      output_.reset();
    }
    if (into.size() > limit) {
      into.resize(limit);
      return false;
    }
  }
  return true;
}

// Its status. The group goes with it, also what it left in the background.
int Child::end_group() {
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

CommandOutcome Child::attend(const Request& request, const CommandLimits& limits, int stop) {
  CommandOutcome outcome;
  std::string_view body = request.body;
  const Time until = hawser::now() + limits.time;
  feed(body);
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - hawser::now()).count();
    std::array<pollfd, 4> watched{{{handle_.value(), POLLIN, 0},
                                   {stop, POLLIN, 0},
                                   {output_.value(), POLLIN, 0},
                                   {input_.value(), POLLOUT, 0}}};  // one that is -1 is passed over
    ::poll(watched.data(), watched.size(), static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000)));
    if (watched[3].revents != 0) {
      feed(body);
    }
    const bool ended = watched[0].revents != 0;
    if (!read(outcome.output, limits.output_bytes)) {
      outcome.wrong = "more output than " + format_size(limits.output_bytes);
    } else if (ended) {
      siginfo_t info{};  // left for end_group to collect, so that its number stays its own until then
      ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
      if (info.si_code == CLD_EXITED && info.si_status != 0) {
        outcome.wrong = "exit status " + std::to_string(info.si_status);
      } else if (info.si_code != CLD_EXITED) {
        outcome.wrong = "ended by signal " + std::to_string(info.si_status);
      }
    } else if (watched[1].revents != 0) {
      outcome.wrong = "interrupted";
    } else if (hawser::now() >= until) {
      outcome.wrong = "not done within " + format_duration(limits.time);
    } else {
      continue;
    }
    end_group();
    return outcome;
  }
}

}  // namespace

CommandOutcome run_command(const std::string& command, const Request& request, const CommandLimits& limits, int stop) {
  CommandOutcome outcome;
  auto child = Child::start(command, request, outcome.wrong);
  return child ? child->attend(request, limits, stop) : outcome;
}

CommandPool::CommandPool(std::string command, CommandLimits limits, std::size_t parallel, Done done)
    : command_(std::move(command)),
      limits_(limits),
      done_(std::move(done)),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (std::size_t i = 0; i < parallel; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

CommandPool::~CommandPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    requests_.clear();
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(stop_.value(), &one, sizeof one);
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

void CommandPool::add(Request request) {
  {
    const std::lock_guard lock(mutex_);
    bytes_ += request.body.size();
    requests_.push_back(std::move(request));
  }
  wake_.notify_one();
}

CommandPool::Waiting CommandPool::waiting() const {
  const std::lock_guard lock(mutex_);
  return {requests_.size(), bytes_};
}

void CommandPool::work() {
  while (true) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return stopping_ || !requests_.empty(); });
    if (stopping_) {
      return;
    }
    Request request = std::move(requests_.front());
    requests_.pop_front();
    bytes_ -= request.body.size();
    lock.unlock();
    CommandOutcome outcome = run_command(command_, request, limits_, stop_.value());
    done_(std::move(request), std::move(outcome));
  }
}

}  // namespace hawser::cli
