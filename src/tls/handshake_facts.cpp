#include "tls/handshake_facts.hpp"

#include <algorithm>

#include "tls/connection.hpp"
#include "tls/context.hpp"
#include "tls/openssl.hpp"

namespace hawser::tls {
namespace {

constexpr int kLongestPresented = 16;

// OpenSSL keeps what was presented also where it did not verify; only the leaf is then not to be had by itself.
std::vector<CertificateInfo> presented_chain(SSL* ssl) {
  std::vector<CertificateInfo> chain = peer_chain(ssl);
  if (!chain.empty()) {
    return chain;
  }
  const STACK_OF(X509)* presented = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; i < std::min(sk_X509_num(presented), kLongestPresented); ++i) {
    chain.push_back(describe(sk_X509_value(presented, i)));
  }
  return chain;
}

}  // namespace

HandshakeFacts handshake_facts(ssl_st* ssl) {
  HandshakeFacts facts;
  facts.cipher = cipher_name(ssl);
  if (!facts.cipher.empty()) {
    facts.version = version_name(ssl);
  }
  facts.resumed = SSL_session_reused(ssl) == 1;
  facts.peer_chain = presented_chain(ssl);
  const STACK_OF(X509_NAME)* issuers = SSL_get0_peer_CA_list(ssl);
  const Connection* connection = connection_of(ssl);
  facts.certificate_wanted = issuers != nullptr || (connection != nullptr && connection->certificate_wanted_in_vain);
  for (int i = 0; i < std::min(sk_X509_NAME_num(issuers), HandshakeFacts::kMostIssuers); ++i) {
    facts.accepted_issuers.push_back(rfc2253(sk_X509_NAME_value(issuers, i)));
  }
  return facts;
}

}  // namespace hawser::tls
