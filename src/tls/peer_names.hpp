// Whom a peer's certificate names: what identity mapping looks at, and no more than that, since it is read at every
// accept.
//
// Values without OpenSSL in them. The SSL belongs to the calling thread.
//
//   if (const std::optional<PeerNames> names = peer_names(ssl)) log(names->subject);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tls/distinguished_name.hpp"

struct ssl_st;  // OpenSSL's SSL

namespace hawser::tls {

// Of the leaf alone: the rest of a chain names nobody.
struct PeerNames {
  std::string subject;  // RFC 2253
  DistinguishedName name;
  std::vector<std::string> emails;
  std::vector<std::string> dns_names;
  std::vector<std::string> uris;
};

// Nothing: the peer showed no certificate, or the handshake is not over.
[[nodiscard]] std::optional<PeerNames> peer_names(ssl_st* ssl);

}  // namespace hawser::tls
