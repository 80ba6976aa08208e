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
  metrics::Counter& publishes_rejected;  // the window or the disk queue was full
  metrics::Counter& reload_ok;
  metrics::Counter& reload_rejected;
  metrics::Counter& reload_unchanged;
  metrics::Gauge& certificate_not_after;
  metrics::Gauge& credential_not_after;
  metrics::Gauge& break_glass_active;
  metrics::Gauge& breaker;  // circuit_breaker_state

  metrics::Gauge& queue_messages;
  metrics::Gauge& queue_bytes;
  metrics::Gauge& queue_oldest;  // seconds
  metrics::Gauge& dead_letters;
  metrics::Counter& queue_drained;
  metrics::Counter& queue_shed;
  metrics::Counter& refused_in_outage;  // fallback.mode: fail
  metrics::Counter& dropped_in_outage;  // fallback.mode: drop
  metrics::Counter& requests_refused;   // answered 503
  metrics::Counter& requests_answered_locally;
  metrics::Counter& local_deliveries;

  void messages_buried(Errc why);

 private:
  metrics::Registry& registry_;
};

}  // namespace hawser::agent
