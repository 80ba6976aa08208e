// Certificates that a well-behaved CA would not make: weak, of version 1, without key identifiers, signed by no CA.
#pragma once

#include <string>

#include "pki.hpp"
#include "tls/openssl.hpp"
#include "tls/pem.hpp"

namespace hawser::tls::test {

struct Crafted {
  Owned<X509> certificate;
  Owned<EVP_PKEY> key;

  [[nodiscard]] Issued issued() const {
    return {to_pem(certificate.get()), key_to_pem(key.get()), describe(certificate.get())};
  }
};

struct Craft {
  std::string name;
  const Crafted* issuer = nullptr;                     // null: itself
  const char* basic_constraints = "critical,CA:TRUE";  // null: version 1
  unsigned rsa_bits = 0;                               // 0: EC P-256
  const EVP_MD* digest = EVP_sha256();
  const char* dns_name = nullptr;
};

inline Crafted craft(const Craft& wanted) {
  std::string curve = "P-256";
  Crafted made{
      Owned<X509>(X509_new()),
      Owned<EVP_PKEY>(wanted.rsa_bits > 0 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{wanted.rsa_bits})
                                          : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve.data()))};
  X509* certificate = made.certificate.get();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400 * 60);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wanted.name.c_str()), -1, -1, 0);
  const Crafted& issuer = wanted.issuer == nullptr ? made : *wanted.issuer;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate.get()));
  const auto extend = [certificate](int id, const char* value) {
    const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, nullptr, id, value));
    X509_add_ext(certificate, extension.get(), -1);
  };
  if (wanted.basic_constraints != nullptr) {
    X509_set_version(certificate, X509_VERSION_3);
    extend(NID_basic_constraints, wanted.basic_constraints);
  }
  if (wanted.dns_name != nullptr) {
    extend(NID_subject_alt_name, wanted.dns_name);
  }
  X509_sign(certificate, issuer.key.get(), wanted.digest);
  return made;
}

}  // namespace hawser::tls::test
