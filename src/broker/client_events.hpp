// Hears of clients that come, go or are refused; what nats-server publishes in the system account.
//
// Called on any worker's thread, also in the middle of a delivery: it takes note and returns at once.
//
//   if (events != nullptr && events->wanted()) events->connected(facts);
#pragma once

#include "broker/facts.hpp"

namespace hawser::broker {

class ClientEvents {
 public:
  // Whether anybody listens at all: without, nothing needs to be gathered.
  [[nodiscard]] virtual bool wanted() const noexcept = 0;
  virtual void connected(ConnectionFacts client) = 0;
  // These two have `stop` and `reason`.
  virtual void disconnected(ConnectionFacts client) = 0;
  virtual void refused(ConnectionFacts client) = 0;

 protected:
  ~ClientEvents() = default;
};

}  // namespace hawser::broker
