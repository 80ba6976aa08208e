// A client's subscription, as the broker routes to it.
//
// In the table of an account it is shared between threads; what stands below the line belongs to its client's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "broker/accounts.hpp"
#include "routing/subscription.hpp"

namespace hawser::broker {

class Client;

struct Subscription final : routing::Subscription {
  std::string sid;
  AccountState* account = nullptr;  // in whose table it is
  // ---
  Client* client = nullptr;  // null: closed, and to be passed over
  std::uint64_t delivered = 0;
  std::uint64_t max = 0;         // 0: no end; otherwise it closes with this delivery
  bool checks_delivery = false;  // some of the subjects that it matches are denied
};
using SubscriptionPtr = std::shared_ptr<Subscription>;

}  // namespace hawser::broker
