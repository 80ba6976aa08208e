// Who of the agent's own clients gets a message: all their subscriptions, and a number for each message offered to
// them.
//
// A subscription remembers the number at which it joined, so that it can tell, when the server brings a message that
// was offered here before, whether it was among those who had it. Any thread.
//
//   auto mine = routes.join(worker, client, "1", "orders.>", "");
//   if (auto number = routes.offer("orders.eu", route); number != 0) …   // to route.plain, and one of each of
//   route.groups
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "routing/sublist.hpp"

namespace hawser::agent {

struct LocalSubscription final : routing::Subscription {
  std::uint64_t client = 0;
  std::string sid;
  std::uint64_t since = 0;  // it is offered what has a greater number
};
using LocalSubscriptionPtr = std::shared_ptr<LocalSubscription>;

class LocalRoutes {
 public:
  explicit LocalRoutes(std::string agent_id) : agent_id_(std::move(agent_id)) {}

  [[nodiscard]] const std::string& agent_id() const noexcept { return agent_id_; }

  [[nodiscard]] LocalSubscriptionPtr join(std::uint32_t worker, std::uint64_t client, std::string_view sid,
                                          std::string_view subject, std::string_view queue);
  void leave(const LocalSubscriptionPtr& subscription);

  // Replaces what is in `route`. 0: nobody wants it.
  [[nodiscard]] std::uint64_t offer(std::string_view subject, routing::Route& route);
  [[nodiscard]] bool has_interest(std::string_view subject) const { return sublist_.has_interest(subject); }

 private:
  const std::string agent_id_;
  routing::Sublist sublist_;
  std::mutex mutex_;  // a number and who is there for it are one thing
  std::uint64_t offered_ = 0;
};

}  // namespace hawser::agent
