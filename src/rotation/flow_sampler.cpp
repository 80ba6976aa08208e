#include "rotation/flow_sampler.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "rotation/connz.hpp"
#include "rotation/counters.hpp"
#include "rotation/http.hpp"
#include "rotation/varz.hpp"

namespace hawser::rotation {
namespace {

constexpr Duration kPatience = std::chrono::seconds(1);  // with one source
constexpr Duration kOneLook = std::chrono::seconds(5);   // at all of them
constexpr std::size_t kAtOnce = 8;

std::vector<Endpoint> endpoints_of(const Plan& plan) {
  std::vector<Endpoint> out;
  for (const MetricsSource& source : metrics_sources(plan)) {
    out.push_back(source.at);
  }
  return out;
}

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(wall_now().time_since_epoch()).count();
}

}  // namespace

FlowSampler::FlowSampler(const Plan& plan, tls::ContextPtr trust, Take take)
    : plan_(plan),
      trust_(std::move(trust)),
      take_(std::move(take)),
      agents_(endpoints_of(plan)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void FlowSampler::run(const std::stop_token& stop) {
  FlowAccount account(plan_.brokers.size(), agents_.size());
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  for (Time next = now(); !stop.stop_requested();) {
    const std::int64_t at_ms = wall_ms();
    const FlowReadings readings = look(stop);
    if (stop.stop_requested()) {
      return;
    }
    take_(account.take(at_ms, readings));
    next = std::max(next + std::chrono::duration_cast<Duration>(plan_.times.sample), now());
    static_cast<void>(wake.wait_until(lock, stop, next, [] { return false; }));
  }
}

// Several at a time, so that some that are silent do not hold up the others.
FlowReadings FlowSampler::look(const std::stop_token& stop) const {
  FlowReadings readings(plan_.brokers.size() + agents_.size());
  const Time end = now() + kOneLook;
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < readings.size() && now() < end && !stop.stop_requested(); i = next++) {
      readings[i] = look_at(i, std::min(end, now() + kPatience), stop);
    }
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < std::min(kAtOnce, readings.size()); ++i) {
    others.emplace_back(work);
  }
  work();
  others.clear();
  return readings;
}

std::optional<FlowReading> FlowSampler::look_at(std::size_t source, Time until, const std::stop_token& stop) const {
  FlowReading out;
  if (source < plan_.brokers.size()) {
    const Result<Varz> varz = varz_of(plan_.brokers[source], trust_, until, stop);
    if (!varz) {
      return std::nullopt;
    }
    out.at = now();
    out.values[FlowCurve::in_msgs] = static_cast<double>(varz->in_msgs);
    out.values[FlowCurve::out_msgs] = static_cast<double>(varz->out_msgs);
    out.values[FlowCurve::in_bytes] = static_cast<double>(varz->in_bytes);
    out.values[FlowCurve::connections] = static_cast<double>(varz->connections);
    out.values[FlowCurve::slow_consumers] = static_cast<double>(varz->slow_consumers);
    return out;
  }
  const Endpoint& agent = agents_[source - plan_.brokers.size()];
  const auto answer = ask({.to = agent, .target = "/metrics", .post = false, .trust = trust_}, until, stop);
  if (!answer || answer->status != 200) {
    return std::nullopt;
  }
  out.at = now();
  for (const FlowInfo& info : kFlowCurves) {
    if (!info.metric.empty() && has_metric(answer->body, info.metric)) {
      const Result<double> sum = sum_of_metric(answer->body, info.metric);
      if (!sum) {
        return std::nullopt;
      }
      out.values[info.curve] = *sum;
    }
  }
  return out;
}

}  // namespace hawser::rotation
