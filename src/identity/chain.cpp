#include "identity/chain.hpp"

#include <algorithm>

#include "identity/claim_subject.hpp"
#include "identity/findings.hpp"
#include "identity/scope_template.hpp"
#include "identity/token.hpp"

namespace hawser::identity {
namespace {

// The first error, or, without any, the first question of time.
Result<void> admit(const std::vector<ClaimFinding>& found, const CommonClaims& claims, const std::string& doing,
                   std::chrono::sys_seconds now) {
  const auto first = [&](ClaimFinding::Severity severity) {
    return std::ranges::find(found, severity, &ClaimFinding::severity);
  };
  if (const auto error = first(ClaimFinding::Severity::error); error != found.end()) {
    return fail(Errc::jwt_invalid, doing + ": `" + error->member + "`: " + error->message);
  }
  if (const auto expiry = first(ClaimFinding::Severity::expiry); expiry != found.end()) {
    const bool expired = claims.expires && now >= *claims.expires;
    return fail(expired ? Errc::jwt_expired : Errc::jwt_not_yet_valid, doing + ": " + expiry->message);
  }
  return {};
}

// Whether that key may sign for the account, given what the claims say about whom the key belongs to.
bool signs_for(const AccountClaims& account, std::string_view issuer, std::string_view issuer_account,
               AccountKeys keys) {
  if (issuer == account.subject) {
    return keys == AccountKeys::all && (issuer_account.empty() || issuer_account == account.subject);
  }
  return issuer_account == account.subject && account.signing_key(issuer) != nullptr;
}

std::optional<std::chrono::sys_seconds> earlier(std::optional<std::chrono::sys_seconds> a,
                                                std::optional<std::chrono::sys_seconds> b) {
  return a && b ? std::min(*a, *b) : a ? a : b;
}

// The user's own limits, or those of the scope.
Result<UserLimits> effective_limits(const UserClaims& user, const AccountClaims& account, const std::string& doing) {
  const UserLimits& own = user;
  const SigningKey* key = account.signing_key(user.issuer);
  if (key == nullptr || !key->scoped) {
    return own;
  }
  if (own != UserLimits::absent()) {
    return fail(Errc::jwt_scope_violated, doing + ": the key that signed it has a scope");
  }
  return fill_in(key->limits, user, account);
}

// The export that the import is of: of the same subject, or else one that covers it.
const ExportClaim* export_of(const ImportClaim& imported, const AccountClaims& exporter) {
  const auto same = [&](const ExportClaim& e) { return e.kind == imported.kind && e.subject == imported.subject; };
  const auto covers = [&](const ExportClaim& e) {
    return e.kind == imported.kind && contained_in(imported.subject, e.subject);
  };
  auto found = std::ranges::find_if(exporter.exports, same);
  if (found == exporter.exports.end()) {
    found = std::ranges::find_if(exporter.exports, covers);
  }
  return found == exporter.exports.end() ? nullptr : &*found;
}

}  // namespace

Result<void> admit_account(const AccountClaims& account, const TrustedKeys& trusted, std::chrono::sys_seconds now) {
  const std::string doing = "admitting account " + account.subject;
  if (!trusted.contains(account.issuer)) {
    return fail(Errc::jwt_not_trusted, doing + ": it was issued by " + account.issuer);
  }
  return admit(findings(account, now), account, doing, now);
}

Result<EffectiveUser> admit_user(const UserClaims& user, const AccountClaims& account, std::chrono::sys_seconds now,
                                 AccountKeys keys) {
  const std::string doing = "admitting user " + user.subject + " of account " + account.subject;
  if (const auto admitted = admit(findings(user, now), user, doing, now); !admitted) {
    return std::unexpected(admitted.error());
  }
  if (!signs_for(account, user.issuer, user.issuer_account, keys)) {
    return fail(Errc::jwt_not_trusted, doing + ": it was issued by " + user.issuer);
  }
  Result<UserLimits> limits = effective_limits(user, account, doing);
  if (!limits) {
    return std::unexpected(limits.error());
  }
  if (account.expires && now >= *account.expires) {
    return fail(Errc::jwt_expired, doing + ": the account expired at " + to_rfc3339(*account.expires));
  }
  if (limits->bearer && account.limits.disallow_bearer) {
    return fail(Errc::jwt_bearer_disallowed, doing);
  }
  if (revoked(account.revocations, user.subject, user.issued_at)) {
    return fail(Errc::jwt_revoked, doing);
  }
  return EffectiveUser{.key = user.subject,
                       .name = user.name,
                       .account = account.subject,
                       .limits = std::move(*limits),
                       .issued_at = user.issued_at,
                       .expires = earlier(user.expires, account.expires)};
}

Result<ActivationClaims> admit_activation(const ImportClaim& import, std::string_view importer,
                                          const AccountClaims& exporter, std::chrono::sys_seconds now,
                                          AccountKeys keys) {
  const std::string doing = "admitting the import by account " + std::string(importer) + " from " + exporter.subject;
  Result<ActivationClaims> activation = decode_activation(import.token);
  if (!activation) {
    return fail(activation.error().code, doing + ": " + activation.error().doing);
  }
  if (!signs_for(exporter, activation->issuer, activation->issuer_account, keys) ||
      import.account != exporter.subject) {
    return fail(Errc::jwt_not_trusted, doing + ": the activation was issued by " + activation->issuer);
  }
  if (activation->subject != importer || activation->kind != import.kind) {
    return fail(Errc::jwt_invalid, doing + ": the activation is for another account or kind");
  }
  const bool as_to = import.kind == ShareKind::service && !import.to.empty();
  if (!contained_in(as_to ? import.to : import.subject, activation->import_subject)) {
    return fail(Errc::jwt_invalid, doing + ": the activation does not cover the subject");
  }
  if (const auto admitted = admit(findings(*activation, now), *activation, doing, now); !admitted) {
    return std::unexpected(admitted.error());
  }
  const ExportClaim* exported = export_of(import, exporter);
  if (exported == nullptr) {
    return fail(Errc::jwt_invalid, doing + ": it exports nothing that covers the subject");
  }
  if (revoked(exported->revocations, activation->subject, activation->issued_at)) {
    return fail(Errc::jwt_revoked, doing + ": the activation");
  }
  return activation;
}

}  // namespace hawser::identity
