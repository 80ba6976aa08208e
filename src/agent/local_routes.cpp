#include "agent/local_routes.hpp"

namespace hawser::agent {

LocalSubscriptionPtr LocalRoutes::join(std::uint32_t worker, std::uint64_t client, std::string_view sid,
                                       std::string_view subject, std::string_view queue) {
  auto subscription = std::make_shared<LocalSubscription>();
  subscription->thread = worker;
  subscription->client = client;
  subscription->sid = sid;
  subscription->subject = subject;
  subscription->queue = queue;
  const std::lock_guard lock(mutex_);
  subscription->since = offered_;
  sublist_.insert(subscription);
  return subscription;
}

void LocalRoutes::leave(const LocalSubscriptionPtr& subscription) { sublist_.remove(subscription); }

std::uint64_t LocalRoutes::offer(std::string_view subject, routing::Route& route) {
  const std::lock_guard lock(mutex_);
  sublist_.match(subject, route);
  return route.empty() ? 0 : ++offered_;
}

}  // namespace hawser::agent
