// Messages from one thread's clients to another thread's, as one value.
//
// Bodies are copied once for the thread, however many of its subscriptions a message goes to. Built by the thread that
// sends, read by the one that receives.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/message.hpp"
#include "broker/subscription.hpp"

namespace hawser::broker {

class Batch {
 public:
  static constexpr std::size_t kEnough = 256UL << 10U;  // bytes, then it is sent on without waiting for more

  // Deliveries of the same message follow each other and have the same serial, which is not 0.
  // `leg`: 0: to this subscription and no other. Otherwise, as the one member of its queue group, how many threads the
  // message has come by with this one: whoever does not take it sends it on, but never round in a circle.
  void add(const Message& message, std::uint64_t serial, const routing::SubscriptionPtr& to, std::uint32_t leg);
  [[nodiscard]] bool empty() const noexcept { return deliveries_.empty(); }
  // What it occupies: many deliveries of a small message are large.
  [[nodiscard]] std::size_t bytes() const noexcept {
    return arena_.size() + letters_.size() * sizeof(Letter) + deliveries_.size() * sizeof(Delivery);
  }
  // Empty again, with its memory.
  void clear() noexcept;

  // f(const Message&, std::span<const Delivery>), in order.
  struct Delivery {
    Subscription* to;  // alive as long as the batch
    std::uint32_t letter;
    std::uint32_t leg;
  };
  template <class F>
  void each(F&& f) const {
    for (std::size_t i = 0; i < deliveries_.size();) {
      std::size_t end = i + 1;
      while (end < deliveries_.size() && deliveries_[end].letter == deliveries_[i].letter) {
        ++end;
      }
      f(message(letters_[deliveries_[i].letter]), std::span(deliveries_).subspan(i, end - i));
      i = end;
    }
  }

 private:
  struct Letter {
    std::uint64_t from;
    bool hops;
    std::size_t at;
    std::uint32_t subject;
    std::uint32_t reply;
    std::uint32_t headers;
    std::size_t body;
  };
  [[nodiscard]] Message message(const Letter& letter) const;
  void hold(const routing::SubscriptionPtr& to);

  std::string arena_;
  std::vector<Letter> letters_;
  std::vector<Delivery> deliveries_;
  std::vector<routing::SubscriptionPtr> held_;
  std::array<const routing::Subscription*, 32> held_lately_{};  // by address: the same ones get message after message
  std::uint64_t last_serial_ = 0;
};

// Batches that have been read, for their memory; bounded. Any thread.
class BatchPool {
 public:
  [[nodiscard]] Batch take();
  void give(Batch batch);
  // Of all of them; for a slow timer.
  void let_go();

 private:
  static constexpr std::size_t kMost = 8;
  std::mutex mutex_;
  std::vector<Batch> batches_;
};

}  // namespace hawser::broker
