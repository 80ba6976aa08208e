// The view of all brokers: who is connected, with which certificate or as which user. Blocking; thread-safe.
//
//   Result<std::vector<SeenConnection>> all = connections_of(plan.brokers[0], trust, until, stop);
#pragma once

#include <cstdint>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rotation/connz.hpp"
#include "rotation/plan.hpp"
#include "rotation/presented.hpp"
#include "tls/context.hpp"

namespace hawser::rotation {

using Fingerprints = std::set<std::string, std::less<>>;

// A connection, and the broker that has it.
struct FleetConnection {
  std::size_t broker = 0;
  SeenConnection seen;
};

// What a broker's monitoring answers to this path. Errors: rotation_monitor_silent, naming the broker; interrupted.
[[nodiscard]] Result<std::string> monitoring_of(const Broker& broker, std::string target, const tls::ContextPtr& trust,
                                                Time until, const std::stop_token& stop);
// Of one broker, page by page. Errors: rotation_monitor_silent.
[[nodiscard]] Result<std::vector<SeenConnection>> connections_of(const Broker& broker, const tls::ContextPtr& trust,
                                                                 Time until, const std::stop_token& stop);
// Of all brokers.
[[nodiscard]] Result<std::vector<FleetConnection>> all_connections(const Plan& plan, const tls::ContextPtr& trust,
                                                                   Time until, const std::stop_token& stop);

// Pure: what they show. Users that the plan does not name are named only when they cannot be tokens.
//
// Whether the target's connections present `fresh` (its new identity, or the old one on the way back) and are
// enough. `stale`: what none of them may present; may be empty. Errors: rotation_not_proven, naming the connections.
[[nodiscard]] Result<std::string> judge_target(const Plan& plan, const Target& target,
                                               const std::vector<FleetConnection>& all, const Identity& fresh,
                                               const Identity& stale);
// Whether every connection that presents a certificate presents one of these; or whether no connection presents one of
// them. `others`: what those are that are not as they must be, "old" or "new". Errors: rotation_not_converged, naming
// them.
enum class Demand : std::uint8_t { all_of, none_of };
[[nodiscard]] Result<std::string> judge_fleet(const Plan& plan, const std::vector<FleetConnection>& all,
                                              const Identities& known, Demand demand, std::string_view others);

// The users that a plan speaks of, which no message keeps to itself.
[[nodiscard]] UserNames users_of(const Plan& plan);

}  // namespace hawser::rotation
