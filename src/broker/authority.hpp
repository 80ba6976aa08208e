// Who is trusted in operator mode, and every account that there is, judged at one moment.
//
// Immutable, shared between threads as a pointer to const; one configuration, one Authority. Pure. An account that
// cannot be used (another operator's, expired, invalid) is kept with its reason, and its users are refused; an import
// that cannot be had is left out, with a word in `problems()`.
//
//   AuthorityPtr authority = Authority::make(mode, std::move(jwts), now);
//   Result<AccountJwtPtr> account = authority->account(key, now);
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "broker/operator_settings.hpp"
#include "broker/settings.hpp"
#include "identity/claims.hpp"

namespace hawser::broker {

// One account's JWT; the same pointer for as long as the text is the same.
struct AccountJwt {
  std::string token;
  identity::AccountClaims claims;
  std::shared_ptr<const Permissions> default_permissions;  // null: everything
};
using AccountJwtPtr = std::shared_ptr<const AccountJwt>;
using AccountJwts = std::map<std::string, AccountJwtPtr, std::less<>>;  // by public key

// Errors: those of identity::decode_account; limit_exceeded for more than 1,024 exports, imports or mappings.
[[nodiscard]] Result<AccountJwtPtr> read_account_jwt(std::string_view token);

class Authority;
using AuthorityPtr = std::shared_ptr<const Authority>;

class Authority {
 public:
  // `before`, if any, spares verifying again what it has verified.
  [[nodiscard]] static AuthorityPtr make(const OperatorSettings& mode, AccountJwts jwts, WallTime at,
                                         const AuthorityPtr& before = nullptr);

  // Whether the account could be used now if it were among them. Errors: those of identity::admit_account.
  [[nodiscard]] Result<void> admits(const identity::AccountClaims& claims, WallTime at) const;
  // The account, if its users may come in now. Errors: jwt_not_trusted when it is not known or not pinned, and those of
  // admits().
  [[nodiscard]] Result<AccountJwtPtr> account(std::string_view key, WallTime at) const;
  // Whether users of the account have to be signed by a signing key of it.
  [[nodiscard]] bool wants_signing_keys(const identity::AccountClaims& claims) const;

  [[nodiscard]] const AccountJwts& jwts() const noexcept { return jwts_; }
  [[nodiscard]] bool usable(std::string_view key) const { return jwts_.contains(key) && !refused_.contains(key); }
  // Those that can be used, as settings have accounts.
  [[nodiscard]] const std::vector<Account>& accounts() const noexcept { return accounts_; }
  // What cannot be used, and why.
  [[nodiscard]] const std::vector<Error>& problems() const noexcept { return problems_; }
  // When an account or an activation next begins or ends, so that this has to be made again.
  [[nodiscard]] std::optional<WallTime> changes_at() const noexcept { return changes_at_; }
  [[nodiscard]] const identity::TrustedKeys& trusted() const noexcept { return trusted_; }

 private:
  // What an activation was found to be.
  struct Activation {
    std::optional<Error> refused;
    std::optional<std::chrono::sys_seconds> expires;
  };
  struct ActivationKey {
    const AccountJwt* importer;
    const AccountJwt* exporter;
    const identity::ImportClaim* import;
    auto operator<=>(const ActivationKey&) const = default;
  };
  Authority() = default;
  void judge_accounts(WallTime at);
  void lay_out_accounts(WallTime at, const Authority* before);
  bool activated(const AccountJwt& importer, const identity::ImportClaim& import, WallTime at, const Authority* before);
  void note_change(std::optional<std::chrono::sys_seconds> when, WallTime at);

  identity::TrustedKeys trusted_;
  identity::TrustedKeys strict_;
  std::set<std::string, std::less<>> pinned_;
  AccountJwts jwts_;
  std::map<std::string, Error, std::less<>> refused_;
  std::vector<Account> accounts_;
  std::vector<Error> problems_;
  std::map<ActivationKey, Activation> activations_;
  std::optional<WallTime> changes_at_;
};

}  // namespace hawser::broker
