// What the tests of operator mode share: keys, and the JWTs that they sign.
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <utility>

#include "broker/authority.hpp"
#include "broker/user_admission.hpp"
#include "identity/nkey.hpp"
#include "identity/token.hpp"

namespace hawser::broker::test {

using namespace std::chrono_literals;

inline constexpr std::chrono::sys_seconds kNow{1'800'000'000s};

// The same key for the same letter.
inline identity::KeyPair key_of(identity::KeyKind kind, char of) {
  const std::string seed(32, of);
  return std::move(
      *identity::KeyPair::from_raw(kind, {reinterpret_cast<const std::uint8_t*>(seed.data()), seed.size()}));
}
inline identity::KeyPair operator_key(char of = 'o') { return key_of(identity::KeyKind::operator_key, of); }
inline identity::KeyPair account_key(char of) { return key_of(identity::KeyKind::account, of); }
inline identity::KeyPair user_key(char of) { return key_of(identity::KeyKind::user, of); }

inline std::string signed_by(const identity::KeyPair& key, const identity::Claims& claims,
                             std::chrono::sys_seconds at = kNow) {
  auto token = identity::encode(claims, key, at);
  EXPECT_TRUE(token) << (token ? "" : token.error().message());
  return token.value_or("");
}

inline identity::AccountClaims account(char of, std::string name = "APP") {
  identity::AccountClaims claims;
  claims.subject = account_key(of).public_key().text();
  claims.name = std::move(name);
  return claims;
}
inline identity::UserClaims user(char of, std::string name = "kate") {
  identity::UserClaims claims;
  claims.subject = user_key(of).public_key().text();
  claims.name = std::move(name);
  return claims;
}
inline identity::ExportClaim stream_export(std::string subject) {
  identity::ExportClaim claim;
  claim.subject = std::move(subject);
  return claim;
}
inline identity::ImportClaim stream_import(char of, std::string subject) {
  identity::ImportClaim claim;
  claim.name = subject;
  claim.subject = std::move(subject);
  claim.account = account_key(of).public_key().text();
  claim.kind = identity::ShareKind::stream;
  return claim;
}

inline AccountJwtPtr jwt_of(const identity::AccountClaims& claims, const identity::KeyPair& by = operator_key(),
                            std::chrono::sys_seconds at = kNow) {
  auto read = read_account_jwt(signed_by(by, claims, at));
  EXPECT_TRUE(read) << (read ? "" : read.error().message());
  return read ? *read : nullptr;
}
template <class... Claims>
AccountJwts jwts_of(const Claims&... claims) {
  AccountJwts all;
  (all.emplace(claims.subject, jwt_of(claims)), ...);
  return all;
}

inline OperatorSettings trusting(const identity::KeyPair& key = operator_key()) {
  OperatorSettings mode;
  mode.trusted_keys.insert(key.public_key().text());
  return mode;
}
template <class... Claims>
AuthorityPtr authority_of(const Claims&... claims) {
  return Authority::make(trusting(), jwts_of(claims...), kNow);
}

// A CONNECT with a JWT, signed by the user's key.
struct Connecting {
  Connecting(const std::string& token, const identity::KeyPair& key) {
    options.jwt = Secret(std::string_view(token));
    options.sig = Secret(std::string_view(*key.sign_nonce(nonce)));
  }
  [[nodiscard]] Presented presented(std::string_view address = "127.0.0.1", WallTime at = kNow) const {
    return {.connect = options, .nonce = nonce, .certificate = nullptr, .address = address, .at = at};
  }
  std::string nonce = "abcdefghijklmno";
  wire::ConnectOptions options;
};

}  // namespace hawser::broker::test
