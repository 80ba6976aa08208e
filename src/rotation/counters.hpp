// What guards look at: counters, gauges and the flow of messages, read from all targets and brokers, kept as text, and
// compared.
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
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rotation/plan.hpp"
#include "tls/context.hpp"

namespace hawser::rotation {

// By a metric's name; "slow_consumers" for that of brokers, "in_msgs/s" for the messages that they take in a second.
using Counters = std::map<std::string, double, std::less<>>;

// Where targets have their metrics, each endpoint once, however many targets name it.
struct MetricsSource {
  std::string target;  // the first one that names it
  Endpoint at;
};
[[nodiscard]] std::vector<MetricsSource> metrics_sources(const Plan& plan);

// Whether a Prometheus text has a value of this metric, with whatever labels.
[[nodiscard]] bool has_metric(std::string_view text, std::string_view name);

// What guards lack of metrics before anything is touched, one text each: targets that do not answer, gauges that none
// has.
[[nodiscard]] std::vector<std::string> missing_metrics(const Plan& plan, const tls::ContextPtr& trust, Time until,
                                                       const std::stop_token& stop);

// For how long the flow is looked at: the longest `settle` of the plan, from one to ten seconds.
[[nodiscard]] Duration flow_window(const Plan& plan);

// Takes a flow_window when the plan guards the flow. Errors: rotation_monitor_silent, naming who did not answer or the
// gauge that no target has; interrupted.
[[nodiscard]] Result<Counters> read_counters(const Plan& plan, const tls::ContextPtr& trust, Time until,
                                             const std::stop_token& stop);

// "hawser_disconnects_total 3\nslow_consumers 0\n"; and back. Errors: rotation_journal_unusable.
[[nodiscard]] std::string to_text(const Counters& counters);
[[nodiscard]] Result<Counters> parse_counters(std::string_view text);

// Before the first wave. Errors: rotation_guard_breached, naming gauges that are too high already.
[[nodiscard]] Result<void> judge_start(const Plan& plan, const Counters& before);
// How far they are from their budgets. Errors: rotation_guard_breached, naming each with its figures;
// rotation_journal_unusable when `before` lacks the flow that is guarded.
[[nodiscard]] Result<std::string> judge_counters(const Plan& plan, const Counters& before, const Counters& after);

}  // namespace hawser::rotation
