#include "latency_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace hawser::load {
namespace {

// Buckets are over units of 64 ns, so that the smallest octave is still finer than a microsecond.
constexpr unsigned kUnitBits = 6;

std::uint64_t upper_edge(std::size_t bucket, unsigned sub_bits) {
  const std::uint64_t sub = std::uint64_t{1} << sub_bits;
  if (bucket < sub) return (bucket + 1) << kUnitBits;
  const auto octave = bucket / sub - 1;
  return (sub + bucket % sub + 1) << (octave + kUnitBits);
}

}  // namespace

void LatencyHistogram::record(std::chrono::nanoseconds latency) {
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
  const std::uint64_t units = ns >> kUnitBits;
  std::size_t bucket = units;
  if (units >= (1U << kSubBits)) {
    const auto octave = static_cast<unsigned>(std::bit_width(units)) - 1U - kSubBits;
    bucket = (std::size_t{octave} << kSubBits) + (units >> octave);
  }
  ++buckets_[std::min(bucket, kBuckets - 1)];
  ++count_;
  max_ns_ = std::max(max_ns_, ns);
}

LatencyHistogram& LatencyHistogram::operator+=(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ns_ = std::max(max_ns_, other.max_ns_);
  return *this;
}

double LatencyHistogram::percentile(double fraction) const {
  if (count_ == 0) return 0;
  const auto wanted = static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= std::max<std::uint64_t>(wanted, 1)) {
      return static_cast<double>(std::min(upper_edge(i, kSubBits), max_ns_)) / 1000.0;
    }
  }
  return max();
}

}  // namespace hawser::load
