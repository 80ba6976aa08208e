// From OpenSSL's error queue, the verifier's verdict and the peer's alert to one of our errors (context.hpp).
#include <fmt/format.h>
#include <openssl/sslerr.h>
#include <string>

#include "tls/connection.hpp"
#include "tls/context.hpp"
#include "tls/openssl.hpp"

namespace hawser::tls {
namespace {

// An alert from the peer shows as the reason 1000 + its number (RFC 8446, 6).
constexpr int kAlertOffset = SSL_AD_REASON_OFFSET;

Errc code_of_alert(int alert, const SSL* ssl) {
  const Connection* connection = connection_of(ssl);
  const bool none_sent = connection != nullptr && connection->certificate_wanted_in_vain;
  switch (alert) {
    case TLS13_AD_CERTIFICATE_REQUIRED: return Errc::tls_refused_without_certificate;
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_DECRYPT_ERROR: return none_sent ? Errc::tls_refused_without_certificate : Errc::tls_refused_certificate;
    case SSL_AD_CERTIFICATE_REVOKED: return Errc::tls_refused_revoked;
    case SSL_AD_CERTIFICATE_EXPIRED: return Errc::tls_refused_expired;
    case SSL_AD_UNKNOWN_CA: return Errc::tls_refused_unknown_authority;
    case SSL_AD_PROTOCOL_VERSION: return Errc::tls_protocol_version;
    case SSL_AD_UNRECOGNIZED_NAME: return Errc::tls_refused_name;
    // With TLS 1.2 the same alert stands for "nothing in common" and for "no certificate, but I want one".
    case SSL_AD_HANDSHAKE_FAILURE:
      return none_sent ? Errc::tls_refused_without_certificate : Errc::tls_no_common_cipher;
    case SSL_AD_INSUFFICIENT_SECURITY: return Errc::tls_no_common_cipher;
    default: return Errc::tls_refused;
  }
}

Errc code_of_reason(int reason, bool handshake_done) {
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST: return handshake_done ? Errc::tls_protocol_error : Errc::tls_peer_not_tls;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_UNSUPPORTED_SSL_VERSION: return Errc::tls_protocol_version;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return Errc::tls_peer_without_certificate;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_CIPHERS_AVAILABLE:
    case SSL_R_WRONG_CIPHER_RETURNED:
    case SSL_R_DH_KEY_TOO_SMALL: return Errc::tls_no_common_cipher;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING: return handshake_done ? Errc::tls_protocol_error : Errc::tls_cut_short;
    default: return Errc::tls_protocol_error;
  }
}

// The first SSL error of the queue says what happened; the others say where it passed through.
unsigned long take_first_ssl_error() {
  unsigned long first = 0;
  for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error()) {
    if (first == 0 || (ERR_GET_LIB(first) != ERR_LIB_SSL && ERR_GET_LIB(code) == ERR_LIB_SSL)) {
      first = code;
    }
  }
  return first;
}

std::string with_peer(const SSL* ssl) {
  const Connection* connection = connection_of(ssl);
  return connection == nullptr || connection->expected_name.empty()
             ? std::string()
             : fmt::format(", connecting to {}", connection->expected_name);
}

std::string own_certificate(const SSL* ssl) {
  const X509* own = SSL_get_certificate(ssl);
  if (own == nullptr) {
    return "; no certificate was presented";
  }
  const CertificateInfo info = describe(own);
  return fmt::format("; ours is {} of issuer {}, serial {} (SHA-256 {})", info.subject, info.issuer, info.serial,
                     short_fingerprint(info.sha256));
}

}  // namespace

bool is_certificate_refusal(Errc code) {
  return code >= Errc::tls_refused_certificate && code <= Errc::tls_refused_without_certificate;
}

Error handshake_error(ssl_st* ssl) {
  const bool done = SSL_is_init_finished(ssl) == 1;
  const unsigned long code = take_first_ssl_error();
  Connection* connection = connection_of(ssl);
  if (connection != nullptr && connection->rejected) {
    return *connection->rejected;
  }
  if (code == 0) {
    return {done ? Errc::tls_protocol_error : Errc::tls_cut_short,
            fmt::format("the connection ended without a TLS close{}", with_peer(ssl))};
  }
  const char* text = ERR_reason_error_string(code);
  const std::string reason = text == nullptr ? fmt::format("OpenSSL error {:x}", code) : text;
  const int number = ERR_GET_REASON(code);
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) {
    return {Errc::tls_protocol_error, reason + with_peer(ssl)};
  }
  if (number >= kAlertOffset) {
    const Errc found = code_of_alert(number - kAlertOffset, ssl);
    return {found,
            fmt::format("{}{}{}", reason, with_peer(ssl), is_certificate_refusal(found) ? own_certificate(ssl) : "")};
  }
  return {code_of_reason(number, done), reason + with_peer(ssl)};
}

std::vector<CertificateInfo> peer_chain(ssl_st* ssl) {
  std::vector<CertificateInfo> chain;
  const Owned<X509> leaf(SSL_get1_peer_certificate(ssl));
  if (leaf == nullptr) {
    return chain;
  }
  chain.push_back(describe(leaf.get()));
  // A client's view of the chain begins with the leaf, a server's does not.
  const STACK_OF(X509)* rest = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; i < sk_X509_num(rest); ++i) {
    const X509* certificate = sk_X509_value(rest, i);
    if (X509_cmp(certificate, leaf.get()) != 0) {
      chain.push_back(describe(certificate));
    }
  }
  return chain;
}

std::string_view version_name(const ssl_st* ssl) {
  switch (SSL_version(ssl)) {
    case TLS1_3_VERSION: return "1.3";
    case TLS1_2_VERSION: return "1.2";
    default: return "unknown";
  }
}

std::string_view cipher_name(const ssl_st* ssl) {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  const char* name = cipher == nullptr ? nullptr : SSL_CIPHER_standard_name(cipher);
  return name == nullptr ? "" : name;
}

}  // namespace hawser::tls
