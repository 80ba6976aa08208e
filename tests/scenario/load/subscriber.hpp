// Subscriptions of the load, and the judgement of what each was given.
//
// A Subscription is filled by libnats' delivery thread and read by the main thread, under its own lock; queue group
// members share one judgement, since only the group as a whole is promised every message. Destroy subscriptions
// before their connection.
//
//   auto sub = Subscription::open(connection, {.subject = "run.m.>", …}, options);  sub->judgement().counts(published)
#pragma once

#include <nats/nats.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "latency_histogram.hpp"
#include "options.hpp"
#include "payload.hpp"
#include "stream_tracker.hpp"

namespace hawser::load {

// What was published: the last number of each stream, and heartbeats, both by publisher.
struct Published {
  std::vector<std::vector<std::uint64_t>> numbered;  // [publisher][subject]
  std::vector<std::uint64_t> heartbeats;             // [publisher]
};

// Since the last mark, or since the start.
struct Window {
  LatencyHistogram latency;
  Clock::duration longest_gap{0};
};

class Judgement {
 public:
  static constexpr std::uint32_t kNobody = UINT32_MAX;

  // `subjects`: the indexes that the subscription matches; empty for a subscription to heartbeats. `unheard`: the publisher
  // that it must hear nothing of, being on a connection without echo.
  Judgement(std::string name, std::uint32_t publishers, std::uint32_t subject_count, std::vector<std::uint32_t> subjects,
            bool ordered, std::uint32_t unheard = kNobody);

  void take(std::string_view subject, std::string_view payload, Clock::time_point now);
  [[nodiscard]] bool warm() const;
  [[nodiscard]] bool complete(const Published& published) const;
  [[nodiscard]] StreamCounts counts(const Published& published) const;
  [[nodiscard]] std::uint64_t received() const;
  [[nodiscard]] std::uint64_t heartbeats_received() const;
  [[nodiscard]] bool counts_heartbeats() const { return subjects_.empty(); }
  [[nodiscard]] bool ordered() const { return ordered_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t corrupted() const;
  [[nodiscard]] std::vector<std::string> examples(const Published& published) const;
  // The window so far; a new one begins when `restart`.
  Window window(bool restart);
  [[nodiscard]] Window total() const;

 private:
  struct Stream {
    StreamTracker tracker;
    bool warm = false;
  };
  Stream& stream(std::uint32_t publisher, std::uint32_t subject) { return streams_[publisher * subject_count_ + subject]; }
  [[nodiscard]] const Stream& stream(std::uint32_t publisher, std::uint32_t subject) const {
    return streams_[publisher * subject_count_ + subject];
  }
  void note(std::string text);
  // f(stream, publisher, subject) for each that is expected.
  template <class F>
  void for_each_stream(F&& f) const {
    for (std::uint32_t p = 0; p < publishers_; ++p) {
      for (const auto s : subjects_) {
        if (p != unheard_) f(stream(p, s), p, s);
      }
    }
  }

  const std::string name_;
  const std::uint32_t publishers_;
  const std::uint32_t subject_count_;
  const std::vector<std::uint32_t> subjects_;
  const bool ordered_;
  const std::uint32_t unheard_;

  mutable std::mutex mutex_;
  std::vector<Stream> streams_;
  std::vector<bool> heartbeat_warm_;
  std::uint64_t received_ = 0;
  std::uint64_t heartbeats_ = 0;
  std::uint64_t corrupted_ = 0;
  std::vector<std::string> examples_;
  Window window_;
  Window total_;
  Clock::time_point last_arrival_{};
};

class Subscription {
 public:
  static std::expected<std::unique_ptr<Subscription>, std::string> open(natsConnection* connection,
                                                                        const std::string& subject,
                                                                        const std::string& queue,
                                                                        std::shared_ptr<Judgement> judgement);
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

 private:
  explicit Subscription(std::shared_ptr<Judgement> judgement) : judgement_(std::move(judgement)) {}
  static void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* closure);

  std::shared_ptr<Judgement> judgement_;
  natsSubscription* subscription_ = nullptr;
};

}  // namespace hawser::load
