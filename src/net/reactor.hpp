// One thread's event loop: edge-triggered epoll, timers, work posted from other threads, and output written once a turn.
//
// A turn: wait, what the last turn left over, readiness events, posted work, timers, then every stream that has output is written, then what was retired
// is destroyed. All of it on the thread that calls run(); only post() and stop() may be called from others. Objects that
// receive events are handed to retire() rather than destroyed, so that they outlive every event that can reach them.
//
//   auto reactor = Reactor::create().value();
//   Timer hello(*reactor, [] { log::info("a second went by"); });
//   hello.start(1s);
//   reactor->run();
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "net/byte_queue.hpp"
#include "net/fd.hpp"

namespace hawser::net {

using Task = std::move_only_function<void()>;

class Reactor;
class Stream;

// Something that can be destroyed at the end of a turn.
class Retirable {
 public:
  Retirable() = default;
  Retirable(const Retirable&) = delete;
  Retirable& operator=(const Retirable&) = delete;
  virtual ~Retirable() = default;
};

// A descriptor that epoll watches, edge-triggered, for reading and writing.
class Watched : public Retirable {
 public:
  // `events` are epoll's (EPOLLIN …). Called once an edge.
  virtual void on_ready(std::uint32_t events) = 0;
};

// A one-shot timer with one owner; destroying or stopping it takes it out.
class Timer {
 public:
  Timer(Reactor& reactor, std::function<void()> task) : reactor_(reactor), task_(std::move(task)) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { stop(); }

  // From now; replaces an earlier start.
  void start(Duration delay);
  void start_at(Time at);
  void stop() noexcept;
  [[nodiscard]] bool armed() const noexcept { return slot_ != kNone; }
  [[nodiscard]] Time at() const noexcept { return at_; }

 private:
  friend class Reactor;
  static constexpr std::uint32_t kNone = UINT32_MAX;

  Reactor& reactor_;
  std::function<void()> task_;
  Time at_{};
  std::uint32_t slot_ = kNone;  // in the reactor's heap
};

// Buffers that one thread's connections take turns with; nothing stays in them between two events.
struct SharedBuffers {
  static constexpr std::size_t kRead = 128UL << 10U;    // 16 KiB cost 20-50 % (docs/adr)
  static constexpr std::size_t kHeadroom = 32UL << 10U;  // for the piece of a frame that an earlier read left
  static constexpr std::size_t kRecord = 16384 + 512;

  std::unique_ptr<char[]> plain = std::make_unique_for_overwrite<char[]>(kHeadroom + kRead + kRecord);
  std::unique_ptr<char[]> cipher = std::make_unique_for_overwrite<char[]>(kRead);
  std::string stage;  // TLS records on their way to send(2)
};

class Reactor {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Reactor>> create();
  ~Reactor();

  // Runs turns until stop(). Then performs what was posted so far and returns.
  void run();
  // Thread-safe, and safe in a signal handler.
  void stop() noexcept;
  // Thread-safe: runs the task on the reactor's thread in its next turn.
  void post(Task task);

  // The time at the start of this turn.
  [[nodiscard]] Time now() const noexcept { return now_; }
  // One turn, waiting at most this long. For tests and for callers with a loop of their own.
  void turn(Duration at_most);

  Result<void> watch(int fd, Watched& watched);
  // Before a descriptor changes hands; closing it ends the watch too.
  void unwatch(int fd) noexcept;
  // Destroys it when this turn is over.
  void retire(std::unique_ptr<Retirable> object);

  // For streams: write me at the end of this turn; call my on_ready again in the next one.
  void mark_dirty(Stream& stream) { dirty_.push_back(&stream); }
  void call_again(Watched& watched) { again_.push_back(&watched); }
  // Many ask for more than their share of a turn, so that a turn is long: each is to take less of it.
  [[nodiscard]] bool crowded() const noexcept { return called_again_ > kCrowd; }
  void forget(Watched& watched) noexcept;
  // Handshakes take long, and many may come at once: beyond their share of a turn they wait for the next.
  [[nodiscard]] bool may_shake_hands() const noexcept { return shook_hands_ < kHandshakes; }
  void shook_hands(Duration time) noexcept { shook_hands_ += time; }

  [[nodiscard]] ChunkPool& chunks() noexcept { return chunks_; }
  [[nodiscard]] SharedBuffers& buffers() noexcept { return buffers_; }

 private:
  friend class Timer;
  static constexpr std::size_t kCrowd = 16;
  static constexpr Duration kHandshakes = std::chrono::milliseconds(10);
  static constexpr std::size_t kChunksKept = 256;
  static constexpr std::size_t kChunksAfterBurst = 2048;  // for the next one, which may follow at once
  static constexpr Duration kTrimEvery = std::chrono::seconds(1);
  Reactor(Fd epoll, Fd wake);

  void run_posted();
  void run_timers();
  void write_dirty();
  void bury();
  void sift_up(std::uint32_t slot) noexcept;
  void sift_down(std::uint32_t slot) noexcept;
  void place(std::uint32_t slot, Timer* timer) noexcept;

  Fd epoll_;
  Fd wake_;
  Time now_ = hawser::now();
  ChunkPool chunks_{kChunksKept, kChunksAfterBurst};
  Time trim_at_{};  // while chunks_ has more than it keeps for long
  SharedBuffers buffers_;
  std::vector<Timer*> timers_;  // a binary heap by time
  std::vector<Stream*> dirty_;
  std::vector<Watched*> again_;
  std::size_t called_again_ = 0;  // in this turn
  Duration shook_hands_{};        // in this turn
  std::vector<std::unique_ptr<Retirable>> retired_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<Task> posted_;  // guarded by mutex_
};

}  // namespace hawser::net
