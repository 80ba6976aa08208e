// Private keys that stay in a PKCS#11 token (an HSM, a TPM, SoftHSM), named by a `pkcs11:` URI (RFC 7512).
//
// Through OpenSSL's `pkcs11` engine, which is loaded once a process, at the first use, with one PKCS#11 module: the
// URI's module-path, or what p11-kit knows. Thread-safe; blocking.
//
//   Result<Owned<EVP_PKEY>> key = load_token_key("pkcs11:token=hawser;object=agent;pin-source=file:/run/pin");
#pragma once

#include <string>

#include "base/error.hpp"
#include "tls/openssl.hpp"

namespace hawser::tls {

// Errors: tls_token_failed, with the URI (never its PIN) and the engine's reason.
[[nodiscard]] Result<Owned<EVP_PKEY>> load_token_key(const std::string& uri);

}  // namespace hawser::tls
