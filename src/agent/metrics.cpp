#include "agent/metrics.hpp"

namespace hawser::agent {
namespace {
metrics::Counter& reloads(metrics::Registry& r, const char* result) {
  return r.counter("hawser_tls_reload_total", "Reloads of TLS material and credentials, by result", {{"result", result}});
}
metrics::Counter& refused(metrics::Registry& r, const char* reason) {
  return r.counter("hawser_publishes_refused_total", "Publishes that were not taken, by reason", {{"reason", reason}});
}
}  // namespace

Metrics::Metrics(metrics::Registry& r)
    : session(r),
      clients(r.gauge("hawser_clients", "Local clients that are connected")),
      clients_total(r.counter("hawser_clients_total", "Local clients that have connected")),
      clients_refused(r.counter("hawser_clients_refused_total", "Local clients refused, over max_clients")),
      protocol_errors(r.counter("hawser_client_protocol_errors_total", "Local clients that broke the protocol")),
      slow_clients(r.counter("hawser_slow_clients_total", "Local clients disconnected, since they did not read")),
      publishes_rejected(refused(r, "full")),
      reload_ok(reloads(r, "ok")),
      reload_rejected(reloads(r, "rejected")),
      reload_unchanged(reloads(r, "unchanged")),
      certificate_not_after(r.gauge("hawser_certificate_not_after_seconds",
                                    "When the client certificate in use ends, in seconds since 1970; 0: none")),
      credential_not_after(r.gauge("hawser_credential_not_after_seconds",
                                   "When the creds in use end, in seconds since 1970; 0: none, or they have no end")),
      break_glass_active(r.gauge("hawser_break_glass_active", "1 while the plaintext override is in use")),
      breaker(r.gauge("circuit_breaker_state", "0 closed, 1 open, 2 half-open", {{"breaker", "nats"}})),
      queue_messages(r.gauge("hawser_queue_messages", "Messages in the disk queue")),
      queue_bytes(r.gauge("hawser_queue_bytes", "Bytes in the disk queue")),
      queue_oldest(r.gauge("hawser_queue_oldest_seconds", "Age of the oldest message in the disk queue; 0: it is empty")),
      dead_letters(r.gauge("hawser_dead_letters", "Messages that the server refused, kept in the disk queue's dead letters")),
      queue_drained(r.counter("hawser_queue_drained_total", "Messages that left the disk queue for the server")),
      queue_shed(r.counter("hawser_queue_shed_total", "Messages dropped from the full disk queue (when_full: shed_oldest)")),
      refused_in_outage(refused(r, "outage")),
      dropped_in_outage(refused(r, "dropped")),
      requests_refused(refused(r, "request")),
      requests_answered_locally(r.counter("hawser_local_requests_total", "Requests given to local clients while no server was there")),
      local_deliveries(r.counter("hawser_local_deliveries_total", "Messages delivered to local clients while no server was there")),
      registry_(r) {}

void Metrics::messages_buried(Errc why) {
  registry_.counter("hawser_messages_buried_total", "Queued messages that went to the dead letters, by reason",
                    {{"reason", std::string(info(why).name)}}).add();
}

}  // namespace hawser::agent
