// Whom a client's certificate names: for verify_and_map, for /connz and for log lines.
//
// Plain values, made from a handshake that is over; free of OpenSSL. Making one costs some microseconds, so make it
// when it is asked for: the SSL keeps the certificate.
//
//   const std::optional<PeerIdentity> peer = peer_identity(ssl);   if (peer) log(peer->subject);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/distinguished_name.hpp"
#include "broker/facts.hpp"

struct ssl_st;

namespace hawser::broker {

// Of the leaf alone: nothing else of the chain names anybody.
struct PeerIdentity {
  std::string subject;     // RFC 2253, most specific part first
  DistinguishedName name;  // the same, taken apart, in the certificate's own order (most general part first)
  std::vector<std::string> emails;
  std::vector<std::string> dns_names;
  std::vector<std::string> uris;
};

// Nothing: the client showed no certificate, or the handshake is not over.
[[nodiscard]] std::optional<PeerIdentity> peer_identity(ssl_st* ssl);
// Every certificate that was presented, the leaf first. After a resumed handshake the leaf alone.
[[nodiscard]] std::vector<PeerCertificateFacts> peer_certificates(ssl_st* ssl);

}  // namespace hawser::broker
