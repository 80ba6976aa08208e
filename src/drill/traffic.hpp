// Steady traffic through agents, and what became of it: every agent publishes to its neighbours and subscribes to them,
// so that each flow crosses two of them, in both directions.
//
// Plain NATS clients on loopback, on a thread of its own; the other members are thread-safe. A client whose agent has
// ended comes back when it does, and sends again what no flush has confirmed, as the contract of a flush is
// (docs/queue.md).
//
//   auto traffic = Traffic::start({.ports = {4222, 4223}, .rate = 100});
//   …  (*traffic)->stop_publishing();  (*traffic)->settled();  (*traffic)->report().all.lost
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "drill/flow_count.hpp"
#include "net/reactor.hpp"
#include "net/resolver.hpp"

namespace hawser::drill {

struct TrafficOptions {
  std::vector<std::uint16_t> ports;  // of agents, on loopback
  double rate = 100;                 // messages a second, of each flow
  std::size_t payload_bytes = 128;
};

// From one agent's publisher to another's subscriber (both the same, when there is one agent).
struct FlowReport {
  std::string subject;
  std::size_t from = 0;
  std::size_t to = 0;
  Counts counts;
};

// What happened in a tenth of a second.
struct Moment {
  std::int64_t at_ms = 0;  // since 1970, its beginning
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;  // repeats included
  Duration longest{};           // from sent to delivered, of what was delivered in it
};

struct TrafficReport {
  Counts all;
  std::vector<FlowReport> flows;
  std::vector<Moment> moments;
};

class Traffic {
 public:
  // Errors: drill_impossible.
  [[nodiscard]] static Result<std::unique_ptr<Traffic>> start(TrafficOptions options);
  ~Traffic();
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  // Every flow has delivered something: counting has begun.
  [[nodiscard]] bool flowing();
  void stop_publishing();
  // After that: everything that was sent is flushed, and nothing is still to come.
  [[nodiscard]] bool settled();
  // As counts stand: what is on its way counts as lost.
  [[nodiscard]] TrafficReport report();

  // The agent's flows are known to be broken, or not any more: what is missing of them meanwhile counts as away.
  void set_broken(std::size_t agent, bool broken);

  // Watches an agent's flows: from here on, the longest time from sent to delivered of each flow that crosses it, until
  // stop_watching(), which answers them.
  void watch(std::size_t agent);
  [[nodiscard]] std::vector<Duration> stop_watching(std::size_t agent);

 private:
  struct Parts;

  explicit Traffic(std::unique_ptr<Parts> parts);
  // Runs it on the traffic's thread, and waits for it.
  void ask(const std::function<void(Parts&)>& question);

  std::unique_ptr<net::Reactor> reactor_;
  std::unique_ptr<net::Resolver> resolver_;
  std::unique_ptr<Parts> parts_;
  std::thread thread_;
};

}  // namespace hawser::drill
