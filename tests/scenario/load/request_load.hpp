// Requests and their replies: a responder that echoes, and requesters that number what they ask and check what comes back.
//
// A request is a publish with its own reply subject under one inbox subscription, so that a lost, a repeated and a late
// reply can be told apart, which a client library's own request call hides.
//
//   Responder r(connection, options);  Requester q(options, 0, std::move(connection));  q.start_counting(); … q.stop();
#pragma once

#include <nats/nats.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "connection.hpp"
#include "latency_histogram.hpp"
#include "options.hpp"
#include "payload.hpp"
#include "stream_tracker.hpp"

namespace hawser::load {

class Responder {
 public:
  Responder(natsConnection* connection, const Options& options);
  ~Responder() { natsSubscription_Destroy(subscription_); }
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;

  [[nodiscard]] StreamCounts counts(const std::vector<std::uint64_t>& asked) const;

 private:
  static void on_request(natsConnection* connection, natsSubscription*, natsMsg* message, void* closure);

  natsSubscription* subscription_ = nullptr;
  mutable std::mutex mutex_;
  std::vector<StreamTracker> requests_;  // by requester
};

class Requester {
 public:
  Requester(const Options& options, std::uint32_t index, Connection connection);
  ~Requester();
  Requester(const Requester&) = delete;
  Requester& operator=(const Requester&) = delete;

  [[nodiscard]] bool warm() const { return warm_; }
  void start_counting() { counting_ = true; }
  void stop_asking();
  [[nodiscard]] std::uint64_t asked() const { return asked_; }
  [[nodiscard]] bool complete() const;
  [[nodiscard]] StreamCounts counts() const;
  [[nodiscard]] LatencyHistogram latency() const;
  [[nodiscard]] std::uint64_t wrong_replies() const { return wrong_; }

 private:
  static void on_reply(natsConnection*, natsSubscription*, natsMsg* message, void* closure);
  void run(const std::stop_token& stop);
  void ask(const std::stop_token& stop, std::uint64_t sequence, Clock::time_point scheduled);

  const Options& options_;
  const std::uint32_t index_;
  Connection connection_;
  std::string subject_;
  std::string inbox_;
  natsSubscription* subscription_ = nullptr;
  std::atomic<bool> warm_{false};
  std::atomic<bool> counting_{false};
  std::atomic<std::uint64_t> asked_{0};
  std::atomic<std::uint64_t> wrong_{0};
  mutable std::mutex mutex_;
  StreamTracker replies_;
  LatencyHistogram latency_;
  std::jthread thread_;
};

}  // namespace hawser::load
