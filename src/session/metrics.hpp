// What sessions count. One for all sessions of a program; thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/error.hpp"
#include "base/metrics.hpp"
#include "session/splice.hpp"

namespace hawser::session {

class Metrics {
 public:
  explicit Metrics(metrics::Registry& registry);

  metrics::Counter& messages_in;   // from servers to users
  metrics::Counter& messages_out;  // from users to servers
  metrics::Counter& bytes_in;
  metrics::Counter& bytes_out;
  metrics::Counter& connects;
  metrics::Counter& reconnects;
  metrics::Counter& disconnects;
  metrics::Counter& published_again;  // bytes of publishes that were sent again after an abrupt end
  metrics::Gauge& sessions_up;
  metrics::Histogram& splice_seconds;

  // By the error's name: hawser_upstream_refused_total{reason="auth-refused"}.
  void refused(const Error& error);
  void spliced(std::string_view result, bool as_planned, const SpliceCounters& counters);

  // The same, added up for a status page.
  struct Splices {
    std::atomic<std::uint64_t> as_planned{0};
    std::atomic<std::uint64_t> ended_early{0};
    std::atomic<std::uint64_t> held{0};
    std::atomic<std::uint64_t> duplicates_possible{0};
    std::atomic<std::uint64_t> losses_possible{0};
    std::atomic<std::int64_t> last{0};  // seconds since 1970
  };
  [[nodiscard]] const Splices& splices() const noexcept { return splices_; }

 private:
  metrics::Registry& registry_;
  Splices splices_;
};

}  // namespace hawser::session
