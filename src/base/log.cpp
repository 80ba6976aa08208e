#include "base/log.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/log_file.hpp"
#include "base/log_line.hpp"

namespace hawser::log {
namespace {

constexpr std::size_t kQueuedLines = 8192;
constexpr std::size_t kQueuedBytes = 8UL << 20U;
constexpr std::size_t kLinesOfOneMessage = 20;  // in kThrottleWindow; with debug or trace on there is no such bound
constexpr auto kThrottleWindow = std::chrono::seconds(10);
constexpr auto kFlushAtMost = std::chrono::seconds(2);  // when nobody reads our standard error

constexpr unsigned bit(Level level) { return 1U << static_cast<unsigned>(level); }
constexpr unsigned from(Level minimum) { return ~(bit(minimum) - 1U); }

std::atomic<unsigned> levels{from(Level::info)};
std::atomic<LineStyle> looks{LineStyle{}};
static_assert(std::atomic<LineStyle>::is_always_lock_free);

// As nats-server: colours for a person at a terminal.
bool shows_colours() {
  const char* terminal = std::getenv("TERM");
  const char* refused = std::getenv("NO_COLOR");
  return ::isatty(STDERR_FILENO) == 1 && (refused == nullptr || *refused == '\0') && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

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

  void write_to(std::optional<LogFile> file) {
    const std::lock_guard lock(file_mutex_);
    file_ = std::move(file);
  }

  [[nodiscard]] Result<void> reopen() {
    const std::lock_guard lock(file_mutex_);
    return file_ ? file_->reopen() : Result<void>{};
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
      queue_.push(format_line(looks, wall_now(), one.level, one.message, {&count, 1}));
    }
  }

  void write_batch(std::uint64_t dropped, const std::deque<std::string>& lines) {
    const std::lock_guard lock(file_mutex_);
    if (dropped > 0) {
      const Field count("count", dropped);
      write_line(
          format_line(looks, wall_now(), Level::warn, "log lines dropped, nobody took them in time", {&count, 1}));
    }
    for (const std::string& line : lines) {
      write_line(line);
    }
  }

  void write_line(const std::string& line) {
    if (!file_) {
      write_to_standard_error(line);
      return;
    }
    if (file_->full_for(line.size())) {
      const auto backup = file_->rotate(wall_now());
      const Field where("path", backup ? backup->string() : backup.error().doing);
      file_->write(format_line(
          looks, wall_now(), backup ? Level::info : Level::error,
          backup ? "rotated the log, the full one is set aside" : "the full log cannot be set aside", {&where, 1}));
    }
    file_->write(line);
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable drained_;
  LineQueue queue_{kQueuedLines, kQueuedBytes};
  Throttle throttle_{kLinesOfOneMessage, kThrottleWindow};
  bool idle_ = false;
  std::mutex file_mutex_;  // never together with mutex_
  std::optional<LogFile> file_;
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
  const bool everything = enabled(Level::debug) || enabled(Level::trace);
  return enabled(level) && (everything || writer().admit(level, message));
}

void write_fields(Level level, std::string_view message, std::span<const Field> fields) {
  writer().push(format_line(looks, wall_now(), level, message, fields));
}

}  // namespace

void configure(Level level, Format format) {
  levels = from(level);
  looks = LineStyle{.format = format, .pid = ::getpid()};
  if (started) {
    flush();
    writer().write_to(std::nullopt);
  }
}

Result<void> configure(const Output& output) {
  std::optional<LogFile> file;
  if (!output.file.empty()) {
    auto opened = LogFile::open(output.file, output.file_bytes, output.file_backups);
    if (!opened) {
      return std::unexpected(std::move(opened.error()));
    }
    file = std::move(*opened);
  }
  flush();
  levels = from(Level::info) | (output.debug ? bit(Level::debug) : 0U) | (output.trace ? bit(Level::trace) : 0U);
  looks = LineStyle{.format = output.format,
                    .time = output.time,
                    .utc = output.utc,
                    .colour = !file && shows_colours(),
                    .pid = ::getpid()};
  if (file || started) {
    writer().write_to(std::move(file));
  }
  return {};
}

Result<void> reopen() { return started ? writer().reopen() : Result<void>{}; }

bool enabled(Level level) { return (levels.load(std::memory_order_relaxed) & bit(level)) != 0; }

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
