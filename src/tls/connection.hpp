// What this room remembers with each SSL object: for the verifier, the ticket callback and handshake_error.
//
// Owned by the SSL (freed with it); touched only by the thread that drives the SSL.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "tls/context.hpp"
#include "tls/material.hpp"
#include "tls/server_sessions.hpp"
#include "tls/session_cache.hpp"

namespace hawser::tls {

struct Connection {
  MaterialPtr material;  // the verifier reads it: alive as long as the SSL
  PinsPtr pins;          // likewise; null: any verified certificate will do
  std::shared_ptr<SessionCache> sessions;
  std::shared_ptr<ServerSessions> server_sessions;  // null: a client's side, or nobody resumes here
  Seconds verified_until = Seconds::max();          // what was verified of a client holds so long
  std::string session_key;                          // empty: sessions are not kept
  std::string expected_name;                        // of the server; empty on the server's side
  std::optional<Error> rejected;                    // why the verifier refused the peer
  bool certificate_wanted_in_vain = false;          // the peer asked for a certificate that we do not have
};

// Whether the leaf's key is among the pins, when there are any. Errors: broker_pin_mismatch.
[[nodiscard]] Result<void> check_pins(const PinsPtr& pins, const X509* leaf);

// Null for an SSL that was not made by a Context.
[[nodiscard]] Connection* connection_of(const SSL* ssl);
void attach(SSL* ssl, std::unique_ptr<Connection> connection);

}  // namespace hawser::tls
