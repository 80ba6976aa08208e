// What the process costs: resident memory, and its share of a processor since it was last asked.
//
// Thread-safe. Asked more often than once a second, it gives the same share again.
//
//   const ProcessUsage usage = meter.measure();
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>

#include "base/clock.hpp"

namespace hawser::broker {

struct ProcessUsage {
  double cpu_percent = 0;  // 100: one processor
  std::uint64_t resident_bytes = 0;
};

class ProcessMeter {
 public:
  ProcessMeter();
  [[nodiscard]] ProcessUsage measure();

 private:
  std::mutex mutex_;
  Time asked_at_;
  Duration used_;
  double cpu_percent_ = 0;
};

// The second number of /proc/self/statm, in pages; 0 when it is not there.
[[nodiscard]] std::uint64_t resident_pages(std::string_view statm) noexcept;

}  // namespace hawser::broker
