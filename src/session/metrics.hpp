// What sessions count. One for all sessions of a program; thread-safe.
#pragma once

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
  void spliced(std::string_view result, const SpliceCounters& counters);

 private:
  metrics::Registry& registry_;
};

}  // namespace hawser::session
