#include "broker/authority.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "broker/account_rules.hpp"
#include "broker/claims_account.hpp"
#include "broker/operator_world.hpp"

namespace hawser::broker {
namespace {

using namespace test;

std::string problems_of(const Authority& authority) {
  std::string all;
  for (const Error& problem : authority.problems()) {
    all += error_id(problem.code) + " " + problem.doing + "\n";
  }
  return all;
}

TEST(ClaimsAccount, has_the_exports_imports_and_mappings_of_its_claims) {
  identity::AccountClaims claims = account('a');
  identity::ExportClaim service = stream_export("help.*");
  service.kind = identity::ShareKind::service;
  service.response = identity::ResponseKind::chunked;
  service.response_threshold = 3s;
  service.token_required = true;
  claims.exports = {stream_export("ev.>"), service};
  identity::ImportClaim prefixed = stream_import('b', "one");
  prefixed.to = "from.b";
  identity::ImportClaim renamed = stream_import('b', "two.*");
  renamed.local_subject = "mine.$1";
  identity::ImportClaim old_service = stream_import('b', "ask");
  old_service.kind = identity::ShareKind::service;
  old_service.to = "answer";
  old_service.share = true;
  claims.imports = {prefixed, renamed, old_service};
  claims.mappings["a"] = {{.subject = "b", .weight = 0, .cluster = ""}, {.subject = "c", .weight = 20, .cluster = "x"}};
  claims.limits.connections = 7;
  claims.limits.payload = 0;
  const Account made = account_of(claims, [](const identity::ImportClaim& import) { return import.subject == "one"; });

  EXPECT_EQ(made.name, claims.subject);
  ASSERT_EQ(made.exports.size(), 2U);
  EXPECT_EQ(made.exports[0].kind, ExportKind::stream);
  EXPECT_FALSE(made.exports[0].accounts);
  EXPECT_EQ(made.exports[1].kind, ExportKind::service);
  EXPECT_EQ(made.exports[1].response, ResponseType::chunked);
  EXPECT_EQ(made.exports[1].response_threshold, 3s);
  ASSERT_TRUE(made.exports[1].accounts);
  EXPECT_TRUE(made.exports[1].accounts->empty());
  ASSERT_EQ(made.imports.size(), 3U);
  EXPECT_EQ(made.imports[0].prefix, "from.b");
  EXPECT_TRUE(made.imports[0].activated);
  EXPECT_EQ(made.imports[1].to, "mine.$1");
  EXPECT_FALSE(made.imports[1].activated);
  EXPECT_EQ(made.imports[2].subject, "answer");
  EXPECT_EQ(made.imports[2].to, "ask");
  EXPECT_TRUE(made.imports[2].share);
  ASSERT_EQ(made.mappings.size(), 1U);
  EXPECT_EQ(made.mappings[0].targets[0].weight, 100U);
  EXPECT_EQ(made.mappings[0].targets[1].weight, 20U);
  EXPECT_EQ(made.max_connections, 7);
  EXPECT_EQ(made.max_payload, 0);
}

TEST(ClaimsAccount, has_nats_servers_permissions) {
  EXPECT_FALSE(permissions_of({}));
  identity::ClaimPermissions claims;
  claims.subscribe.allow = {"a q"};
  claims.responses = identity::ResponseRule{.max = 0, .expires = {}};
  const auto permissions = permissions_of(claims);
  ASSERT_TRUE(permissions);
  EXPECT_FALSE(permissions->publish.allow);
  EXPECT_EQ(permissions->subscribe.allow, std::vector<std::string>{"a q"});
  EXPECT_EQ(permissions->responses->max, 1);
  EXPECT_EQ(permissions->responses->expires, 2min);
  claims.responses = identity::ResponseRule{.max = -5, .expires = -1s};
  EXPECT_EQ(permissions_of(claims)->responses->max, -1);
  EXPECT_LT(permissions_of(claims)->responses->expires, Duration::zero());
}

TEST(Authority, keeps_accounts_that_cannot_be_used_with_their_reason) {
  identity::AccountClaims expired = account('b', "B");
  expired.expires = kNow;
  AccountJwts jwts = jwts_of(account('a'), expired);
  identity::AccountClaims foreign = account('c', "C");
  jwts.emplace(foreign.subject, jwt_of(foreign, operator_key('x')));
  const AuthorityPtr authority = Authority::make(trusting(), jwts, kNow);
  EXPECT_EQ(authority->jwts().size(), 3U);
  EXPECT_EQ(authority->accounts().size(), 1U);
  EXPECT_TRUE(authority->account(account('a').subject, kNow));
  EXPECT_EQ(authority->account(expired.subject, kNow).error().code, Errc::jwt_expired);
  EXPECT_EQ(authority->account(foreign.subject, kNow).error().code, Errc::jwt_not_trusted);
  EXPECT_EQ(authority->account(account('d').subject, kNow).error().code, Errc::jwt_not_trusted);
  EXPECT_EQ(authority->problems().size(), 2U) << problems_of(*authority);
}

TEST(Authority, knows_when_it_is_to_be_made_again) {
  identity::AccountClaims early = account('a');
  early.not_before = kNow + 5s;
  identity::AccountClaims late = account('b', "B");
  late.expires = kNow + 9s;
  const AccountJwts jwts = jwts_of(early, late);
  const AuthorityPtr first = Authority::make(trusting(), jwts, kNow);
  EXPECT_EQ(first->changes_at(), kNow + 5s);
  EXPECT_FALSE(first->usable(early.subject));
  const AuthorityPtr second = Authority::make(trusting(), jwts, *first->changes_at(), first);
  EXPECT_TRUE(second->usable(early.subject));
  EXPECT_EQ(second->changes_at(), kNow + 9s);
  EXPECT_FALSE(Authority::make(trusting(), jwts, kNow + 9s, second)->changes_at());
}

struct ActivationTest : ::testing::Test {
  ActivationTest() {
    exporter.exports = {stream_export("p.*")};
    exporter.exports[0].token_required = true;
    activation.subject = importer.subject;
    activation.import_subject = "p.*";
    activation.kind = identity::ShareKind::stream;
  }
  // How many of the importer's imports come into being.
  std::size_t imports(WallTime at = kNow, const identity::KeyPair& by = account_key('e')) {
    importer.imports = {stream_import('e', "p.a")};
    importer.imports[0].token = signed_by(by, activation);
    return imports_of(Authority::make(trusting(), jwts_of(exporter, importer), at));
  }
  std::size_t imports_of(AuthorityPtr authority) {
    made = std::move(authority);
    std::vector<Error> mistakes;
    const AccountRuleSetPtr rules = compile_what_fits(made->accounts(), mistakes);
    return rules->of(importer.subject).streams.size();
  }
  identity::AccountClaims exporter = account('e', "E");
  identity::AccountClaims importer = account('i', "I");
  identity::ActivationClaims activation;
  AuthorityPtr made;
};

TEST_F(ActivationTest, lets_its_subject_import) {
  EXPECT_EQ(imports(), 1U) << problems_of(*made);
  EXPECT_FALSE(made->changes_at());
}

TEST_F(ActivationTest, of_somebody_else_or_for_somebody_else_lets_nobody) {
  EXPECT_EQ(imports(kNow, account_key('x')), 0U);
  EXPECT_NE(problems_of(*made), "");
  activation.subject = account('x').subject;
  EXPECT_EQ(imports(), 0U);
}

TEST_F(ActivationTest, ends_and_is_revoked) {
  activation.expires = kNow + 10s;
  EXPECT_EQ(imports(), 1U);
  EXPECT_EQ(made->changes_at(), kNow + 10s);
  const AuthorityPtr first = made;
  EXPECT_EQ(imports_of(Authority::make(trusting(), first->jwts(), kNow + 9s, first)), 1U);
  EXPECT_EQ(imports_of(Authority::make(trusting(), first->jwts(), kNow + 10s, first)), 0U);
  exporter.exports[0].revocations[importer.subject] = kNow + 1s;
  EXPECT_EQ(imports(), 0U);
}

TEST(Authority, leaves_out_what_does_not_fit_and_keeps_the_rest) {
  identity::AccountClaims giver = account('a', "GIVER");
  giver.exports = {stream_export("x")};
  identity::AccountClaims taker = account('b', "TAKER");
  taker.imports = {stream_import('a', "x"), stream_import('a', "y"), stream_import('c', "z")};
  const AuthorityPtr authority = authority_of(giver, taker);
  std::vector<Error> mistakes;
  const AccountRuleSetPtr rules = compile_what_fits(authority->accounts(), mistakes);
  ASSERT_NE(rules, nullptr);
  EXPECT_EQ(rules->of(taker.subject).streams.size(), 1U);
  EXPECT_EQ(mistakes.size(), 2U);
}

TEST(Authority, leaves_out_the_import_that_closes_a_cycle) {
  identity::AccountClaims one = account('a', "ONE");
  identity::AccountClaims two = account('b', "TWO");
  one.exports = two.exports = {stream_export("x")};
  one.imports = {stream_import('b', "x")};
  two.imports = {stream_import('a', "x")};
  std::vector<Error> mistakes;
  const AccountRuleSetPtr rules = compile_what_fits(authority_of(one, two)->accounts(), mistakes);
  EXPECT_EQ(rules->of(one.subject).streams.size() + rules->of(two.subject).streams.size(), 1U);
  EXPECT_EQ(mistakes.size(), 1U);
}

}  // namespace
}  // namespace hawser::broker
