// Ownership of OpenSSL's objects, for the files of this room.
//
//   const Owned<X509> certificate(X509_new());
#pragma once

#include <memory>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string>
#include <string_view>
#include <vector>

#include "tls/certificate.hpp"

namespace hawser::tls {

struct OpensslFree {
  void operator()(X509* p) const noexcept { X509_free(p); }
  void operator()(X509_CRL* p) const noexcept { X509_CRL_free(p); }
  void operator()(X509_STORE* p) const noexcept { X509_STORE_free(p); }
  void operator()(X509_STORE_CTX* p) const noexcept { X509_STORE_CTX_free(p); }
  void operator()(X509_EXTENSION* p) const noexcept { X509_EXTENSION_free(p); }
  void operator()(X509_NAME* p) const noexcept { X509_NAME_free(p); }
  void operator()(X509_REVOKED* p) const noexcept { X509_REVOKED_free(p); }
  void operator()(EVP_PKEY* p) const noexcept { EVP_PKEY_free(p); }
  void operator()(PKCS8_PRIV_KEY_INFO* p) const noexcept { PKCS8_PRIV_KEY_INFO_free(p); }
  void operator()(BIO* p) const noexcept { BIO_free_all(p); }
  void operator()(BIGNUM* p) const noexcept { BN_free(p); }
  void operator()(ASN1_STRING* p) const noexcept { ASN1_STRING_free(p); }  // ASN1_INTEGER, ASN1_TIME …
  void operator()(SSL_SESSION* p) const noexcept { SSL_SESSION_free(p); }
  void operator()(GENERAL_NAMES* p) const noexcept { GENERAL_NAMES_free(p); }
  // The stack alone; its elements are borrowed.
  void operator()(STACK_OF(X509) * p) const noexcept { sk_X509_free(p); }
};

template <class T>
using Owned = std::unique_ptr<T, OpensslFree>;

// A second reference to the same object.
[[nodiscard]] inline Owned<X509> share(X509* certificate) {
  X509_up_ref(certificate);
  return Owned<X509>(certificate);
}

[[nodiscard]] inline Owned<BIO> read_only_bio(std::string_view text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// What OpenSSL has to say about the failure just seen; empties this thread's queue. The last error is the most specific
// for parsing, and OpenSSL's texts never hold key material.
[[nodiscard]] std::string take_openssl_reason();

// Lowercase hex.
[[nodiscard]] std::string hex(const unsigned char* bytes, std::size_t size);
[[nodiscard]] std::string serial_hex(const ASN1_INTEGER* serial);
[[nodiscard]] std::string rfc2253(const X509_NAME* name);
[[nodiscard]] Seconds to_seconds(const ASN1_TIME* time);
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

[[nodiscard]] CrlInfo describe_crl(X509_CRL* crl);
[[nodiscard]] std::string describe_key(const EVP_PKEY* key);  // "EC P-256", "RSA 2048", "ED25519"
[[nodiscard]] std::string spki_sha256(const EVP_PKEY* key);
[[nodiscard]] std::string spki_sha256(const X509* certificate);

struct AlternativeNames {
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  std::vector<std::string> emails;
  std::vector<std::string> uris;
};
[[nodiscard]] AlternativeNames alternative_names(const X509* certificate);

}  // namespace hawser::tls
