// A client's subscription, as the broker routes to it.
//
// In the table of an account it is shared between threads; what stands below the line belongs to its client's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/accounts.hpp"
#include "routing/subscription.hpp"

namespace hawser::broker {

class Client;
struct Message;
struct StreamImport;
struct Subscription;

// Takes messages for the broker itself. Called on the subscription's thread while a message is being routed: what it
// has to say it says later (Worker::publish in a posted task), never there and then.
class Responder {
 public:
  virtual void on_message(const Subscription& to, const Message& message) = 0;

 protected:
  ~Responder() = default;
};

// Makes a subscription listen in another account, for one of the importer's; a shadow of that.
struct Imported {
  std::shared_ptr<Subscription> of;
  std::shared_ptr<const StreamImport> import;
};

struct Subscription final : routing::Subscription {
  std::string sid;
  AccountState* account = nullptr;           // in whose table it is
  std::unique_ptr<const Imported> imported;  // it is a shadow
  // ---
  Client* client = nullptr;  // null: closed, and to be passed over
  std::uint64_t delivered = 0;
  Responder* responder = nullptr;  // instead of a client; outlives the workers
  std::uint64_t max = 0;           // 0: no end; otherwise it closes with this delivery
  bool checks_delivery = false;    // some of the subjects that it matches are denied
  std::vector<std::shared_ptr<Subscription>> shadows;
};
using SubscriptionPtr = std::shared_ptr<Subscription>;

}  // namespace hawser::broker
