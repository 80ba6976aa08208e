#include "broker/authority.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "broker/claims_account.hpp"
#include "identity/chain.hpp"
#include "identity/token.hpp"

namespace hawser::broker {

using std::chrono::sys_seconds;

namespace {

constexpr std::size_t kMostShares = 1024;  // exports, imports and mappings, each: they are compared with each other

sys_seconds whole(WallTime at) { return std::chrono::floor<std::chrono::seconds>(at); }

}  // namespace

Result<AccountJwtPtr> read_account_jwt(std::string_view token) {
  auto claims = identity::decode_account(token);
  if (!claims) {
    return std::unexpected(std::move(claims.error()));
  }
  if (std::max({claims->exports.size(), claims->imports.size(), claims->mappings.size()}) > kMostShares) {
    return fail(Errc::limit_exceeded,
                fmt::format("{} has more than {} exports, imports or mappings", shown_account(*claims), kMostShares));
  }
  auto made = std::make_shared<AccountJwt>();
  made->token = token;
  made->claims = std::move(*claims);
  if (std::optional<Permissions> permissions = permissions_of(made->claims.default_permissions)) {
    made->default_permissions = std::make_shared<const Permissions>(std::move(*permissions));
  }
  return made;
}

AuthorityPtr Authority::make(const OperatorSettings& mode, AccountJwts jwts, WallTime at, const AuthorityPtr& before) {
  std::shared_ptr<Authority> made(new Authority);
  made->trusted_ = mode.trusted();
  made->strict_ = mode.strict();
  made->pinned_ = mode.pinned_accounts;
  made->jwts_ = std::move(jwts);
  made->judge_accounts(at);
  made->lay_out_accounts(at, before.get());
  return made;
}

void Authority::judge_accounts(WallTime at) {
  for (const auto& [key, jwt] : jwts_) {
    note_change(jwt->claims.not_before, at);
    note_change(jwt->claims.expires, at);
    if (auto admitted = admits(jwt->claims, at); !admitted) {
      problems_.push_back(
          {admitted.error().code, fmt::format("{}: {}", shown_account(jwt->claims), admitted.error().doing)});
      refused_.emplace(key, std::move(admitted.error()));
    }
  }
}

void Authority::lay_out_accounts(WallTime at, const Authority* before) {
  for (const auto& [key, jwt] : jwts_) {
    if (!refused_.contains(key)) {
      accounts_.push_back(account_of(
          jwt->claims, [&](const identity::ImportClaim& import) { return activated(*jwt, import, at, before); }));
    }
  }
}

bool Authority::activated(const AccountJwt& importer, const identity::ImportClaim& import, WallTime at,
                          const Authority* before) {
  const auto exporter = jwts_.find(import.account);
  if (import.token.empty() || exporter == jwts_.end()) {
    return false;
  }
  const ActivationKey key{&importer, exporter->second.get(), &import};
  Activation found;
  const auto known = before == nullptr ? activations_.end() : before->activations_.find(key);
  const bool verified = before != nullptr && known != before->activations_.end() && !known->second.refused &&
                        (!known->second.expires || *known->second.expires > whole(at));
  if (verified) {
    found = known->second;
  } else if (auto admitted =
                 identity::admit_activation(import, importer.claims.subject, exporter->second->claims, whole(at))) {
    found.expires = admitted->expires;
  } else {
    found.refused = std::move(admitted.error());
    problems_.push_back({found.refused->code, fmt::format("{}: the activation of the import \"{}\" of account {}: {}",
                                                          shown_account(importer.claims), import.subject,
                                                          import.account, found.refused->doing)});
  }
  note_change(found.expires, at);
  const bool good = !found.refused;
  activations_.emplace(key, std::move(found));
  return good;
}

void Authority::note_change(std::optional<sys_seconds> when, WallTime at) {
  if (when && *when > at && (!changes_at_ || *when < *changes_at_)) {
    changes_at_ = *when;
  }
}

Result<void> Authority::admits(const identity::AccountClaims& claims, WallTime at) const {
  return identity::admit_account(claims, trusted_, whole(at));
}

Result<AccountJwtPtr> Authority::account(std::string_view key, WallTime at) const {
  if (!pinned_.empty() && !pinned_.contains(key)) {
    return fail(Errc::jwt_not_trusted, fmt::format("account {} is not among resolver_pinned_accounts", key));
  }
  const auto found = jwts_.find(key);
  if (found == jwts_.end()) {
    return fail(Errc::jwt_not_trusted, fmt::format("account {} is not known", key));
  }
  if (const auto refused = refused_.find(key); refused != refused_.end()) {
    return std::unexpected(refused->second);
  }
  if (const auto& expires = found->second->claims.expires; expires && *expires <= at) {
    return fail(Errc::jwt_expired, fmt::format("the account's JWT ended at {}", to_rfc3339(*expires)));
  }
  return found->second;
}

bool Authority::wants_signing_keys(const identity::AccountClaims& claims) const {
  return strict_.contains(claims.issuer);
}

}  // namespace hawser::broker
