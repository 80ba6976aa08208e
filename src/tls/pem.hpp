// PEM text into certificates, CRLs and keys. Pure: bytes in, objects out; the fuzz target enters here.
//
// Text around the blocks is allowed (`openssl x509 -text` writes it); a damaged block is an error, never skipped.
//
//   Result<std::vector<Owned<X509>>> chain = parse_certificates(text, "./tls/tls.crt");
#pragma once

#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "tls/openssl.hpp"

namespace hawser::tls {

// Zero or more. `what` names the text in messages ("./tls/ca.crt"). Errors: tls_not_pem.
[[nodiscard]] Result<std::vector<Owned<X509>>> parse_certificates(std::string_view text, std::string_view what);
[[nodiscard]] Result<std::vector<Owned<X509_CRL>>> parse_crls(std::string_view text, std::string_view what);
// The first private key. Errors: tls_not_pem, tls_key_encrypted, tls_key_missing.
[[nodiscard]] Result<Owned<EVP_PKEY>> parse_key(const Secret& text, std::string_view what);

[[nodiscard]] std::string to_pem(const X509* certificate);
[[nodiscard]] std::string to_pem(const X509_CRL* crl);
[[nodiscard]] Secret key_to_pem(const EVP_PKEY* key);  // PKCS#8, not encrypted

}  // namespace hawser::tls
