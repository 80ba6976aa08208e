// What can be seen of a client's handshake, whether it succeeded or not: for who explains connections to people.
//
// A value; read it on the thread that drives the SSL, during or after the handshake.
//
//   const HandshakeFacts facts = handshake_facts(stream.ssl());
#pragma once

#include <string>
#include <vector>

#include "tls/certificate.hpp"

struct ssl_st;  // OpenSSL's SSL

namespace hawser::tls {

struct HandshakeFacts {
  std::string version;  // "1.3"; empty, as is the cipher, before the server chose
  std::string cipher;
  bool resumed = false;
  std::vector<CertificateInfo>
      peer_chain;                   // what the server presented, the leaf first; also when it was refused for it
  bool certificate_wanted = false;  // the server asked for ours; with TLS 1.3 it need not say of which CAs
  std::vector<std::string>
      accepted_issuers;  // CAs whose certificates it said it takes (RFC 2253), at most kMostIssuers

  static constexpr int kMostIssuers = 64;
};

[[nodiscard]] HandshakeFacts handshake_facts(ssl_st* ssl);

}  // namespace hawser::tls
