#include "posture/runtime.hpp"

namespace hawser::posture {
namespace {

LinkDecision over_tls() { return {.use_tls = true, .roots = tls::Roots::material, .warning = std::nullopt}; }

LinkDecision upgraded(const ServerUrl& server) {
  return {.use_tls = true,
          .roots = tls::Roots::material_and_system,
          .warning = make_finding(
              Errc::tls_upgraded, Severity::warning,
              server.printable() + " requires TLS, which its URL does not say; the link was upgraded", {})};
}

Result<LinkDecision> over_plaintext(const Decision& decision, const ServerUrl& server, WallTime now) {
  if (const auto allowed = still_allowed(decision, false, now); !allowed) {
    return fail(allowed.error().code, "connecting to " + server.printable() + ": " + allowed.error().doing);
  }
  return LinkDecision{};
}

}  // namespace

Result<LinkDecision> decide_on_info(const Decision& decision, const ServerUrl& server, OfferedTls offered,
                                    History history, WallTime now) {
  const bool offers = offered.available || offered.required;
  if (server.scheme == Scheme::wss) {
    return over_tls();  // TLS lies below the websocket, and is up by now
  }
  if (server.secure()) {
    if (!offers) {
      return fail(Errc::tls_not_offered, "connecting to " + server.printable());
    }
    return over_tls();
  }
  if (offered.required) {
    return upgraded(server);
  }
  if (history == History::once_on_tls) {
    if (offers) {
      return upgraded(server);
    }
    return fail(Errc::tls_downgrade_refused, "connecting to " + server.printable());
  }
  return over_plaintext(decision, server, now);
}

bool must_handshake_first(const Decision& decision, const ServerUrl& server) {
  return server.scheme == Scheme::wss || (server.scheme == Scheme::tls && decision.tls.handshake_first);
}

Result<void> still_allowed(const Decision& decision, bool link_is_tls, WallTime now) {
  if (link_is_tls || decision.environment == Environment::development) {
    return {};
  }
  if (!decision.break_glass.active) {
    return fail(Errc::plaintext_in_production, "no override is set");
  }
  if (decision.break_glass.until && *decision.break_glass.until <= now) {
    return fail(Errc::break_glass_expired, "it ended at " + to_rfc3339(*decision.break_glass.until));
  }
  return {};
}

std::optional<WallTime> next_deadline(const Decision& decision) {
  return decision.break_glass.active ? decision.break_glass.until : std::nullopt;
}

}  // namespace hawser::posture
