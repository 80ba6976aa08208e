// Signs claims with the key of a store that should: signing keys before the identity's own, which may lie elsewhere.
//
// What was signed by a key that still may sign is signed by it again, so that a scoped user keeps its scope. Const
// calls; as thread-safe as its KeyRing. Errors of all: id_key_missing, naming the keys that would do;
// id_store_unusable; those of encode().
//
//   Issuer issuer(ring, now);   Result<std::string> token = issuer.account(operator_claims, account_claims);
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "identity/claims.hpp"
#include "identity/store_keys.hpp"

namespace hawser::identity {

class Issuer {
 public:
  // `ring` outlives it.
  Issuer(const KeyRing& ring, std::chrono::sys_seconds now) : ring_(ring), now_(now) {}

  // By its own key.
  [[nodiscard]] Result<std::string> self_signed(const OperatorClaims& claims) const;
  // By a key of the operator that may sign.
  [[nodiscard]] Result<std::string> account(const OperatorClaims& by, const AccountClaims& claims) const;
  // By a key of the account. `role`: by its scoped signing key of that role, else id_not_found. issuer_account is set.
  // Its time is after that of a revocation, which would void what is made in the same second.
  [[nodiscard]] Result<std::string> user(const AccountClaims& by, UserClaims claims, std::string_view role = {}) const;
  // That `importer` may import this from the account that exports it.
  [[nodiscard]] Result<std::string> activation(const AccountClaims& by, const ImportClaim& import,
                                               std::string_view importer) const;

  [[nodiscard]] std::chrono::sys_seconds now() const { return now_; }

 private:
  [[nodiscard]] Result<KeyPair> first_held(const std::vector<std::string>& candidates, std::string_view whose) const;

  const KeyRing& ring_;
  std::chrono::sys_seconds now_;
};

// The keys that may sign for an account, in the order in which they are tried; no scoped ones.
[[nodiscard]] std::vector<std::string> unscoped_keys(const AccountClaims& account);
// The scoped signing key of a role, or null.
[[nodiscard]] const SigningKey* key_of_role(const AccountClaims& account, std::string_view role);

}  // namespace hawser::identity
