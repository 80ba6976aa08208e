// Verifying a chain under a material's CA set and CRLs: in a handshake, again for a live peer, and for files.
//
// The rules, the same everywhere: a chain must end in a CA of the bundle (an intermediate may be the end), or its leaf
// must be an end-entity certificate of the bundle, which trusts just itself. With CRLs, every issuer below the anchor
// needs a current one. Names are checked by RFC 6125 against DNS and IP subjectAltNames, never against the common name.
// Functions without state; thread-safe.
//
//   Result<void> ok = verify_pem(chain_text, *trust, {.usage = Usage::server, .name = "nats", .at = wall_now()});
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "tls/material.hpp"

struct x509_st;  // OpenSSL's X509
struct x509_store_st;
struct x509_store_ctx_st;
struct stack_st_X509;
struct X509_VERIFY_PARAM_st;

namespace hawser::tls {

struct Expectation {
  Usage usage = Usage::server;  // what the presenter of the chain is
  std::string name{};           // empty: any
  WallTime at{};
};

// Would a peer that presents this PEM (the leaf first) be accepted by somebody who holds `trust`?
// Errors: tls_not_pem, tls_certificate_missing, and as of handshake_error.
[[nodiscard]] Result<void> verify_pem(std::string_view chain_pem, const Material& trust, const Expectation& expected);

// OpenSSL's level 2: keys and signatures of at least 112 bits (RSA 2048; no SHA-1).
inline constexpr int kSecurityLevel = 2;
inline constexpr int kLongestChain = 8;

// For the other files of this room.
// Outside of a handshake: a leaf, and what came with it (may be null). `store` is that of `trust`, or one with the
// system's roots too. Errors: as of handshake_error.
[[nodiscard]] Result<void> verify_leaf(x509_st* leaf, stack_st_X509* others, x509_store_st* store,
                                       const Material::Parts& trust, const Expectation& expected);
// X509_verify_cert by the rules above, on a context whose store is that of `trust` (or one with the system's roots
// too).
[[nodiscard]] int verify_by_rules(x509_store_ctx_st* context, const Material::Parts& trust);
// What the context found, as one of our errors, naming subject, fingerprint and the name that was expected.
[[nodiscard]] Error verification_error(x509_store_ctx_st* context, std::string_view expected_name);
// Flags that decide which names match. Fails for a text that is neither a host name nor an address.
[[nodiscard]] Result<void> expect_name(X509_VERIFY_PARAM_st* parameters, const std::string& name);
[[nodiscard]] bool is_ip_address(const std::string& name);

}  // namespace hawser::tls
