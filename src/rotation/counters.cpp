#include "rotation/counters.hpp"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <fmt/format.h>
#include <mutex>
#include <set>
#include <vector>

#include "rotation/connz.hpp"
#include "rotation/http.hpp"
#include "rotation/varz.hpp"

namespace hawser::rotation {
namespace {

constexpr std::string_view kSlowConsumers = "slow_consumers";
constexpr std::string_view kFlow = "in_msgs/s";

using Names = std::set<std::string, std::less<>>;

// A metric may be looked at as both.
Names guarded_metrics(const Plan& plan) {
  Names out;
  for (const auto* budgets : {&plan.guards.counters, &plan.guards.gauges}) {
    for (const CounterBudget& budget : *budgets) {
      out.insert(budget.metric);
    }
  }
  return out;
}

Result<void> add_metrics_of(const MetricsSource& source, const Names& names, const tls::ContextPtr& trust, Time until,
                            const std::stop_token& stop, Counters& out) {
  const auto answer = ask({.to = source.at, .target = "/metrics", .post = false, .trust = trust}, until, stop);
  if (!answer && answer.error().code == Errc::interrupted) {
    return std::unexpected(answer.error());
  }
  if (!answer || answer->status != 200) {
    return fail(Errc::rotation_monitor_silent,
                fmt::format("{}: its metrics: {}", source.target,
                            answer ? fmt::format("status {}", answer->status) : answer.error().message()));
  }
  for (const std::string& name : names) {
    const Result<double> sum = sum_of_metric(answer->body, name);
    if (!sum) {
      return fail(sum.error().code, fmt::format("{}: {}", source.target, sum.error().doing));
    }
    if (has_metric(answer->body, name)) {
      out[name] += *sum;
    }
  }
  return {};
}

// What a broker counts, and when it did.
struct Counted {
  Time at;
  Varz varz;
};

Result<std::vector<Counted>> all_varz(const Plan& plan, const tls::ContextPtr& trust, Time until,
                                      const std::stop_token& stop) {
  std::vector<Counted> out;
  for (const Broker& broker : plan.brokers) {
    const Result<Varz> varz = varz_of(broker, trust, until, stop);
    if (!varz) {
      return std::unexpected(varz.error());
    }
    out.push_back({now(), *varz});
  }
  return out;
}

Result<void> pause_for(Duration time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  static_cast<void>(wake.wait_for(lock, stop, time, [] { return false; }));
  return stop.stop_requested() ? fail(Errc::interrupted, "looking at the flow") : Result<void>();
}

// A broker that begins anew shows what it has counted since.
double messages_a_second(const std::vector<Counted>& before, const std::vector<Counted>& after) {
  double sum = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const std::uint64_t was = before[i].varz.in_msgs;
    const std::uint64_t is = after[i].varz.in_msgs;
    const double seconds = std::max(0.001, std::chrono::duration<double>(after[i].at - before[i].at).count());
    sum += static_cast<double>(is >= was ? is - was : is) / seconds;
  }
  return sum;
}

Result<void> add_varz(const Plan& plan, const tls::ContextPtr& trust, Time until, const std::stop_token& stop,
                      Counters& out) {
  auto varz = all_varz(plan, trust, until, stop);
  if (varz && plan.guards.flow) {
    const Result<void> waited = pause_for(std::min(flow_window(plan), (until - now()) / 2), stop);
    auto later = waited ? all_varz(plan, trust, until, stop) : std::unexpected(waited.error());
    if (later) {
      out[std::string(kFlow)] = messages_a_second(*varz, *later);
    }
    varz = std::move(later);
  }
  if (!varz) {
    return std::unexpected(varz.error());
  }
  for (const Counted& one : *varz) {
    if (plan.guards.slow_consumers) {
      out[std::string(kSlowConsumers)] += static_cast<double>(one.varz.slow_consumers);
    }
  }
  return {};
}

// Judgements, by whether they are fine.
struct Judged {
  std::string fine;
  std::string breached;
  void add(bool good, const std::string& words) {
    std::string& into = good ? fine : breached;
    into += (into.empty() ? "" : ", ") + words;
  }
  [[nodiscard]] Result<std::string> result() const {
    return breached.empty() ? Result<std::string>(fine) : fail(Errc::rotation_guard_breached, breached);
  }
};

// A counter may begin with its first event; a gauge that nobody has would never be too high.
std::vector<std::string> missing_gauges(const Plan& plan, const Counters& counters) {
  std::vector<std::string> out;
  for (const CounterBudget& gauge : plan.guards.gauges) {
    if (!counters.contains(gauge.metric)) {
      out.push_back(fmt::format("no target of the plan has the metric {} of guards.at_most", gauge.metric));
    }
  }
  return out;
}

double value_of(const Counters& counters, std::string_view name) {
  const auto found = counters.find(name);
  return found == counters.end() ? 0.0 : found->second;
}

void judge_gauges(const Plan& plan, const Counters& counters, std::string_view when, Judged& out) {
  for (const CounterBudget& budget : plan.guards.gauges) {
    const double value = value_of(counters, budget.metric);
    out.add(value <= static_cast<double>(budget.at_most),
            fmt::format("{} is {} of {}{}", budget.metric, value, budget.at_most, when));
  }
}

}  // namespace

std::vector<MetricsSource> metrics_sources(const Plan& plan) {
  std::vector<MetricsSource> out;
  std::set<std::string> seen;
  for (const Wave& wave : plan.waves) {
    for (const Target& target : wave.targets) {
      if (target.metrics &&
          seen.insert(target.metrics->authority() + target.metrics->path + (target.metrics->secure ? " https" : ""))
              .second) {
        out.push_back({target.name, *target.metrics});
      }
    }
  }
  return out;
}

bool has_metric(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    const bool whole = end < text.size() && (text[end] == ' ' || text[end] == '{');
    if (whole && (at == 0 || text[at - 1] == '\n')) {
      return true;
    }
  }
  return false;
}

std::vector<std::string> missing_metrics(const Plan& plan, const tls::ContextPtr& trust, Time until,
                                         const std::stop_token& stop) {
  std::vector<std::string> out;
  Counters seen;
  const Names names = guarded_metrics(plan);
  for (const MetricsSource& source : names.empty() ? std::vector<MetricsSource>() : metrics_sources(plan)) {
    if (const Result<void> added = add_metrics_of(source, names, trust, until, stop, seen); !added) {
      out.push_back(added.error().message());
    }
  }
  const std::vector<std::string> gauges = missing_gauges(plan, seen);
  out.insert(out.end(), gauges.begin(), gauges.end());
  return out;
}

Duration flow_window(const Plan& plan) {
  std::chrono::nanoseconds longest = std::chrono::seconds(1);
  for (const Wave& wave : plan.waves) {
    longest = std::max(longest, wave.settle);
  }
  return std::chrono::duration_cast<Duration>(std::min<std::chrono::nanoseconds>(longest, std::chrono::seconds(10)));
}

Result<Counters> read_counters(const Plan& plan, const tls::ContextPtr& trust, Time until,
                               const std::stop_token& stop) {
  Counters out;
  const Names names = guarded_metrics(plan);
  if (plan.guards.flow || plan.guards.slow_consumers) {
    if (Result<void> added = add_varz(plan, trust, until, stop, out); !added) {
      return std::unexpected(added.error());
    }
  }
  for (const MetricsSource& source : names.empty() ? std::vector<MetricsSource>() : metrics_sources(plan)) {
    if (Result<void> added = add_metrics_of(source, names, trust, until, stop, out); !added) {
      return std::unexpected(added.error());
    }
  }
  if (const std::vector<std::string> missing = missing_gauges(plan, out); !missing.empty()) {
    return fail(Errc::rotation_monitor_silent, missing.front());
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

Result<void> judge_start(const Plan& plan, const Counters& before) {
  Judged judged;
  judge_gauges(plan, before, " before the first wave", judged);
  const Result<std::string> result = judged.result();
  return result ? Result<void>() : std::unexpected(result.error());
}

Result<std::string> judge_counters(const Plan& plan, const Counters& before, const Counters& after) {
  Judged judged;
  const auto judge_growth = [&](std::string_view name, double at_most) {
    const double grew = std::max(0.0, value_of(after, name) - value_of(before, name));
    judged.add(grew <= at_most, fmt::format("{} grew by {} of {}", name, grew, at_most));
  };
  for (const CounterBudget& budget : plan.guards.counters) {
    judge_growth(budget.metric, static_cast<double>(budget.at_most));
  }
  if (plan.guards.slow_consumers) {
    judge_growth(kSlowConsumers, static_cast<double>(*plan.guards.slow_consumers));
  }
  judge_gauges(plan, after, "", judged);
  if (plan.guards.flow) {
    const auto was = before.find(kFlow);
    const auto is = after.find(kFlow);
    if (was == before.end() || is == after.end()) {
      return fail(Errc::rotation_journal_unusable, "it does not hold the flow of messages before the first wave");
    }
    const double least = was->second * *plan.guards.flow;
    judged.add(is->second >= least,
               fmt::format("brokers take in {:.1f} messages a second (at least {:.1f}, {:.1f} before the first wave)",
                           is->second, least, was->second));
  }
  return judged.result();
}

}  // namespace hawser::rotation
