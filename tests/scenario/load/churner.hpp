// A client whose subscriptions come and go while messages flow: of each, what it was given must be without a gap, a repeat
// or a step back from its first message to its last; and one with a maximum must be given exactly that many.
//
// One more subscription lasts, and is not looked at: without it, in a cluster, each UNSUB and SUB would be an end and a beginning
// of this server's interest. Between the two other servers send it nothing, while what is still on a route from before is
// given to the new subscription: a gap that no client of nats-server is promised not to see (4 in 380 thousand, seen directly).
//
// Works in a thread of its own from construction to stop(); read the counts after it.
//
//   Churner churner(options, std::move(connection));  …  churner.stop();  churner.counts().clean()
#pragma once

#include <nats/nats.h>

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "connection.hpp"
#include "options.hpp"
#include "stream_tracker.hpp"

namespace hawser::load {

class Churner {
 public:
  Churner(const Options& options, Connection connection);
  ~Churner();
  Churner(const Churner&) = delete;
  Churner& operator=(const Churner&) = delete;

  void stop();
  [[nodiscard]] const StreamCounts& counts() const { return counts_; }
  [[nodiscard]] std::uint64_t subscriptions() const { return subscriptions_; }
  [[nodiscard]] std::uint64_t wrong_maximum() const { return wrong_maximum_; }

 private:
  struct Stream {
    std::uint64_t first;
    std::uint64_t last;
    StreamTracker tracker;
  };
  using Streams = std::map<std::pair<std::uint32_t, std::uint32_t>, Stream>;  // by publisher and subject

  void keep_interest(const std::string& subject);
  void run(const std::stop_token& stop);
  void for_a_while(natsSubscription* subscription, Streams& streams);
  void up_to_a_maximum(const std::stop_token& stop, natsSubscription* subscription, Streams& streams);
  void take(natsMsg* message, Streams& streams);

  const Options& options_;
  Connection connection_;
  natsSubscription* lasting_ = nullptr;
  // Every subscription there was, until the connection is closed: libnats 3.4 frees one that is destroyed while its reading
  // thread is still handing it a message.
  std::vector<natsSubscription*> former_;
  StreamCounts counts_;
  std::uint64_t subscriptions_ = 0;
  std::uint64_t wrong_maximum_ = 0;
  std::jthread thread_;
};

}  // namespace hawser::load
