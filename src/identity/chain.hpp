// Who vouches for whom: operators for accounts, accounts for users and activations; asked in nats-server's order.
//
// Pure; thread-safe. Errors name public keys and names, never a token.
//
//   Result<EffectiveUser> user = admit_user(user_claims, account_claims, now);
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "identity/claims.hpp"

namespace hawser::identity {

// O… keys whose signature on an account is trusted.
using TrustedKeys = std::set<std::string, std::less<>>;

// Which of an account's keys may sign for it: all, or, under an operator with strict_signing_keys, not its own.
enum class AccountKeys : std::uint8_t { all, signing_keys_only };

// Errors: jwt_not_trusted (no trusted operator signed it), jwt_expired, jwt_not_yet_valid, jwt_invalid (findings of
// severity error).
[[nodiscard]] Result<void> admit_account(const AccountClaims& account, const TrustedKeys& trusted,
                                         std::chrono::sys_seconds now);

// A user as its account lets it in: the limits are the scope's, with templates filled in, if a scoped key signed.
struct EffectiveUser {
  std::string key;  // U…
  std::string name;
  std::string account;  // A…
  UserLimits limits;    // without default_permissions
  std::optional<std::chrono::sys_seconds> issued_at;
  std::optional<std::chrono::sys_seconds> expires;  // the user's or the account's, whichever is first
};

// Errors: jwt_not_trusted (neither the account's key nor one of its signing keys issued it, or issuer_account is
// missing), jwt_scope_violated (a scoped user with limits of its own), jwt_template_empty (a template of what is denied
// refers to a tag that is not there; of what is allowed it allows nothing), limit_exceeded (templates that make over
// 4096 subjects), jwt_expired, jwt_not_yet_valid, jwt_invalid, jwt_bearer_disallowed, jwt_revoked.
[[nodiscard]] Result<EffectiveUser> admit_user(const UserClaims& user, const AccountClaims& account,
                                               std::chrono::sys_seconds now, AccountKeys keys = AccountKeys::all);

// Whether the activation lets `importer` import `import` from `exporter`. Errors: jwt_not_trusted, jwt_expired,
// jwt_not_yet_valid, jwt_revoked (by the export), jwt_invalid (another subject or kind, or nothing like it is
// exported), those of decode_activation.
[[nodiscard]] Result<ActivationClaims> admit_activation(const ImportClaim& import, std::string_view importer,
                                                        const AccountClaims& exporter, std::chrono::sys_seconds now,
                                                        AccountKeys keys = AccountKeys::all);

}  // namespace hawser::identity
