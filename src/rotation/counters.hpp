// The counters that guards look at: read from all targets and brokers, kept as text, and compared.
//
// Sums over all targets: a target that is restarted begins at nought, so budgets are for those that are not. Blocking;
// thread-safe.
//
//   Result<Counters> before = read_counters(plan, trust, until, stop);   // …a wave later
//   Result<std::string> fine = judge_counters(plan, *before, *after);
#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rotation/plan.hpp"
#include "tls/context.hpp"

namespace hawser::rotation {

// By a metric's name; "slow_consumers" for that of brokers.
using Counters = std::map<std::string, double, std::less<>>;

// Errors: rotation_monitor_silent, naming who did not answer; interrupted.
[[nodiscard]] Result<Counters> read_counters(const Plan& plan, const tls::ContextPtr& trust, Time until,
                                             const std::stop_token& stop);

// "hawser_disconnects_total 3\nslow_consumers 0\n"; and back. Errors: rotation_journal_unusable.
[[nodiscard]] std::string to_text(const Counters& counters);
[[nodiscard]] Result<Counters> parse_counters(std::string_view text);

// How far they are from their budgets. Errors: rotation_guard_breached, naming each that grew too much.
[[nodiscard]] Result<std::string> judge_counters(const Plan& plan, const Counters& before, const Counters& after);

}  // namespace hawser::rotation
