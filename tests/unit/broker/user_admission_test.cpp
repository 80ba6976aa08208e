#include "broker/user_admission.hpp"

#include <gtest/gtest.h>

#include "broker/operator_world.hpp"

namespace hawser::broker {
namespace {

using namespace test;
using Told = Denial::Told;

Revalidation come(const Authority& authority, const identity::UserClaims& claims, const identity::KeyPair& signer,
                  WallTime at = kNow, std::string_view address = "127.0.0.1") {
  const Connecting connecting(signed_by(signer, claims), user_key('k'));
  return admit_jwt(authority, connecting.presented(address, at));
}

std::string reason(const Revalidation& verdict) {
  const auto* denial = std::get_if<Denial>(&verdict);
  return denial == nullptr ? "let in" : denial->reason;
}
Grant granted(const Revalidation& verdict) {
  EXPECT_EQ(reason(verdict), "let in");
  return std::holds_alternative<Grant>(verdict) ? std::get<Grant>(verdict) : Grant{};
}
bool says(const Revalidation& verdict, std::string_view what) {
  return reason(verdict).find(what) != std::string::npos;
}

TEST(UserAdmission, lets_in_whom_the_account_signed_as_its_key) {
  const AuthorityPtr authority = authority_of(account('a'));
  const Grant grant = granted(come(*authority, user('k'), account_key('a')));
  EXPECT_EQ(grant.by, GrantedBy::jwt);
  EXPECT_EQ(grant.user, user('k').subject);
  EXPECT_EQ(grant.account, account('a').subject);
  EXPECT_EQ(grant.permissions, nullptr);
  EXPECT_FALSE(grant.jwt->ends);
}

TEST(UserAdmission, refuses_a_signature_of_another_key_or_nonce) {
  const AuthorityPtr authority = authority_of(account('a'));
  const std::string token = signed_by(account_key('a'), user('k'));
  Connecting connecting(token, user_key('x'));
  EXPECT_TRUE(says(admit_jwt(*authority, connecting.presented()), "does not fit the nonce"));
  connecting.options.sig = Secret();
  EXPECT_TRUE(says(admit_jwt(*authority, connecting.presented()), "no signature"));
  connecting.options.sig = Secret(std::string_view("???"));
  EXPECT_TRUE(says(admit_jwt(*authority, connecting.presented()), "not base64"));
  Connecting other(token, user_key('k'));
  other.nonce = "another";
  EXPECT_TRUE(says(admit_jwt(*authority, other.presented()), "does not fit the nonce"));
  other.nonce.clear();
  EXPECT_TRUE(says(admit_jwt(*authority, other.presented()), "does not fit the nonce"));
}

TEST(UserAdmission, names_user_and_account_and_never_the_token) {
  const AuthorityPtr authority = authority_of(account('a'));
  const std::string token = signed_by(account_key('b'), user('k'));
  const Revalidation verdict = admit_jwt(*authority, Connecting(token, user_key('k')).presented());
  EXPECT_TRUE(says(verdict, user('k').subject)) << reason(verdict);
  EXPECT_TRUE(says(verdict, account('b').subject));
  EXPECT_FALSE(says(verdict, token));
  EXPECT_EQ(std::get<Denial>(verdict).told, Told::authorization_violation);
  EXPECT_EQ(std::get<Denial>(verdict).user, user('k').subject);
  EXPECT_TRUE(says(admit_jwt(*authority, Connecting("no.good.token", user_key('k')).presented()), "the JWT: IDN-8"));
  EXPECT_TRUE(says(admit_jwt(*authority, Connecting("", user_key('k')).presented()), "no JWT was sent"));
}

TEST(UserAdmission, keeps_to_addresses_times_and_kinds_of_connections) {
  const AuthorityPtr authority = authority_of(account('a'));
  identity::UserClaims claims = user('k');
  claims.sources = {"10.0.0.0/8"};
  EXPECT_TRUE(says(come(*authority, claims, account_key('a')), "may not come from 127.0.0.1"));
  EXPECT_EQ(reason(come(*authority, claims, account_key('a'), kNow, "10.1.2.3")), "let in");
  claims = user('k');
  claims.times = {{"08:00:00", "09:00:00"}};  // kNow is at eight
  claims.times_location = "UTC";
  const Grant grant = granted(come(*authority, claims, account_key('a')));
  EXPECT_EQ(grant.jwt->ends, kNow + 1h);
  EXPECT_TRUE(says(come(*authority, claims, account_key('a'), kNow + 1h), "time of day"));
  for (const std::vector<std::string>& types : {std::vector<std::string>{"WEBSOCKET"}, {"MQTT", "FUTURE"}}) {
    claims = user('k');
    claims.allowed_connection_types = types;
    EXPECT_TRUE(says(come(*authority, claims, account_key('a')), "STANDARD"));
  }
  claims.allowed_connection_types = {"MQTT", "standard"};
  EXPECT_EQ(reason(come(*authority, claims, account_key('a'))), "let in");
}

TEST(UserAdmission, ends_with_the_first_of_user_account_and_window) {
  identity::AccountClaims app = account('a');
  app.expires = kNow + 10s;
  const AuthorityPtr authority = authority_of(app);
  identity::UserClaims claims = user('k');
  EXPECT_EQ(granted(come(*authority, claims, account_key('a'))).jwt->ending, JwtUser::Ending::account);
  claims.expires = kNow + 5s;
  const Grant grant = granted(come(*authority, claims, account_key('a')));
  EXPECT_EQ(grant.jwt->ending, JwtUser::Ending::user);
  EXPECT_EQ(grant.jwt->ends, kNow + 5s);
  EXPECT_TRUE(says(come(*authority, claims, account_key('a'), kNow + 5s), "IDN-815"));
  EXPECT_TRUE(says(come(*authority, user('k'), account_key('a'), kNow + 10s), "IDN-815"));
}

TEST(UserAdmission, takes_the_lesser_limit_and_the_accounts_permissions_where_it_has_none) {
  identity::AccountClaims app = account('a');
  app.limits.subscriptions = 5;
  app.default_permissions.publish.deny = {"secret"};
  const AuthorityPtr authority = authority_of(app);
  identity::UserClaims claims = user('k');
  claims.payload = 0;
  Grant grant = granted(come(*authority, claims, account_key('a')));
  EXPECT_EQ(grant.jwt->max_subscriptions, 5);
  EXPECT_EQ(grant.jwt->max_payload, 0);
  EXPECT_EQ(grant.permissions->publish.deny, std::vector<std::string>{"secret"});
  claims.subscriptions = 2;
  claims.permissions.publish.allow = {"a"};
  grant = granted(come(*authority, claims, account_key('a')));
  EXPECT_EQ(grant.jwt->max_subscriptions, 2);
  EXPECT_TRUE(grant.permissions->publish.deny.empty());
}

TEST(UserAdmission, lets_a_bearer_in_without_a_key) {
  const AuthorityPtr authority = authority_of(account('a'));
  identity::UserClaims claims = user('k');
  claims.bearer = true;
  Connecting connecting(signed_by(account_key('a'), claims), user_key('k'));
  connecting.options.sig = Secret();
  EXPECT_EQ(reason(admit_jwt(*authority, connecting.presented())), "let in");
}

TEST(UserAdmission, of_a_strict_operator_wants_signing_keys_of_accounts_too) {
  identity::OperatorClaims strict;
  strict.subject = operator_key().public_key().text();
  strict.signing_keys = {operator_key('s').public_key().text()};
  strict.strict_signing_keys = true;
  OperatorSettings mode;
  mode.operators.push_back(strict);
  identity::AccountClaims app = account('a');
  app.signing_keys.push_back({.key = account_key('z').public_key().text()});
  const AccountJwts jwts{{app.subject, jwt_of(app, operator_key('s'))}};
  const AuthorityPtr authority = Authority::make(mode, jwts, kNow);
  EXPECT_TRUE(says(come(*authority, user('k'), account_key('a')), "signing key"));
  identity::UserClaims by_key = user('k');
  by_key.issuer_account = app.subject;
  EXPECT_EQ(reason(come(*authority, by_key, account_key('z'))), "let in");
  const AuthorityPtr untrusted = Authority::make(mode, jwts_of(app), kNow);  // signed by the operator itself
  EXPECT_TRUE(says(come(*untrusted, by_key, account_key('z')), "IDN-814"));
}

TEST(UserAdmission, of_accounts_that_are_not_pinned_is_refused) {
  OperatorSettings mode = trusting();
  mode.pinned_accounts = {account('b').subject};
  const AuthorityPtr authority = Authority::make(mode, jwts_of(account('a'), account('b', "B")), kNow);
  EXPECT_TRUE(says(come(*authority, user('k'), account_key('a')), "resolver_pinned_accounts"));
  EXPECT_EQ(reason(come(*authority, user('k'), account_key('b'))), "let in");
}

TEST(UserAdmission, is_judged_again_under_other_accounts) {
  const identity::AccountClaims app = account('a');
  const AccountJwts jwts = jwts_of(app, account('b', "B"));
  const AuthorityPtr before = Authority::make(trusting(), jwts, kNow);
  const Grant grant = granted(come(*before, user('k'), account_key('a')));
  EXPECT_EQ(granted(admit_again(*before, grant, kNow)).jwt, grant.jwt);  // nothing has changed

  identity::AccountClaims revoking = app;
  revoking.revocations[user('k').subject] = kNow;
  EXPECT_EQ(std::get<Denial>(admit_again(*authority_of(revoking), grant, kNow)).told, Told::revoked);
  EXPECT_EQ(std::get<Denial>(admit_again(*authority_of(account('b')), grant, kNow)).told, Told::account_expired);
  const AuthorityPtr of_others = Authority::make(trusting(operator_key('x')), jwts, kNow);
  EXPECT_EQ(std::get<Denial>(admit_again(*of_others, grant, kNow)).told, Told::authorization_violation);

  identity::AccountClaims narrower = app;
  narrower.default_permissions.publish.allow = {"a"};
  narrower.limits.subscriptions = 1;
  const Grant again = granted(admit_again(*authority_of(narrower), grant, kNow));
  EXPECT_EQ(again.permissions->publish.allow, std::vector<std::string>{"a"});
  EXPECT_EQ(again.jwt->max_subscriptions, 1);
}

}  // namespace
}  // namespace hawser::broker
