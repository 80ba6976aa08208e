#include "identity/store_issue.hpp"

#include <algorithm>

#include "identity/token.hpp"

namespace hawser::identity {
namespace {

using namespace std::chrono_literals;

// `first` to the front, if it is one of them.
void prefer(std::vector<std::string>& candidates, std::string_view first) {
  const auto found = std::find(candidates.begin(), candidates.end(), first);
  if (found != candidates.end()) {
    std::rotate(candidates.begin(), found, found + 1);
  }
}

std::chrono::sys_seconds after_revocation(const Revocations& revocations, std::string_view key,
                                          std::chrono::sys_seconds now) {
  for (const std::string_view who : {key, std::string_view("*")}) {
    if (const auto found = revocations.find(who); found != revocations.end()) {
      now = std::max(now, found->second + 1s);
    }
  }
  return now;
}

}  // namespace

std::vector<std::string> unscoped_keys(const AccountClaims& account) {
  std::vector<std::string> keys;
  for (const SigningKey& one : account.signing_keys) {
    if (!one.scoped) {
      keys.push_back(one.key);
    }
  }
  keys.push_back(account.subject);
  return keys;
}

const SigningKey* key_of_role(const AccountClaims& account, std::string_view role) {
  const auto found = std::find_if(account.signing_keys.begin(), account.signing_keys.end(),
                                  [role](const SigningKey& one) { return one.scoped && one.role == role; });
  return found == account.signing_keys.end() ? nullptr : &*found;
}

Result<KeyPair> Issuer::first_held(const std::vector<std::string>& candidates, std::string_view whose) const {
  std::optional<Error> last;
  std::string names;
  for (const std::string& candidate : candidates) {
    Result<KeyPair> key = ring_.find(candidate);
    if (key) {
      return key;
    }
    if (key.error().code != Errc::id_key_missing) {
      return key;  // it is there, and is not what it should be
    }
    last = std::move(key.error());
    names += (names.empty() ? "" : " or ") + candidate;
  }
  return fail(Errc::id_key_missing, "signing for " + std::string(whose) + " with " + names + ": " +
                                        (last ? last->doing : "it has no key that may sign"));
}

Result<std::string> Issuer::self_signed(const OperatorClaims& claims) const {
  const Result<KeyPair> key = first_held({claims.subject}, "the operator " + claims.name);
  return key ? encode(Claims(claims), *key, now_) : std::unexpected(key.error());
}

Result<std::string> Issuer::account(const OperatorClaims& by, const AccountClaims& claims) const {
  std::vector<std::string> candidates = by.signing_keys;
  if (!by.strict_signing_keys) {
    candidates.push_back(by.subject);
  }
  prefer(candidates, claims.issuer);
  const Result<KeyPair> key = first_held(candidates, "the operator " + by.name);
  return key ? encode(Claims(claims), *key, now_) : std::unexpected(key.error());
}

Result<std::string> Issuer::user(const AccountClaims& by, UserClaims claims, std::string_view role) const {
  std::vector<std::string> candidates;
  if (!role.empty()) {
    const SigningKey* scoped = key_of_role(by, role);
    if (scoped == nullptr) {
      return fail(Errc::id_not_found,
                  "looking for a signing key of the role \"" + std::string(role) + "\" in " + by.name);
    }
    candidates = {scoped->key};
  } else if (const SigningKey* before = by.signing_key(claims.issuer); before != nullptr && before->scoped) {
    candidates = {before->key};
  } else {
    candidates = unscoped_keys(by);
    prefer(candidates, claims.issuer);
  }
  const Result<KeyPair> key = first_held(candidates, "the account " + by.name);
  if (!key) {
    return std::unexpected(key.error());
  }
  claims.issuer_account = key->public_key().text() == by.subject ? std::string() : by.subject;
  const auto time = after_revocation(by.revocations, claims.subject, now_);
  return encode(Claims(std::move(claims)), *key, time);
}

Result<std::string> Issuer::activation(const AccountClaims& by, const ImportClaim& import,
                                       std::string_view importer) const {
  ActivationClaims claims;
  claims.subject = importer;
  claims.name = import.name.empty() ? import.subject : import.name;
  claims.import_subject = import.subject;
  claims.kind = import.kind;
  const Result<KeyPair> key = first_held(unscoped_keys(by), "the account " + by.name);
  if (!key) {
    return std::unexpected(key.error());
  }
  claims.issuer_account = key->public_key().text() == by.subject ? std::string() : by.subject;
  return encode(Claims(std::move(claims)), *key, now_);
}

}  // namespace hawser::identity
