// NATS JWTs as text: three parts of base64url, signed with an NKey. Versions 1 and 2 are read, 2 is written.
//
// decode() verifies the signature against the issuer that the token itself names, and that such a key may issue such
// claims; whether that issuer is trusted is chain.hpp's to say, and expiry is the caller's question. Stateless;
// thread-safe. No error quotes the token.
//
//   Result<Claims> claims = decode(token);   Result<std::string> token = encode(account_claims, operator_key, now);
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "identity/claims.hpp"
#include "identity/nkey.hpp"

namespace hawser::identity {

// Refused, too: two members of one name, a depth over 16, base64 that is not canonical, `alg` other than ed25519-nkey.
// Errors: jwt_malformed, jwt_unsupported, jwt_signature_invalid; limit_exceeded over 1 MiB.
[[nodiscard]] Result<Claims> decode(std::string_view token);

// The same, and jwt_wrong_type when it is of another type.
[[nodiscard]] Result<OperatorClaims> decode_operator(std::string_view token);
[[nodiscard]] Result<AccountClaims> decode_account(std::string_view token);
[[nodiscard]] Result<UserClaims> decode_user_jwt(std::string_view token);
[[nodiscard]] Result<ActivationClaims> decode_activation(std::string_view token);
[[nodiscard]] Result<GenericClaims> decode_generic(std::string_view token);

// Signs, as version 2; issuer, iat and jti are set. Errors: jwt_subject_wrong when such a key may not issue such
// claims, or the subject is of the wrong kind; jwt_malformed when they cannot be written (text that is not UTF-8);
// limit_exceeded; signing_failed.
[[nodiscard]] Result<std::string> encode(const Claims& claims, const KeyPair& signer, std::chrono::sys_seconds now);

// A file's text: the token alone, or between lines of dashes as nsc writes operator JWTs. Errors: jwt_malformed.
[[nodiscard]] Result<std::string> token_of_file(std::string_view text);

// The payload as JSON, for people and tools; two spaces of indent when `pretty`. Errors: those of decode().
[[nodiscard]] Result<std::string> payload_json(std::string_view token, bool pretty);

}  // namespace hawser::identity
