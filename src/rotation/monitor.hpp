// The view of all brokers: who is connected, with which certificate. Blocking; thread-safe.
//
//   Result<std::vector<SeenConnection>> all = connections_of(plan.brokers[0], trust, until, stop);
#pragma once

#include <cstdint>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rotation/connz.hpp"
#include "rotation/plan.hpp"
#include "tls/context.hpp"

namespace hawser::rotation {

using Fingerprints = std::set<std::string, std::less<>>;

// A connection, and the broker that has it.
struct FleetConnection {
  std::size_t broker = 0;
  SeenConnection seen;
};

// Of one broker, page by page. Errors: rotation_monitor_silent.
[[nodiscard]] Result<std::vector<SeenConnection>> connections_of(const Broker& broker, const tls::ContextPtr& trust,
                                                                 Time until, const std::stop_token& stop);
// Of all brokers.
[[nodiscard]] Result<std::vector<FleetConnection>> all_connections(const Plan& plan, const tls::ContextPtr& trust,
                                                                   Time until, const std::stop_token& stop);
[[nodiscard]] Result<std::uint64_t> slow_consumers_of(const Broker& broker, const tls::ContextPtr& trust, Time until,
                                                      const std::stop_token& stop);

// Pure: what they show.
//
// Whether the target's connections present `fresh` (its new certificate, or the old one on the way back) and are
// enough. `stale`: what none of them may present; may be empty. Errors: rotation_not_proven, naming the connections.
[[nodiscard]] Result<std::string> judge_target(const Plan& plan, const Target& target,
                                               const std::vector<FleetConnection>& all, const std::string& fresh,
                                               const std::string& stale);
// Whether every connection that presents a certificate presents one of these (or, with `none_of`, none of them).
// Errors: rotation_not_converged, naming the others.
enum class Demand : std::uint8_t { all_of, none_of };
[[nodiscard]] Result<std::string> judge_fleet(const Plan& plan, const std::vector<FleetConnection>& all,
                                              const Fingerprints& known, Demand demand);

}  // namespace hawser::rotation
