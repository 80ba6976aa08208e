// Whom a client's certificate names: for verify_and_map and log lines; and what it presented, for /connz.
//
// Plain values, made from a handshake that is over; free of OpenSSL. The SSL keeps the certificate, so make them when
// they are asked for, on the thread that the SSL belongs to.
//
//   const std::optional<PeerIdentity> peer = peer_identity(ssl);   if (peer) log(peer->subject);
#pragma once

#include <optional>
#include <vector>

#include "broker/facts.hpp"
#include "tls/peer_names.hpp"

namespace hawser::broker {

using PeerIdentity = tls::PeerNames;

// Nothing: the client showed no certificate, or the handshake is not over.
[[nodiscard]] inline std::optional<PeerIdentity> peer_identity(ssl_st* ssl) { return tls::peer_names(ssl); }
// Every certificate that was presented, the leaf first. After a resumed handshake the leaf alone.
[[nodiscard]] std::vector<PeerCertificateFacts> peer_certificates(ssl_st* ssl);

}  // namespace hawser::broker
