// Posture while running: the rules that need the server's INFO, or the passing of time. Pure.
//
//   auto link = decide_on_info(decision, server, {.offered = info.tls_available, .required = info.tls_required},
//   was_on_tls, now); if (!link) refuse(link.error());
#pragma once

#include <optional>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "posture/evaluate.hpp"

namespace hawser::posture {

// What a server's INFO says of TLS.
struct OfferedTls {
  bool available = false;  // tls_available
  bool required = false;   // tls_required
};

enum class History : std::uint8_t { never_on_tls, once_on_tls };  // of the session: any link of it

struct LinkDecision {
  bool use_tls = false;
  tls::Roots roots = tls::Roots::material;  // an upgraded nats:// link adds the system's roots to the configured CA
  std::optional<Finding> warning;           // to be logged, once a server
};

// How to go on after INFO. Errors: tls_not_offered, tls_downgrade_refused, break_glass_expired,
// plaintext_in_production. With handshake_first TLS comes before INFO and this is not asked (must_handshake_first).
[[nodiscard]] Result<LinkDecision> decide_on_info(const Decision& decision, const ServerUrl& server, OfferedTls offered,
                                                  History history, WallTime now);

// Whether TLS begins before the server's INFO.
[[nodiscard]] bool must_handshake_first(const Decision& decision, const ServerUrl& server);

// Asked of a live link at `next_deadline` and before each connection attempt. Error: break_glass_expired, which closes
// a plaintext link.
[[nodiscard]] Result<void> still_allowed(const Decision& decision, bool link_is_tls, WallTime now);

// When the override ends, if it is in use and has an end.
[[nodiscard]] std::optional<WallTime> next_deadline(const Decision& decision);

}  // namespace hawser::posture
