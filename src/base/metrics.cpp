#include "base/metrics.hpp"

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <variant>

namespace hawser::metrics {

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), buckets_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1)) {
  assert(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void Histogram::observe(double value) noexcept {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  buckets_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::uint64_t Histogram::count_in_bucket(std::size_t i) const noexcept {
  return buckets_[i].load(std::memory_order_relaxed);
}

std::vector<double> duration_bounds() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
}

namespace {

using ReadGauge = std::function<double()>;
using Metric = std::variant<Counter, Gauge, Histogram, ReadGauge>;

prometheus::ClientMetric sample_of(const Labels& labels, const Metric& metric) {
  prometheus::ClientMetric sample;
  for (const auto& [name, value] : labels) {
    sample.label.push_back({name, value});
  }
  if (const auto* counter = std::get_if<Counter>(&metric)) {
    sample.counter.value = static_cast<double>(counter->value());
  } else if (const auto* gauge = std::get_if<Gauge>(&metric)) {
    sample.gauge.value = gauge->value();
  } else if (const auto* read = std::get_if<ReadGauge>(&metric)) {
    sample.gauge.value = *read ? (*read)() : 0;  // registered, not yet given
  } else if (const auto* histogram = std::get_if<Histogram>(&metric)) {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < histogram->bounds().size(); ++i) {
      total += histogram->count_in_bucket(i);
      sample.histogram.bucket.push_back({total, histogram->bounds()[i]});
    }
    total += histogram->count_in_bucket(histogram->bounds().size());
    sample.histogram.bucket.push_back({total, std::numeric_limits<double>::infinity()});
    sample.histogram.sample_count = total;
    sample.histogram.sample_sum = histogram->sum();
  }
  return sample;
}

prometheus::MetricType type_of(const Metric& metric) {
  if (std::holds_alternative<Counter>(metric)) {
    return prometheus::MetricType::Counter;
  }
  return std::holds_alternative<Histogram>(metric) ? prometheus::MetricType::Histogram : prometheus::MetricType::Gauge;
}

}  // namespace

struct Registry::Family {
  std::string name;
  std::string help;
  std::map<Labels, std::unique_ptr<Metric>> series;  // sorted, so that an exposition is stable
};

struct Registry::State {
  mutable std::mutex mutex;
  std::deque<Family> families;

  Family& family(std::string_view name, std::string_view help) {
    for (Family& known : families) {
      if (known.name == name) {
        return known;
      }
    }
    return families.emplace_back(Family{std::string(name), std::string(help), {}});
  }

  template <class T, class... Arguments>
  T& series(std::string_view name, std::string_view help, Labels labels, Arguments&&... arguments) {
    const std::lock_guard lock(mutex);
    Family& in = family(name, help);
    if (in.series.size() >= kSeriesPerName && !in.series.contains(labels)) {
      for (auto& label : labels) {
        label.second = "other";
      }
    }
    auto& slot = in.series[std::move(labels)];
    if (!slot) {
      slot = std::make_unique<Metric>(std::in_place_type<T>, std::forward<Arguments>(arguments)...);
    }
    T* metric = std::get_if<T>(slot.get());
    if (metric == nullptr || type_of(*slot) != type_of(*in.series.begin()->second)) {
      std::fprintf(stderr, "metric %s is used as two kinds\n", in.name.c_str());
      std::abort();
    }
    return *metric;
  }
};

Registry::Registry() : state_(std::make_unique<State>()) {}
Registry::~Registry() = default;

Counter& Registry::counter(std::string_view name, std::string_view help, Labels labels) {
  return state_->series<Counter>(name, help, std::move(labels));
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, Labels labels) {
  return state_->series<Gauge>(name, help, std::move(labels));
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                               Labels labels) {
  return state_->series<Histogram>(name, help, std::move(labels), std::move(bounds));
}

void Registry::gauge_from(std::string_view name, std::string_view help, Labels labels, std::function<double()> read) {
  ReadGauge& slot = state_->series<ReadGauge>(name, help, std::move(labels));
  const std::lock_guard lock(state_->mutex);
  slot = std::move(read);
}

std::string Registry::expose() const {
  std::vector<prometheus::MetricFamily> families;
  {
    const std::lock_guard lock(state_->mutex);
    for (const Family& family : state_->families) {
      prometheus::MetricFamily& out = families.emplace_back();
      out.name = family.name;
      out.help = family.help;
      out.type = type_of(*family.series.begin()->second);
      for (const auto& [labels, metric] : family.series) {
        out.metric.push_back(sample_of(labels, *metric));
      }
    }
  }
  return prometheus::TextSerializer{}.Serialize(families);
}

}  // namespace hawser::metrics
