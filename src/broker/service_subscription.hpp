// A subscription of the broker itself, dealt with on whichever thread publishes: services that are imported from other
// accounts, their answers, and what the broker answers itself.
//
// In the table of an account; shared between threads, and not changed once it is there.
//
//   if (to->thread == ServiceSubscription::kEveryThread) static_cast<ServiceSubscription&>(*to).take(worker, message);
#pragma once

#include <cstdint>
#include <limits>

#include "broker/message.hpp"
#include "routing/subscription.hpp"

namespace hawser::broker {

class Worker;

class ServiceSubscription : public routing::Subscription {
 public:
  static constexpr std::uint32_t kEveryThread = std::numeric_limits<std::uint32_t>::max();

  ServiceSubscription() { thread = kEveryThread; }

  // While a message is being routed. False: it did not arrive anywhere.
  virtual bool take(Worker& worker, const Message& message) = 0;
};

}  // namespace hawser::broker
