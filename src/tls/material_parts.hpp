// What a Material is made of: for the files of this room that hand it to OpenSSL.
#pragma once

#include <string>
#include <vector>

#include "tls/material.hpp"
#include "tls/openssl.hpp"

namespace hawser::tls {

// Built once by validation, then never changed. OpenSSL's own locks make the shared use of these objects safe.
struct Material::Parts {
  Source source;
  std::string id;
  std::string trust_id;
  std::string cert_digest;  // which half of a pair has changed
  std::string key_digest;   // of the file, or of a token's URI
  bool key_readable_by_others = false;

  std::vector<Owned<X509>> chain;
  Owned<EVP_PKEY> key;
  std::vector<Owned<X509>> trust;       // everything in the CA file
  std::vector<Owned<X509>> end_entity;  // those of `trust` that trust just themselves
  std::vector<Owned<X509_CRL>> crls;
  Owned<X509_STORE> store;  // the CAs and the CRLs; empty without a CA file

  std::vector<CertificateInfo> chain_info;
  std::vector<CertificateInfo> trust_info;
  std::vector<CrlInfo> crl_info;
};

// Of the content of a source, equal for equal content: Material::id().
[[nodiscard]] std::string content_id(const Source& source, const SourceBytes& bytes);

}  // namespace hawser::tls
