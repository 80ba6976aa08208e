#include "session/metrics.hpp"

#include "base/clock.hpp"

namespace hawser::session {

Metrics::Metrics(metrics::Registry& registry)
    : messages_in(registry.counter("hawser_messages_total", "Messages that passed, by direction",
                                   {{"direction", "from_server"}})),
      messages_out(registry.counter("hawser_messages_total", "Messages that passed, by direction",
                                    {{"direction", "to_server"}})),
      bytes_in(registry.counter("hawser_bytes_total", "Bytes of messages that passed, by direction",
                                {{"direction", "from_server"}})),
      bytes_out(registry.counter("hawser_bytes_total", "Bytes of messages that passed, by direction",
                                 {{"direction", "to_server"}})),
      connects(registry.counter("hawser_connects_total", "Links that a server has accepted")),
      reconnects(registry.counter("hawser_reconnects_total", "Links accepted after a connection was lost")),
      disconnects(registry.counter("hawser_disconnects_total", "Live links that were lost")),
      published_again(registry.counter("hawser_published_again_bytes_total",
                                       "Bytes of publishes sent again after an abrupt end: possible repeats")),
      sessions_up(registry.gauge("hawser_sessions_up", "Sessions with a live link")),
      splice_seconds(registry.histogram("hawser_splice_seconds", "How long splices took, from SUB on the new link to the end",
                                        metrics::duration_bounds())),
      registry_(registry) {}

void Metrics::refused(const Error& error) {
  registry_
      .counter("hawser_upstream_refused_total", "Connection attempts that failed, by reason",
               {{"reason", std::string(info(error.code).name)}})
      .add();
}

void Metrics::spliced(std::string_view result, bool as_planned, const SpliceCounters& counters) {
  ++(as_planned ? splices_.as_planned : splices_.ended_early);
  splices_.held += counters.held;
  splices_.duplicates_possible += counters.duplicates_possible;
  splices_.losses_possible += counters.losses_possible;
  splices_.last = std::chrono::floor<std::chrono::seconds>(wall_now()).time_since_epoch().count();
  registry_.counter("hawser_splices_total", "Splices, by how they ended", {{"result", std::string(result)}}).add();
  const auto count = [this](std::string_view what, std::uint64_t n) {
    registry_
        .counter("hawser_splice_messages_total", "Messages that splices treated specially, by what was done",
                 {{"what", std::string(what)}})
        .add(n);
  };
  count("held", counters.held);
  count("copy_dropped", counters.copies_dropped);
  count("duplicate_possible", counters.duplicates_possible);
  count("loss_possible", counters.losses_possible);
  count("unsettled", counters.unsettled);
}

}  // namespace hawser::session
