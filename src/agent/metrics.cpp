#include "agent/metrics.hpp"

namespace hawser::agent {
namespace {
metrics::Counter& reloads(metrics::Registry& r, const char* result) {
  return r.counter("hawser_tls_reload_total", "Reloads of TLS material and credentials, by result", {{"result", result}});
}
}  // namespace

Metrics::Metrics(metrics::Registry& r)
    : session(r),
      clients(r.gauge("hawser_clients", "Local clients that are connected")),
      clients_total(r.counter("hawser_clients_total", "Local clients that have connected")),
      clients_refused(r.counter("hawser_clients_refused_total", "Local clients refused, over max_clients")),
      protocol_errors(r.counter("hawser_client_protocol_errors_total", "Local clients that broke the protocol")),
      slow_clients(r.counter("hawser_slow_clients_total", "Local clients disconnected, since they did not read")),
      publishes_rejected(r.counter("hawser_publishes_rejected_total",
                                   "Publishes refused with an error, since the window was full and no server there")),
      reload_ok(reloads(r, "ok")),
      reload_rejected(reloads(r, "rejected")),
      reload_unchanged(reloads(r, "unchanged")),
      certificate_not_after(r.gauge("hawser_certificate_not_after_seconds",
                                    "When the client certificate in use ends, in seconds since 1970; 0: none")),
      break_glass_active(r.gauge("hawser_break_glass_active", "1 while the plaintext override is in use")),
      breaker(r.gauge("circuit_breaker_state", "0 closed, 1 open, 2 half-open", {{"breaker", "nats"}})) {}

}  // namespace hawser::agent
