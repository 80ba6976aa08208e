// A publisher: numbered messages round the subjects, and heartbeats, at a rate, from a thread of its own.
//
// start_counting() once everything is warm; stop() joins. published() may be read at any time. What the client library
// refuses (its buffer is full while it reconnects) is tried again, so every number given out was handed over.
//
//   Publisher p(options, 0, std::move(connection));  p.start_counting();  …  p.stop();
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "connection.hpp"
#include "options.hpp"
#include "payload.hpp"

namespace hawser::load {

class Publisher {
 public:
  Publisher(const Options& options, std::uint32_t index, Connection connection);
  ~Publisher() { stop(); }
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  void start_counting() { counting_ = true; }
  // Ends the thread and flushes; false when the other end did not confirm all of it in time.
  bool stop();
  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] natsConnection* connection() const { return connection_.raw(); }
  [[nodiscard]] std::vector<std::uint64_t> numbered() const;
  [[nodiscard]] std::uint64_t heartbeats() const { return heartbeats_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  // The longest that one publish call took since the last time this was asked.
  std::chrono::nanoseconds take_longest_call() { return std::chrono::nanoseconds(longest_call_ns_.exchange(0)); }

 private:
  void run(const std::stop_token& stop);
  void warm_up(const std::stop_token& stop);
  void send_numbered(const std::stop_token& stop, std::uint64_t n, Clock::time_point scheduled);
  void send_heartbeat(const std::stop_token& stop);
  void send(const std::stop_token& stop, const std::string& subject, const std::string& payload, bool with_header);
  natsStatus hand_over(const std::string& subject, const std::string& payload, bool with_header);

  const Options& options_;
  const std::uint32_t index_;
  Connection connection_;
  std::vector<std::string> subjects_;
  std::string heartbeat_subject_;
  std::string payload_;
  std::vector<std::string> swapped_;  // by subject: a payload that a planted fault holds back
  std::deque<std::atomic<std::uint64_t>> numbered_;
  std::atomic<std::uint64_t> heartbeats_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::int64_t> longest_call_ns_{0};
  std::atomic<bool> counting_{false};
  std::atomic<bool> finished_{false};
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace hawser::load
