// Reading NATS user JWTs: who the user is, who vouches for it, from when and until when.
//
// The signature is verified against the issuer that the token itself names; whether that issuer is trusted is for the
// server to say. Stateless; thread-safe.
//
//   Result<UserClaims> claims = decode_user_jwt(token);
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace hawser::identity {

// A user's claims. A copy without anything secret: none of these fields can be used to connect.
struct UserClaims {
  std::string subject{};  // the user's public key, U…
  std::string name{};
  std::string issuer{};          // the account's key or signing key, A…
  std::string issuer_account{};  // the account, if a signing key signed; else empty
  std::optional<std::chrono::sys_seconds> issued_at{};
  std::optional<std::chrono::sys_seconds> not_before{};
  std::optional<std::chrono::sys_seconds> expires{};
  bool bearer = false;  // no seed is needed: whoever has the token is the user
  int version = 2;
  std::vector<std::string> allowed_connection_types{};  // empty: any
};

// Errors: jwt_malformed, jwt_unsupported, jwt_wrong_type, jwt_signature_invalid; limit_exceeded over 1 MiB. Never
// quotes the token. Expiry is the caller's question.
[[nodiscard]] Result<UserClaims> decode_user_jwt(std::string_view token);

}  // namespace hawser::identity
