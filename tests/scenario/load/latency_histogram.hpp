// Latencies in buckets of 1/32 of an octave (3 % wide), from below a microsecond to over an hour, in a fixed 8 KiB.
//
// Pure; not thread-safe. Add with record(), sum with +=, ask with percentile().
//
//   LatencyHistogram h;  h.record(120us);  h.percentile(0.99)
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace hawser::load {

class LatencyHistogram {
 public:
  void record(std::chrono::nanoseconds latency);
  LatencyHistogram& operator+=(const LatencyHistogram& other);
  void clear() { *this = LatencyHistogram{}; }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  // In microseconds: the upper edge of the bucket that holds the fraction, never above the largest seen.
  [[nodiscard]] double percentile(double fraction) const;
  [[nodiscard]] double max() const { return static_cast<double>(max_ns_) / 1000.0; }

 private:
  static constexpr unsigned kSubBits = 5;
  static constexpr std::size_t kBuckets = 32U << kSubBits;

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ns_ = 0;
};

}  // namespace hawser::load
