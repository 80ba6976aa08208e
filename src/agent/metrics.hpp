// What the agent counts beside what its sessions count. Thread-safe.
#pragma once

#include "base/metrics.hpp"
#include "session/metrics.hpp"

namespace hawser::agent {

struct Metrics {
  explicit Metrics(metrics::Registry& r);

  session::Metrics session;
  metrics::Gauge& clients;
  metrics::Counter& clients_total;
  metrics::Counter& clients_refused;   // over max_clients
  metrics::Counter& protocol_errors;   // clients that broke the protocol
  metrics::Counter& slow_clients;      // disconnected, since they did not read
  metrics::Counter& publishes_rejected;
  metrics::Counter& reload_ok;
  metrics::Counter& reload_rejected;
  metrics::Counter& reload_unchanged;
  metrics::Gauge& certificate_not_after;
  metrics::Gauge& break_glass_active;
  metrics::Gauge& breaker;  // circuit_breaker_state
};

}  // namespace hawser::agent
