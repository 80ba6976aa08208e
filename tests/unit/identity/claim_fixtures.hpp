// Claims for the tests of this room: an operator (key 1), its account (key 1), another (key 4), and a user (key 1).
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "identity/claims.hpp"
#include "identity/fixtures.hpp"
#include "identity/token.hpp"

namespace hawser::identity::fixtures {

inline constexpr std::chrono::sys_seconds kNow{std::chrono::seconds(1800000000)};
inline constexpr std::chrono::sys_seconds kEarlier{std::chrono::seconds(1700000000)};
inline constexpr std::chrono::sys_seconds kLater{std::chrono::seconds(1900000000)};

inline KeyPair operator_key(std::uint8_t byte = 1) { return key(KeyKind::operator_key, byte); }
inline KeyPair account_key(std::uint8_t byte = 1) { return key(KeyKind::account, byte); }
inline KeyPair user_key(std::uint8_t byte = 1) { return key(KeyKind::user, byte); }
inline std::string text(const KeyPair& pair) { return pair.public_key().text(); }

inline OperatorClaims an_operator() {
  OperatorClaims claims;
  claims.subject = text(operator_key());
  claims.issuer = claims.subject;
  claims.name = "ops";
  return claims;
}

inline AccountClaims an_account(std::uint8_t byte = 1) {
  AccountClaims claims;
  claims.subject = text(account_key(byte));
  claims.issuer = text(operator_key());
  claims.name = "prod";
  return claims;
}

inline UserClaims a_user() {
  UserClaims claims;
  claims.subject = text(user_key());
  claims.issuer = text(account_key());
  claims.issued_at = kEarlier;
  claims.name = "kate";
  return claims;
}

// An account with key 2 as a signing key, 3 as one with this scope.
inline AccountClaims an_account_with_scope(UserLimits scope) {
  AccountClaims claims = an_account();
  claims.signing_keys = {
      SigningKey{.key = text(account_key(2))},
      SigningKey{.key = text(account_key(3)), .scoped = true, .role = "worker", .limits = std::move(scope)}};
  return claims;
}

inline UserClaims a_scoped_user() {
  UserClaims claims = a_user();
  static_cast<UserLimits&>(claims) = UserLimits::absent();
  claims.issuer = text(account_key(3));
  claims.issuer_account = text(account_key());
  return claims;
}

// Account 1 may import `subject` from account 4.
inline ActivationClaims an_activation(std::string subject = "shared.>") {
  ActivationClaims claims;
  claims.subject = text(account_key());
  claims.issuer = text(account_key(4));
  claims.import_subject = std::move(subject);
  claims.kind = ShareKind::service;
  return claims;
}

inline ImportClaim an_import(std::string subject = "shared.x") {
  return {.subject = std::move(subject), .account = text(account_key(4)), .kind = ShareKind::service};
}

inline ExportClaim an_export(std::string subject, ShareKind kind = ShareKind::service) {
  return {.subject = std::move(subject), .kind = kind};
}

}  // namespace hawser::identity::fixtures
