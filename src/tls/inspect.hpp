// What a PEM file holds, whatever it is: for `hawser pki`, and for whoever takes bundles apart.
//
// Functions without state; thread-safe. Nothing is validated but the encoding.
//
//   Result<PemContents> contents = inspect_pem(text, "./tls/tls.crt");
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "tls/certificate.hpp"

namespace hawser::tls {

struct PemCertificate {
  CertificateInfo info;
  std::string pem;  // this one alone
};

struct KeyInfo {
  std::string type;         // as CertificateInfo::key_type
  std::string spki_sha256;  // the same as that of its certificate
};

struct PemContents {
  std::vector<PemCertificate> certificates;
  std::vector<CrlInfo> crls;
  std::vector<KeyInfo> keys;
};

// `what` names the text in messages. Errors: tls_not_pem (also when there is nothing at all), tls_key_encrypted.
[[nodiscard]] Result<PemContents> inspect_pem(const Secret& text, std::string_view what);

}  // namespace hawser::tls
