// Counters, gauges and histograms that a reactor thread can afford, and their exposition as Prometheus text.
//
// A metric is a few relaxed atomics; references stay valid as long as the Registry. Look a metric up once and keep the
// reference: `counter()` and its sisters take a lock and compare strings. Asking again for the same name and labels
// gives the same metric. Everything here is thread-safe.
//
//   Counter& rejected = registry.counter("hawser_tls_reload_total", "TLS material reloads", {{"result", "rejected"}});
//   rejected.add();
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hawser::metrics {

class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  // Without a locked instruction; only for a counter that one thread alone writes.
  void add_as_only_writer(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(double n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  void subtract(double n = 1) noexcept { value_.fetch_sub(n, std::memory_order_relaxed); }
  [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// Counts by upper bound, inclusive, as Prometheus wants them.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);  // ascending
  void observe(double value) noexcept;
  [[nodiscard]] std::span<const double> bounds() const noexcept { return bounds_; }
  [[nodiscard]] std::uint64_t count_in_bucket(std::size_t i) const noexcept;  // bounds().size() is "above them all"
  [[nodiscard]] double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> buckets_;
  std::atomic<double> sum_{0};
};

// For durations of connections, splices and reloads, in seconds: 1 ms to 60 s.
[[nodiscard]] std::vector<double> duration_bounds();

using Label = std::pair<std::string, std::string>;
using Labels = std::vector<Label>;

class Registry {
 public:
  // The most series (distinct labels) a name may have. From there on, every new one gets the same extra series whose
  // label values are all "other", so that labels from outside cannot eat the memory.
  static constexpr std::size_t kSeriesPerName = 1000;

  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // One name has one kind, and the help of its first use; a clash of kinds ends the process (a defect, found by the
  // first test).
  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> bounds, Labels labels = {});
  // A gauge whose value is asked for at each exposition, on the exposing thread; it must be quick, thread-safe, and
  // outlive the registry. A second one with the same name and labels replaces the first.
  void gauge_from(std::string_view name, std::string_view help, Labels labels, std::function<double()> read);

  // Prometheus text format 0.0.4, names in the order of their first use.
  [[nodiscard]] std::string expose() const;

 private:
  struct Family;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hawser::metrics
