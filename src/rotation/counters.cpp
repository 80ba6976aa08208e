#include "rotation/counters.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <vector>

#include "rotation/connz.hpp"
#include "rotation/http.hpp"
#include "rotation/monitor.hpp"

namespace hawser::rotation {
namespace {

constexpr std::string_view kSlowConsumers = "slow_consumers";

Result<void> add_metrics_of(const Target& target, const Plan& plan, const tls::ContextPtr& trust, Time until,
                            const std::stop_token& stop, Counters& out) {
  const auto answer = ask({.to = *target.metrics, .target = "/metrics", .post = false, .trust = trust}, until, stop);
  if (!answer && answer.error().code == Errc::interrupted) {
    return std::unexpected(answer.error());
  }
  if (!answer || answer->status != 200) {
    return fail(Errc::rotation_monitor_silent,
                fmt::format("{}: its metrics: {}", target.name,
                            answer ? fmt::format("status {}", answer->status) : answer.error().message()));
  }
  for (const CounterBudget& budget : plan.guards.counters) {
    const Result<double> sum = sum_of_metric(answer->body, budget.metric);
    if (!sum) {
      return fail(sum.error().code, fmt::format("{}: {}", target.name, sum.error().doing));
    }
    out[budget.metric] += *sum;
  }
  return {};
}

}  // namespace

Result<Counters> read_counters(const Plan& plan, const tls::ContextPtr& trust, Time until,
                               const std::stop_token& stop) {
  Counters out;
  for (std::size_t i = 0; !plan.guards.counters.empty() && i < target_count(plan); ++i) {
    const Target& target = target_at(plan, i);
    if (!target.metrics) {
      continue;
    }
    if (Result<void> added = add_metrics_of(target, plan, trust, until, stop, out); !added) {
      return std::unexpected(added.error());
    }
  }
  for (std::size_t i = 0; plan.guards.slow_consumers && i < plan.brokers.size(); ++i) {
    const Result<std::uint64_t> slow = slow_consumers_of(plan.brokers[i], trust, until, stop);
    if (!slow) {
      return std::unexpected(slow.error());
    }
    out[std::string(kSlowConsumers)] += static_cast<double>(*slow);
  }
  return out;
}

std::string to_text(const Counters& counters) {
  std::string out;
  for (const auto& [name, value] : counters) {
    out += fmt::format("{} {}\n", name, value);
  }
  return out;
}

Result<Counters> parse_counters(std::string_view text) {
  Counters out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const std::size_t space = line.find(' ');
    double value = 0;
    if (end == std::string_view::npos || space == std::string_view::npos ||
        std::from_chars(line.data() + space + 1, line.data() + line.size(), value).ec != std::errc()) {
      return fail(Errc::rotation_journal_unusable, "the counters that were kept before the first wave cannot be read");
    }
    out.emplace(line.substr(0, space), value);
    text.remove_prefix(end + 1);
  }
  return out;
}

Result<std::string> judge_counters(const Plan& plan, const Counters& before, const Counters& after) {
  std::string fine;
  std::string breached;
  const auto judge = [&](const std::string& name, double at_most) {
    const auto value = [&name](const Counters& counters) {
      const auto found = counters.find(name);
      return found == counters.end() ? 0.0 : found->second;
    };
    const double grew = std::max(0.0, value(after) - value(before));
    std::string& into = grew > at_most ? breached : fine;
    into += fmt::format("{}{} grew by {} of {}", into.empty() ? "" : ", ", name, grew, at_most);
  };
  for (const CounterBudget& budget : plan.guards.counters) {
    judge(budget.metric, static_cast<double>(budget.at_most));
  }
  if (plan.guards.slow_consumers) {
    judge(std::string(kSlowConsumers), static_cast<double>(*plan.guards.slow_consumers));
  }
  if (!breached.empty()) {
    return fail(Errc::rotation_guard_breached, std::move(breached));
  }
  return fine;
}

}  // namespace hawser::rotation
