#include "agent/status.hpp"

#include "agent/lifetime.hpp"

namespace hawser::agent {
namespace {

using Section = admin::Status::Section;
using admin::Tone;

std::chrono::sys_seconds wall_seconds() { return std::chrono::floor<std::chrono::seconds>(wall_now()); }

admin::Tone tone_of(Stage stage) {
  switch (stage) {
    case Stage::fine: return Tone::good;
    case Stage::soon: return Tone::warning;
    case Stage::urgent:
    case Stage::ended: return Tone::bad;
  }
  return Tone::bad;
}

// "2027-01-02 03:04:05Z, 35 days left"
std::string until_text(std::chrono::sys_seconds end) {
  const auto left = end - wall_seconds();
  const auto text = [](auto count, std::string_view unit) {
    return std::to_string(count) + ' ' + std::string(unit) + (count == 1 ? "" : "s");
  };
  std::string how_long = "ended";
  if (left >= std::chrono::days(2)) {
    how_long = text(std::chrono::floor<std::chrono::days>(left).count(), "day") + " left";
  } else if (left > std::chrono::seconds(0)) {
    how_long = text(std::chrono::floor<std::chrono::hours>(left).count(), "hour") + " left";
  }
  return tls::format_time(end) + ", " + how_long;
}

admin::Status::Item ends(std::string name, const Lifetime& lifetime) {
  return {std::move(name), until_text(lifetime.end), tone_of(stage(lifetime, wall_seconds()))};
}

Section connection(const Snapshot& s) {
  const posture::Decision& decision = *s.access->decision;
  Section section{"Connection", {}};
  section.items.push_back({"server", s.upstream, s.upstream_up ? Tone::good : Tone::bad});
  section.items.push_back({"transport", std::string(to_string(decision.transport)),
                           decision.transport == posture::Transport::tls ? Tone::good : Tone::warning});
  const bool by_certificate = decision.auth_mode == posture::AuthMode::cert;
  section.items.push_back(
      {"authentication", by_certificate ? "client certificate" : s.access->credential->printable(), Tone::neutral});
  if (const auto lifetime = s.access->credential->lifetime()) {
    section.items.push_back(ends("valid until", {lifetime->begin.value_or(lifetime->end), lifetime->end}));
  }
  if (decision.break_glass.active) {
    section.items.push_back({"plaintext override",
                             "owner " + decision.break_glass.owner +
                                 (decision.break_glass.until ? ", until " + to_rfc3339(*decision.break_glass.until) : ""),
                             Tone::bad});
  }
  section.items.push_back({"listens on", s.listen, Tone::neutral});
  section.items.push_back({"started", to_rfc3339(s.started), Tone::neutral});
  return section;
}

Section certificate(const Snapshot& s) {
  Section section{"Certificate", {}};
  if (!s.material->has_certificate()) {
    section.items.push_back({"client certificate", "none", Tone::neutral});
  }
  for (const tls::CertificateInfo& link : s.material->chain()) {
    const bool leaf = &link == &s.material->chain().front();
    section.items.push_back({leaf ? "subject" : "issued by", link.subject, Tone::neutral});
    if (leaf) {
      section.items.push_back({"SHA-256", link.sha256, Tone::neutral});
    }
    section.items.push_back(ends("valid until", {link.not_before, link.not_after}));
  }
  for (const tls::CertificateInfo& authority : s.material->trust()) {
    section.items.push_back({"trusted CA", authority.subject, Tone::neutral});
    section.items.push_back(ends("valid until", {authority.not_before, authority.not_after}));
  }
  for (const tls::Finding& finding : s.material->findings(wall_seconds())) {
    section.items.push_back(
        {finding.severity == tls::Severity::warning ? "warning" : "note", finding.message,
         finding.severity == tls::Severity::warning ? Tone::warning : Tone::neutral});
  }
  if (!s.last_rejection.empty()) {
    section.items.push_back({"last reload", "rejected: " + s.last_rejection, Tone::bad});
  }
  return section;
}

Section posture_of(const Snapshot& s) {
  Section section{"Posture", {}};
  for (const posture::Finding& finding : s.access->decision->findings) {
    section.items.push_back({std::string(error_id(finding.code)), finding.message,
                             finding.severity == posture::Severity::note ? Tone::neutral : Tone::warning});
  }
  if (section.items.empty()) {
    section.items.push_back({"findings", "none", Tone::good});
  }
  return section;
}

Section splices(const Metrics& m) {
  const session::Metrics::Splices& counted = m.session.splices();
  Section section{"Splices", {}};
  const auto item = [&](std::string name, std::uint64_t value, Tone tone) {
    section.items.push_back({std::move(name), std::to_string(value), value > 0 ? tone : Tone::neutral});
  };
  item("as planned", counted.as_planned, Tone::good);
  item("ended early, or not begun", counted.ended_early, Tone::warning);
  item("messages held on the way", counted.held, Tone::neutral);
  item("losses possible", counted.losses_possible, Tone::bad);
  item("repeats possible", counted.duplicates_possible, Tone::warning);
  if (const std::int64_t last = counted.last; last > 0) {
    section.items.push_back({"last", tls::format_time(std::chrono::sys_seconds(std::chrono::seconds(last))), Tone::neutral});
  }
  return section;
}

Section safety(const Snapshot& s) {
  Section section{"Circuit breaker and disk queue", {}};
  section.items.push_back({"breaker", s.breaker, s.upstream_up ? Tone::good : Tone::bad});
  if (!s.queue) {
    section.items.push_back({"queue", "off: publishes wait in memory while no server is there", Tone::neutral});
    return section;
  }
  const auto item = [&](std::string name, std::uint64_t value, Tone tone) {
    section.items.push_back({std::move(name), std::to_string(value), value > 0 ? tone : Tone::neutral});
  };
  item("messages queued", s.queue->messages, Tone::warning);
  item("bytes queued", s.queue->bytes, Tone::neutral);
  if (s.queue->messages > 0 && s.queue->oldest_ms > 0) {
    section.items.push_back({"oldest since", to_rfc3339(WallTime(std::chrono::milliseconds(s.queue->oldest_ms))), Tone::neutral});
  }
  item("dead letters", s.queue->dead_letters, Tone::bad);
  item("drained since the start", s.queue->drained_messages, Tone::neutral);
  item("shed since the start", s.queue->shed_messages, Tone::bad);
  return section;
}

Section traffic(const Snapshot& s, const Metrics& m) {
  Section section{"Traffic", {}};
  const auto item = [&](std::string name, auto value) {
    section.items.push_back({std::move(name), std::to_string(value), Tone::neutral});
  };
  item("clients", s.clients_total);
  item("messages to the server", m.session.messages_out.value());
  item("messages from the server", m.session.messages_in.value());
  item("reloads taken up", m.reload_ok.value());
  item("reloads rejected", m.reload_rejected.value());
  item("disconnects", m.session.disconnects.value());
  item("reconnects", m.session.reconnects.value());
  return section;
}

}  // namespace

admin::Status make_status(const Snapshot& s, const Metrics& metrics) {
  admin::Status status;
  status.title = "hawser agent " + s.version;
  status.headline = s.upstream_up ? s.upstream : "no server: " + s.upstream;
  // Connected is not all that is well: what would be overlooked below stands in the first line too.
  const bool plaintext = s.access->decision->break_glass.active;
  status.headline += plaintext ? "; the plaintext override is in use" : "";
  status.headline += s.last_rejection.empty() ? "" : "; the last reload was rejected";
  status.tone = !s.upstream_up ? Tone::bad : plaintext || !s.last_rejection.empty() ? Tone::warning : Tone::good;
  status.sections = {connection(s), certificate(s), posture_of(s), safety(s), splices(metrics), traffic(s, metrics)};
  admin::Status::Table table{"Clients", {"id", "name", "server", "subscriptions", "unconfirmed bytes"}, {}, s.clients_total};
  for (const Worker::ClientView& client : s.clients) {
    table.rows.push_back({std::to_string(client.id), client.name, client.up ? client.server : "connecting",
                          std::to_string(client.subscriptions), std::to_string(client.unconfirmed_bytes)});
  }
  status.tables.push_back(std::move(table));
  return status;
}

}  // namespace hawser::agent
