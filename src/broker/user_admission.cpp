#include "broker/user_admission.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "broker/claims_account.hpp"
#include "broker/connect_hours.hpp"
#include "broker/nonce.hpp"
#include "broker/source_block.hpp"
#include "identity/chain.hpp"
#include "identity/encoding.hpp"
#include "identity/findings.hpp"
#include "identity/nkey.hpp"
#include "identity/token.hpp"

namespace hawser::broker {
namespace {

using Told = Denial::Told;
using std::chrono::sys_seconds;

sys_seconds whole(WallTime at) { return std::chrono::floor<std::chrono::seconds>(at); }

// "user U… (kate) of account A…", with what it says itself cut short.
std::string shown_user(const identity::UserClaims& user) {
  constexpr std::size_t kMost = 64;
  const std::string& account = user.issuer_account.empty() ? user.issuer : user.issuer_account;
  const std::string name =
      user.name.empty() ? std::string() : fmt::format(" ({})", std::string_view(user.name).substr(0, kMost));
  return fmt::format("user {}{} of account {}", user.subject, name, account);
}

Denial denied(const identity::UserClaims& user, std::string_view reason, Told told = Told::authorization_violation) {
  return {.reason = fmt::format("{}: {}", shown_user(user), reason), .told = told, .user = user.subject};
}

Denial denied(const identity::UserClaims& user, const Error& error) {
  const Told told = error.code == Errc::jwt_revoked   ? Told::revoked
                    : error.code == Errc::jwt_expired ? Told::user_expired
                                                      : Told::authorization_violation;
  return denied(user, error.message(), told);
}

// Only plain connections come here.
bool allows_standard(const std::vector<std::string>& types) {
  const auto is_standard = [](std::string_view type) {
    return std::ranges::equal(type, std::string_view("STANDARD"), [](char a, char b) {
      return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
    });
  };
  return types.empty() || std::ranges::any_of(types, is_standard);
}

// -1 is no limit.
std::int64_t lesser(std::int64_t a, std::int64_t b) { return a < 0 ? b : b < 0 ? a : std::min(a, b); }

void end_at(JwtUser& user, std::optional<sys_seconds> when, JwtUser::Ending how) {
  if (when && (!user.ends || *when < *user.ends)) {
    user.ends = *when;
    user.ending = how;
  }
}

Grant grant_of(identity::UserClaims claims, identity::EffectiveUser user, AccountJwtPtr account, std::string address,
               const Hours& hours) {
  auto made = std::make_shared<JwtUser>();
  made->max_subscriptions = lesser(user.limits.subscriptions, account->claims.limits.subscriptions);
  made->max_payload = user.limits.payload;
  made->bearer = user.limits.bearer;
  end_at(*made, claims.expires, JwtUser::Ending::user);
  end_at(*made, account->claims.expires, JwtUser::Ending::account);
  end_at(*made, hours.until, JwtUser::Ending::user);
  std::shared_ptr<const Permissions> permissions = account->default_permissions;
  if (std::optional<Permissions> own = permissions_of(user.limits.permissions)) {
    permissions = std::make_shared<const Permissions>(std::move(*own));
  }
  made->account = std::move(account);
  made->address = std::move(address);
  made->claims = std::move(claims);
  Grant grant;
  grant.by = GrantedBy::jwt;
  grant.user = made->claims.subject;
  grant.account = made->account->claims.subject;
  grant.permissions = std::move(permissions);
  grant.jwt = std::move(made);
  return grant;
}

// Everything but who holds the key. The signature of a JWT was verified when it was decoded.
Revalidation judge(const Authority& authority, identity::UserClaims claims, std::string address, WallTime at) {
  const std::string& key = claims.issuer_account.empty() ? claims.issuer : claims.issuer_account;
  Result<AccountJwtPtr> account = authority.account(key, at);
  if (!account) {
    return denied(claims, account.error());
  }
  if (claims.issuer == key && authority.wants_signing_keys((*account)->claims)) {
    return denied(claims, "the operator wants users to be signed by a signing key");
  }
  Result<identity::EffectiveUser> user = identity::admit_user(claims, (*account)->claims, whole(at));
  if (!user) {
    return denied(claims, user.error());
  }
  if (!allows_standard(user->limits.allowed_connection_types)) {
    return denied(claims, "it may not use connections of the type STANDARD");
  }
  if (!comes_from(user->limits.sources, address)) {
    return denied(claims, fmt::format("it may not come from {}", address));
  }
  const Hours hours = hours_of(user->limits.times, user->limits.times_location, whole(at));
  if (!hours.open) {
    return denied(claims, "it may not be connected at this time of day");
  }
  return grant_of(std::move(claims), std::move(*user), std::move(*account), std::move(address), hours);
}

// Whoever has the key can answer the nonce.
std::optional<Denial> refuse_proof(const identity::UserClaims& claims, const Presented& presented) {
  const auto key = identity::PublicKey::parse(claims.subject);
  if (!key || key->kind() != identity::KeyKind::user) {
    return denied(claims, "its subject is no user's key");
  }
  if (presented.connect.sig.empty()) {
    return denied(claims, "no signature came with the JWT");
  }
  const std::optional<std::string> signature = decode_signature(presented.connect.sig.reveal());
  if (!signature) {
    return denied(claims, "the signature is not base64");
  }
  if (presented.nonce.empty() || !key->verify(presented.nonce, identity::as_bytes(*signature))) {
    return denied(claims, "the signature does not fit the nonce");
  }
  return std::nullopt;
}

}  // namespace

Revalidation admit_jwt(const Authority& authority, const Presented& presented) {
  if (presented.connect.jwt.empty()) {
    return Denial{.reason = "no JWT was sent, and users have to come with one"};
  }
  Result<identity::UserClaims> claims = identity::decode_user_jwt(presented.connect.jwt.reveal());
  if (!claims) {
    return Denial{.reason = "the JWT: " + claims.error().message()};
  }
  Revalidation judged = judge(authority, std::move(*claims), std::string(presented.address), presented.at);
  if (auto* denial = std::get_if<Denial>(&judged)) {
    denial->told = Told::authorization_violation;  // who is not in yet hears nothing else
    return judged;
  }
  const JwtUser& user = *std::get<Grant>(judged).jwt;
  if (!user.bearer) {
    if (auto refused = refuse_proof(user.claims, presented)) {
      return std::move(*refused);
    }
  }
  return judged;
}

// What only time changes is for the clock that goes with the Grant.
Revalidation admit_again(const Authority& authority, const Grant& old, WallTime at) {
  if (old.jwt == nullptr) {
    return Denial{.reason = "users have to come with a JWT now"};
  }
  const identity::UserClaims& claims = old.jwt->claims;
  const identity::AccountClaims& before = old.jwt->account->claims;
  const Result<AccountJwtPtr> account = authority.account(before.subject, at);
  if (!account) {
    Denial denial = denied(claims, account.error());
    const bool over = account.error().code == Errc::jwt_expired || !authority.jwts().contains(before.subject);
    denial.told = over ? Told::account_expired : Told::authorization_violation;
    return denial;
  }
  if (*account == old.jwt->account && !authority.wants_signing_keys(before)) {
    return old;
  }
  return judge(authority, claims, old.jwt->address, at);
}

}  // namespace hawser::broker
