#include "base/log.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <pthread.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/log_line.hpp"

namespace hawser::log {
namespace {

constexpr std::size_t kQueuedLines = 8192;
constexpr std::size_t kQueuedBytes = 8UL << 20U;
constexpr std::size_t kLinesOfOneMessage = 20;  // in kThrottleWindow; at level debug there is no such bound
constexpr auto kThrottleWindow = std::chrono::seconds(10);
constexpr auto kFlushAtMost = std::chrono::seconds(2);  // when nobody reads our standard error

std::atomic<Level> minimum{Level::info};
std::atomic<Format> shape{Format::text};

void write_to_standard_error(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return;  // there is no place left to complain to
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Owns the queue and the one thread that writes. Started by the first line, and never destroyed: other threads may log
// until the very end, and the thread may hang in write(2) when nobody reads our standard error. Exit flushes it,
// bounded.
class Writer {
 public:
  Writer() : thread_([this] { run(); }) {}
  ~Writer() = delete;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  [[nodiscard]] bool admit(Level level, std::string_view message) {
    const std::lock_guard lock(mutex_);
    const bool admitted = throttle_.admit(level, message, now());
    if (!admitted) {
      wake_.notify_one();  // it has to look when the window ends
    }
    return admitted;
  }

  void push(std::string line) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push(std::move(line));
    }
    wake_.notify_one();
  }

  void flush() {
    std::unique_lock lock(mutex_);
    tell_left_out(Time::max());
    wake_.notify_one();
    drained_.wait_for(lock, kFlushAtMost, [this] { return queue_.empty() && idle_; });
  }

 private:
  [[noreturn]] void run() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are for the threads that wait for them
    std::unique_lock lock(mutex_);
    for (;;) {
      idle_ = true;
      drained_.notify_all();
      wait_for_lines(lock);
      idle_ = false;
      const std::uint64_t dropped = queue_.take_dropped();
      const std::deque<std::string> lines = queue_.take();
      lock.unlock();
      write_batch(dropped, lines);
      lock.lock();
    }
  }

  // Or for the end of a window in which something was left out.
  void wait_for_lines(std::unique_lock<std::mutex>& lock) {
    while (queue_.empty()) {
      const Time end = throttle_.next_end();
      if (end == Time::max()) {
        wake_.wait(lock);
      } else {
        wake_.wait_until(lock, end);
      }
      tell_left_out(now());
    }
  }

  void tell_left_out(Time until) {
    for (const Throttle::LeftOut& one : throttle_.take_ended(until)) {
      const Field count("left_out", one.count);
      queue_.push(format_line(shape, wall_now(), one.level, one.message, {&count, 1}));
    }
  }

  static void write_batch(std::uint64_t dropped, const std::deque<std::string>& lines) {
    if (dropped > 0) {
      const Field count("count", dropped);
      write_to_standard_error(
          format_line(shape, wall_now(), Level::warn, "log lines dropped, nobody took them in time", {&count, 1}));
    }
    for (const std::string& line : lines) {
      write_to_standard_error(line);
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable drained_;
  LineQueue queue_{kQueuedLines, kQueuedBytes};
  Throttle throttle_{kLinesOfOneMessage, kThrottleWindow};
  bool idle_ = false;
  std::thread thread_;  // last: it uses all of the above
};

std::atomic<bool> started{false};

Writer& writer() {
  static Writer& one = []() -> Writer& {
    started = true;
    std::atexit(flush);
    return *new Writer;
  }();
  return one;
}

bool admitted(Level level, std::string_view message) {
  return enabled(level) && (enabled(Level::debug) || writer().admit(level, message));
}

void write_fields(Level level, std::string_view message, std::span<const Field> fields) {
  writer().push(format_line(shape, wall_now(), level, message, fields));
}

}  // namespace

void configure(Level level, Format format) {
  minimum = level;
  shape = format;
}

bool enabled(Level level) { return level >= minimum.load(std::memory_order_relaxed); }

void write(Level level, std::string_view message, Fields fields) {
  if (admitted(level, message)) {
    write_fields(level, message, {fields.begin(), fields.size()});
  }
}

void write(Level level, std::string_view message, const Error& error, Fields fields) {
  if (!admitted(level, message)) {
    return;
  }
  std::vector<Field> all{{"id", error_id(error.code)}, {"reason", std::string(hawser::info(error.code).summary)}};
  if (!error.doing.empty()) {
    all.back().value += ": " + error.doing;
  }
  all.insert(all.end(), fields.begin(), fields.end());
  write_fields(level, message, all);
}

void flush() {
  if (started) {
    writer().flush();
  }
}

}  // namespace hawser::log
