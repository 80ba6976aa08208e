// Who answers at an address where no NATS server said INFO in clear: found out by other ways of asking.
//
// Main thread; each look is a connection of its own, bounded by `patience`. Nothing secret is said on them.
//
//   Result<Answers> who = look_again(loop, address, *context, {.host = "nats"}, 1s);
#pragma once

#include <cstdint>

#include "cli/doctor_probe.hpp"
#include "net/address.hpp"
#include "tls/context.hpp"

namespace hawser::cli {

enum class Answers : std::uint8_t {
  nobody,            // the port is open, and nothing is said to anything
  nats,              // INFO in clear
  nats_within_tls,   // TLS first, then INFO: handshake_first
  tls_without_nats,  // TLS first, then silence or something else
  tls,               // TLS first; it cannot be seen what is within, as one side refused the other's certificate
  http,
  something,  // neither TLS nor HTTP
};

// The other ways of asking, in turn. Errors: interrupted.
[[nodiscard]] Result<Answers> look_again(ProbeLoop& loop, const net::Address& address, const tls::Context& context,
                                         const tls::Peer& peer, Duration patience);

}  // namespace hawser::cli
