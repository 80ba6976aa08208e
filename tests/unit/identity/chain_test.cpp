#include "identity/chain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/claim_fixtures.hpp"

namespace hawser::identity {
namespace {

using namespace fixtures;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Errc code_of(const auto& result) { return result ? Errc{} : result.error().code; }

const TrustedKeys kTrusted = {text(operator_key())};

TEST(Chain, admits_an_account_that_a_trusted_operator_issued) {
  EXPECT_TRUE(admit_account(an_account(), kTrusted, kNow));
  AccountClaims other = an_account();
  other.issuer = text(operator_key(2));
  EXPECT_EQ(code_of(admit_account(other, kTrusted, kNow)), Errc::jwt_not_trusted);
  EXPECT_TRUE(admit_account(other, {text(operator_key(2))}, kNow));
}

TEST(Chain, trusts_no_account_that_issued_itself) {
  AccountClaims account = an_account();
  account.issuer = account.subject;
  EXPECT_EQ(code_of(admit_account(account, kTrusted, kNow)), Errc::jwt_not_trusted);
}

TEST(Chain, refuses_accounts_out_of_their_time_or_with_errors) {
  AccountClaims expired = an_account();
  expired.expires = kNow;
  EXPECT_EQ(code_of(admit_account(expired, kTrusted, kNow)), Errc::jwt_expired);
  AccountClaims early = an_account();
  early.not_before = kLater;
  EXPECT_EQ(code_of(admit_account(early, kTrusted, kNow)), Errc::jwt_not_yet_valid);
  expired.exports = {an_export("")};
  EXPECT_EQ(code_of(admit_account(expired, kTrusted, kNow)), Errc::jwt_invalid);
  AccountClaims warned = an_account();
  warned.imports = {an_import()};
  warned.imports[0].to = "old";
  EXPECT_TRUE(admit_account(warned, kTrusted, kNow));
}

TEST(Chain, trusts_an_operators_own_key_unless_it_is_strict) {
  OperatorClaims op = an_operator();
  op.signing_keys = {text(operator_key(2))};
  EXPECT_THAT(op.trusted_keys(), ElementsAre(text(operator_key(1)), text(operator_key(2))));
  op.strict_signing_keys = true;
  EXPECT_THAT(op.trusted_keys(), ElementsAre(text(operator_key(2))));
}

TEST(Chain, admits_a_user_of_the_accounts_own_key) {
  UserClaims user = a_user();
  user.expires = kLater;
  AccountClaims account = an_account();
  account.expires = kLater - seconds(5);
  const auto admitted = admit_user(user, account, kNow);
  ASSERT_TRUE(admitted) << admitted.error().message();
  EXPECT_EQ(admitted->key, text(user_key()));
  EXPECT_EQ(admitted->name, "kate");
  EXPECT_EQ(admitted->account, text(account_key()));
  EXPECT_EQ(admitted->expires, kLater - seconds(5));
  EXPECT_EQ(admitted->limits.subscriptions, kNoLimit);
  EXPECT_EQ(admit_user(user, an_account(), kNow)->expires, kLater);
  EXPECT_EQ(admit_user(a_user(), an_account(), kNow)->expires, std::nullopt);
}

TEST(Chain, knows_an_accounts_signing_keys_by_issuer_account) {
  const AccountClaims account = an_account_with_scope({});
  UserClaims user = a_user();
  user.issuer = text(account_key(2));
  EXPECT_EQ(code_of(admit_user(user, account, kNow)), Errc::jwt_not_trusted) << "without issuer_account";
  user.issuer_account = text(account_key(4));
  EXPECT_EQ(code_of(admit_user(user, account, kNow)), Errc::jwt_not_trusted) << "of another account";
  user.issuer_account = account.subject;
  EXPECT_TRUE(admit_user(user, account, kNow));
  user.issuer = text(account_key(9));
  EXPECT_EQ(code_of(admit_user(user, account, kNow)), Errc::jwt_not_trusted) << "by a key that is not the account's";
}

TEST(Chain, takes_signing_keys_only_when_the_operator_is_strict) {
  const AccountClaims account = an_account_with_scope({});
  EXPECT_EQ(code_of(admit_user(a_user(), account, kNow, AccountKeys::signing_keys_only)), Errc::jwt_not_trusted);
  EXPECT_TRUE(admit_user(a_scoped_user(), account, kNow, AccountKeys::signing_keys_only));
}

TEST(Chain, gives_a_scoped_user_the_limits_of_the_scope) {
  UserLimits scope;
  scope.payload = 100;
  scope.permissions.publish.allow = {"a"};
  const AccountClaims account = an_account_with_scope(scope);
  const auto admitted = admit_user(a_scoped_user(), account, kNow);
  ASSERT_TRUE(admitted) << admitted.error().message();
  EXPECT_EQ(admitted->limits, scope);
  UserClaims greedy = a_scoped_user();
  greedy.payload = kNoLimit;
  EXPECT_EQ(code_of(admit_user(greedy, account, kNow)), Errc::jwt_scope_violated);
  UserClaims bearer = a_scoped_user();
  bearer.bearer = true;
  EXPECT_EQ(code_of(admit_user(bearer, account, kNow)), Errc::jwt_scope_violated);
}

TEST(Chain, refuses_users_out_of_their_time_or_of_an_expired_account) {
  UserClaims user = a_user();
  user.expires = kNow;
  EXPECT_EQ(code_of(admit_user(user, an_account(), kNow)), Errc::jwt_expired);
  user.expires.reset();
  user.not_before = kLater;
  EXPECT_EQ(code_of(admit_user(user, an_account(), kNow)), Errc::jwt_not_yet_valid);
  AccountClaims expired = an_account();
  expired.expires = kNow;
  EXPECT_EQ(code_of(admit_user(a_user(), expired, kNow)), Errc::jwt_expired);
  UserClaims wrong = a_user();
  wrong.sources = {"everywhere"};
  EXPECT_EQ(code_of(admit_user(wrong, an_account(), kNow)), Errc::jwt_invalid);
}

TEST(Chain, refuses_bearers_where_the_account_does_not_want_them) {
  UserClaims user = a_user();
  user.bearer = true;
  EXPECT_TRUE(admit_user(user, an_account(), kNow));
  AccountClaims account = an_account();
  account.limits.disallow_bearer = true;
  EXPECT_EQ(code_of(admit_user(user, account, kNow)), Errc::jwt_bearer_disallowed);
  UserLimits scope;
  scope.bearer = true;
  AccountClaims scoped = an_account_with_scope(scope);
  scoped.limits.disallow_bearer = true;
  EXPECT_EQ(code_of(admit_user(a_scoped_user(), scoped, kNow)), Errc::jwt_bearer_disallowed);
}

TEST(Chain, refuses_users_issued_before_they_were_revoked) {
  AccountClaims account = an_account();
  const std::pair<Revocations, bool> rows[] = {
      {{{text(user_key()), kEarlier}}, true},
      {{{text(user_key()), kEarlier - seconds(1)}}, false},
      {{{text(user_key(2)), kNow}}, false},
      {{{"*", kEarlier}}, true},
      {{{"*", kEarlier - seconds(1)}, {text(user_key()), kEarlier}}, true},
  };
  for (const auto& [revocations, refused] : rows) {
    account.revocations = revocations;
    EXPECT_EQ(code_of(admit_user(a_user(), account, kNow)) == Errc::jwt_revoked, refused);
  }
  UserClaims undated = a_user();
  undated.issued_at.reset();
  account.revocations = {{"*", std::chrono::sys_seconds(seconds(0))}};
  EXPECT_EQ(code_of(admit_user(undated, account, kNow)), Errc::jwt_revoked);
}

struct Filled {
  std::vector<std::string> rules, expected, deny;
};

TEST(Scope, fills_in_names_keys_and_tags) {
  const std::string u = text(user_key());
  const std::string a = text(account_key());
  const Filled rows[] = {
      {{"in.{{name()}}", "plain"}, {"in.kate", "plain"}, {}},
      {{"{{subject()}}.>"}, {u + ".>"}, {}},
      {{"{{account-name()}}.{{account-subject()}}"}, {"prod." + a}, {}},
      {{"{{tag(team)}}.{{tag(Room)}}"}, {"blue.1", "blue.2", "green.1", "green.2"}, {}},
      {{"{{account-tag(tenant)}}.x"}, {"acme.x"}, {}},
      {{"a.{{tag(nothing)}}", "b"}, {"b"}, {}},  // what is not there allows nothing
      {{"a.{{tag(nothing)}}"}, {}, {">"}},       // and no list at all would allow everything
      {{"a.{{unknown()}}", "{{NAME()}}"}, {"kate"}, {}},
      {{"x{{name()}}", "jobs.* workers"},
       {"x{{name()}}", "jobs.* workers"},
       {}},  // not a whole token: a subject like any other
  };
  for (const Filled& row : rows) {
    UserLimits scope;
    scope.permissions.publish.allow = row.rules;
    AccountClaims account = an_account_with_scope(scope);
    account.tags = {"tenant:acme"};
    UserClaims user = a_scoped_user();
    user.tags = {"team:blue", "team:green", "room:1", "room:2"};
    const auto admitted = admit_user(user, account, kNow);
    ASSERT_TRUE(admitted) << row.rules[0] << ": " << admitted.error().message();
    EXPECT_EQ(admitted->limits.permissions.publish.allow, row.expected) << row.rules[0];
    EXPECT_EQ(admitted->limits.permissions.publish.deny, row.deny) << row.rules[0];
    EXPECT_THAT(admitted->limits.permissions.subscribe.deny, IsEmpty());
  }
}

TEST(Scope, refuses_a_user_for_whom_a_denial_cannot_be_filled_in) {
  for (const char* rule : {"a.{{tag(team)}}", "a.{{name()}}", "a.{{nonsense()}}"}) {
    UserLimits scope;
    scope.permissions.subscribe.deny = {rule};
    UserClaims user = a_scoped_user();
    user.name = "kate smith";  // no subject can hold it
    EXPECT_EQ(code_of(admit_user(user, an_account_with_scope(scope), kNow)), Errc::jwt_template_empty) << rule;
  }
}

TEST(Scope, bounds_what_tags_multiply_to) {
  UserLimits scope;
  scope.permissions.publish.allow = {"{{tag(a)}}.{{tag(a)}}.{{tag(a)}}"};
  UserClaims user = a_scoped_user();
  for (int i = 0; i < 17; ++i) {
    user.tags.push_back("a:" + std::to_string(i));
  }
  EXPECT_EQ(code_of(admit_user(user, an_account_with_scope(scope), kNow)), Errc::limit_exceeded);
  user.tags.pop_back();
  EXPECT_EQ(admit_user(user, an_account_with_scope(scope), kNow)->limits.permissions.publish.allow.size(), 4096U);
}

struct Import {
  ActivationClaims activation = an_activation();
  KeyPair signer = account_key(4);
  ImportClaim import = an_import();
  AccountClaims exporter = an_account(4);

  Import() {
    exporter.exports = {an_export("shared.*")};
    exporter.exports[0].token_required = true;
    exporter.signing_keys = {SigningKey{.key = text(account_key(5))}};
  }
  [[nodiscard]] Errc admit() {
    import.token = encode(activation, signer, kEarlier).value();
    return code_of(admit_activation(import, text(account_key()), exporter, kNow));
  }
};

TEST(Chain, admits_an_import_with_an_activation_of_the_exporter) {
  EXPECT_EQ(Import().admit(), Errc{});
  Import by_signing_key;
  by_signing_key.signer = account_key(5);
  EXPECT_EQ(by_signing_key.admit(), Errc::jwt_not_trusted) << "without issuer_account";
  by_signing_key.activation.issuer_account = text(account_key(4));
  EXPECT_EQ(by_signing_key.admit(), Errc{});
  by_signing_key.signer = account_key(6);
  EXPECT_EQ(by_signing_key.admit(), Errc::jwt_not_trusted);
}

TEST(Chain, refuses_an_activation_that_is_not_for_this_import) {
  const std::pair<void (*)(Import&), Errc> rows[] = {
      {[](Import& i) { i.activation.subject = text(account_key(7)); }, Errc::jwt_invalid},
      {[](Import& i) { i.activation.kind = ShareKind::stream; }, Errc::jwt_invalid},
      {[](Import& i) { i.activation.import_subject = "shared.y"; }, Errc::jwt_invalid},
      {[](Import& i) {
         i.import.subject = "shared.>";
         i.activation.import_subject = "shared.*";
       },
       Errc::jwt_invalid},
      {[](Import& i) { i.import.account = text(account_key(7)); }, Errc::jwt_not_trusted},
      {[](Import& i) { i.activation.expires = kNow; }, Errc::jwt_expired},
      {[](Import& i) { i.activation.not_before = kLater; }, Errc::jwt_not_yet_valid},
      {[](Import& i) { i.exporter.exports = {an_export("other")}; }, Errc::jwt_invalid},
      {[](Import& i) { i.exporter.exports[0].revocations = {{text(account_key()), kEarlier}}; }, Errc::jwt_revoked},
      {[](Import& i) { i.exporter.exports[0].revocations = {{"*", kNow}}; }, Errc::jwt_revoked},
      {[](Import& i) { i.exporter.exports[0].revocations = {{text(account_key(7)), kNow}}; }, Errc{}},
  };
  std::size_t n = 0;
  for (const auto& [change, expected] : rows) {
    Import import;
    change(import);
    EXPECT_EQ(import.admit(), expected) << "row " << n;
    ++n;
  }
  Import without;
  EXPECT_EQ(code_of(admit_activation(without.import, text(account_key()), without.exporter, kNow)),
            Errc::jwt_malformed);
}

TEST(Chain, names_keys_and_never_a_token) {
  UserClaims user = a_user();
  user.issuer = text(account_key(9));
  const auto refused = admit_user(user, an_account(), kNow);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().doing.find(text(account_key(9))), std::string::npos);
  Import import;
  import.activation.kind = ShareKind::stream;
  (void)import.admit();
  const auto other = admit_activation(import.import, text(account_key()), import.exporter, kNow);
  EXPECT_EQ(other.error().doing.find(import.import.token), std::string::npos);
}

}  // namespace
}  // namespace hawser::identity
