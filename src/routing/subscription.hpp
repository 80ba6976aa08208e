// What the table of an account holds, and what it answers: subscriptions, and the route of a subject.
//
// A subscription is not changed once it is inserted, and may be read from every thread; the broker derives from it. It
// is in one Sublist at a time.
//
//   for (const SubscriptionPtr& to : route.plain) deliver(*to);
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace hawser::routing {

struct Subscription {
  std::string subject;
  std::string queue;         // empty: plain
  std::uint32_t thread = 0;  // whose reactor delivers

  Subscription() = default;
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  virtual ~Subscription() = default;

 private:
  friend class Sublist;
  static constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t slot_ = kNowhere;  // its place in the list of its node; the Sublist's lock guards it
};
using SubscriptionPtr = std::shared_ptr<Subscription>;

struct QueueGroup {
  std::string name;
  std::vector<SubscriptionPtr> members;
};

// Everybody whom a message concerns: each of `plain`, and one member of each group.
struct Route {
  std::vector<SubscriptionPtr> plain;  // those of one thread stand together
  std::vector<QueueGroup> groups;      // each name once

  [[nodiscard]] bool empty() const noexcept { return plain.empty() && groups.empty(); }
  [[nodiscard]] std::size_t fanout() const noexcept { return plain.size() + groups.size(); }
  void clear() noexcept {
    plain.clear();
    groups.clear();
  }
};

}  // namespace hawser::routing
