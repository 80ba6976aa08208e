#include "broker/peer_identity.hpp"

#include <utility>

#include "tls/context.hpp"

namespace hawser::broker {

std::vector<PeerCertificateFacts> peer_certificates(ssl_st* ssl) {
  std::vector<PeerCertificateFacts> facts;
  for (tls::CertificateInfo& one : tls::peer_chain(ssl)) {
    facts.push_back({.subject = std::move(one.subject),
                     .spki_sha256 = std::move(one.spki_sha256),
                     .cert_sha256 = std::move(one.sha256)});
  }
  return facts;
}

}  // namespace hawser::broker
