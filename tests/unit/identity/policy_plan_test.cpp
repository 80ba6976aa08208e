#include "identity/policy_plan.hpp"

#include <gmock/gmock.h>

#include "identity/chain.hpp"
#include "identity/policy_sharing.hpp"
#include "store_world.hpp"

namespace hawser::identity {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

class PolicyPlan : public StoreWorld {
 protected:
  void SetUp() override {
    StoreWorld::SetUp();
    store_.emplace(make_operator());
    policy_.accounts.push_back({.name = "prod", .users = {{.name = "kate", .expiry = {.after = 30 * 24h}}}});
  }

  Result<Plan> plan(std::chrono::sys_seconds now = kNow, const PlanOptions& options = {}) {
    return make_plan(policy_, read_holdings(*store_).value(), *ring_, now, options);
  }
  Plan apply(std::chrono::sys_seconds now = kNow, const PlanOptions& options = {}) {
    auto made = plan(now, options);
    EXPECT_TRUE(made) << made.error().message();
    EXPECT_TRUE(carry_out(*made, *store_, *ring_));
    return std::move(*made);
  }
  PolicyUser& kate() { return policy_.accounts[0].users[0]; }
  [[nodiscard]] UserClaims stored_kate() const { return store_->user("prod", "kate")->claims; }

  std::optional<Store> store_;
  Policy policy_;
};

TEST_F(PolicyPlan, makes_what_is_not_there) {
  const Plan first = apply();
  ASSERT_EQ(first.steps.size(), 2U);
  EXPECT_EQ(first.steps[0].kind, PlanStep::Kind::create);
  EXPECT_EQ(first.steps[1].user, "kate");
  EXPECT_EQ(stored_kate().expires, kNow + 30 * 24h);
  EXPECT_TRUE(admit_user(stored_kate(), store_->account("prod")->claims, kNow));
  EXPECT_TRUE(std::filesystem::exists(creds_file(places_, "ops", "prod", "kate")));
}

TEST_F(PolicyPlan, applied_twice_does_nothing_the_second_time) {
  policy_.accounts[0].exports.push_back({.kind = ShareKind::service, .subject = "orders.get", .is_private = true});
  policy_.accounts.push_back(
      {.name = "test", .imports = {{.kind = ShareKind::service, .account = "prod", .subject = "orders.get"}}});
  apply();
  EXPECT_THAT(plan()->steps, IsEmpty());
  EXPECT_THAT(plan(kNow + 24h)->steps, IsEmpty());
}

TEST_F(PolicyPlan, planning_alone_writes_nothing) {
  ASSERT_TRUE(plan());
  EXPECT_THAT(store_->account_names().value(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(places_.keys / "keys" / "U"));
}

TEST_F(PolicyPlan, says_what_changes) {
  apply();
  kate().limits.permissions.publish.allow = {"agent.route.ops"};
  const auto changed = plan();
  ASSERT_EQ(changed->steps.size(), 1U);
  EXPECT_EQ(changed->steps[0].kind, PlanStep::Kind::change);
  EXPECT_THAT(changed->steps[0].details, testing::ElementsAre("pub.allow: [agent.route.ops]"));
}

TEST_F(PolicyPlan, a_user_keeps_its_key_when_it_changes) {
  apply();
  const std::string key = stored_kate().subject;
  kate().limits.payload = 1024;
  apply();
  EXPECT_EQ(stored_kate().subject, key);
  EXPECT_EQ(stored_kate().payload, 1024);
}

TEST_F(PolicyPlan, renews_when_two_thirds_of_the_time_are_over) {
  apply();
  EXPECT_THAT(plan(kNow + 19 * 24h)->steps, IsEmpty());
  const auto renewed = plan(kNow + 21 * 24h);
  ASSERT_EQ(renewed->steps.size(), 1U);
  EXPECT_THAT(renewed->steps[0].details, testing::ElementsAre(HasSubstr("expires: ")));
}

TEST_F(PolicyPlan, what_it_does_not_speak_of_stays) {
  apply();
  AccountClaims claims = store_->account("prod")->claims;
  claims.revocations["*"] = kNow - 1h;
  claims.signing_keys.push_back({.key = saved_key(KeyKind::account).public_key().text()});
  claims.mappings["a"] = {{.subject = "b"}};
  ASSERT_TRUE(store_->put_account("prod", issuer().account(operator_, claims).value()));
  policy_.accounts[0].description = "production";
  apply();
  const AccountClaims after = store_->account("prod")->claims;
  EXPECT_EQ(after.description, "production");
  EXPECT_EQ(after.revocations, claims.revocations);
  EXPECT_EQ(after.signing_keys.size(), 1U);
  EXPECT_EQ(after.mappings.size(), 1U);
}

TEST_F(PolicyPlan, removes_only_when_it_is_told_to) {
  apply();
  const std::string key = stored_kate().subject;
  policy_.accounts[0].users.clear();
  const auto kept = plan();
  EXPECT_THAT(kept->steps, IsEmpty());
  EXPECT_THAT(kept->notes, Contains(HasSubstr("prod/kate")));
  apply(kNow, {.prune = true});
  EXPECT_FALSE(store_->has_user("prod", "kate"));
  EXPECT_TRUE(store_->account("prod")->claims.revocations.contains(key));
}

TEST_F(PolicyPlan, prunes_accounts_but_never_the_system_account) {
  put_account(*store_, "old");
  operator_.system_account = put_account(*store_, "SYS").subject;
  ASSERT_TRUE(store_->put_operator(issuer().self_signed(operator_).value()));
  apply(kNow, {.prune = true});
  EXPECT_FALSE(store_->has_account("old"));
  EXPECT_TRUE(store_->has_account("SYS"));
}

TEST_F(PolicyPlan, old_tokens_of_changed_users_are_void_on_demand) {
  apply();
  const UserClaims before = stored_kate();
  kate().limits.permissions.publish.deny = {">"};
  apply(kNow + 60s, {.revoke_old = true});
  const AccountClaims account = store_->account("prod")->claims;
  EXPECT_FALSE(admit_user(before, account, kNow + 120s));
  EXPECT_TRUE(admit_user(stored_kate(), account, kNow + 120s));
  EXPECT_THAT(plan(kNow + 120s, {.revoke_old = true})->steps, IsEmpty());
}

TEST_F(PolicyPlan, a_revoked_user_stays_revoked) {
  apply();
  AccountClaims claims = store_->account("prod")->claims;
  claims.revocations[stored_kate().subject] = kNow;
  ASSERT_TRUE(store_->put_account("prod", issuer().account(operator_, claims).value()));
  kate().limits.payload = 1;
  const auto made = plan();
  EXPECT_THAT(made->steps, IsEmpty());
  EXPECT_THAT(made->notes, Contains(HasSubstr("revoked")));
}

TEST_F(PolicyPlan, private_imports_come_with_an_activation) {
  policy_.accounts[0].exports.push_back({.kind = ShareKind::service, .subject = "orders.>", .is_private = true});
  policy_.accounts.push_back(
      {.name = "test",
       .imports = {
           {.kind = ShareKind::service, .account = "prod", .subject = "orders.get", .local_subject = "prod.get"}}});
  apply();
  const AccountClaims importer = store_->account("test")->claims;
  ASSERT_EQ(importer.imports.size(), 1U);
  EXPECT_EQ(importer.imports[0].local_subject, "prod.get");
  EXPECT_TRUE(activation_holds(importer.imports[0], importer.subject, store_->account("prod")->claims, kNow));
}

TEST_F(PolicyPlan, all_that_cannot_be_is_said_together) {
  policy_.accounts[0].imports = {
      {.kind = ShareKind::stream, .account = "nobody", .subject = "a", .place = "p.yaml:3:5"},
      {.kind = ShareKind::service, .account = "prod", .subject = "b", .place = "p.yaml:4:5"}};
  kate().limits.sources = {"not a network"};
  kate().place = "p.yaml:9:1";
  const auto made = plan();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::policy_invalid);
  EXPECT_THAT(made.error().doing, HasSubstr("p.yaml:3:5: there is no account \"nobody\""));
  EXPECT_THAT(made.error().doing, HasSubstr("p.yaml:4:5: the account prod does not export the service b"));
  EXPECT_THAT(made.error().doing, HasSubstr("p.yaml:9:1: the user kate: "));
}

TEST_F(PolicyPlan, a_missing_key_is_found_out_before_anything_is_written) {
  ASSERT_TRUE(ring_->erase(operator_.subject));
  EXPECT_EQ(plan().error().code, Errc::id_key_missing);
  EXPECT_THAT(store_->account_names().value(), IsEmpty());
}

TEST_F(PolicyPlan, what_a_key_signed_that_may_no_longer_is_signed_anew) {
  AccountClaims claims = put_account(*store_, "prod");
  claims.signing_keys.push_back({.key = saved_key(KeyKind::account).public_key().text()});
  kate().expiry = {};
  put_user(*store_, claims, "kate");  // by the signing key that the stored account does not have
  const auto made = plan();
  ASSERT_EQ(made->steps.size(), 1U);
  EXPECT_THAT(made->steps[0].details, Contains(HasSubstr("may not sign")));
}

TEST(PolicyExpiry, is_read_as_people_write_it) {
  EXPECT_EQ(parse_expiry("30d")->from(kNow), kNow + 30 * 24h);
  EXPECT_EQ(parse_expiry("never")->from(kNow), std::nullopt);
  EXPECT_EQ(parse_expiry("2027-01-01")->from(kNow), std::chrono::sys_days(std::chrono::year(2027) / 1 / 1));
  EXPECT_EQ(parse_expiry("2027-01-01T01:00:00+01:00")->from(kNow),
            std::chrono::sys_days(std::chrono::year(2027) / 1 / 1));
  for (const std::string_view text : {"", "soon", "30", "-1d", "0s", "2027-13-01", "2027-02-30", "30d 12h"}) {
    EXPECT_FALSE(parse_expiry(text)) << text;
  }
}

TEST_F(StoreWorld, differences_name_what_was_and_what_is) {
  const Store store = make_operator();
  AccountClaims claims = put_account(store, "prod");
  const std::string before = store.account("prod")->token;
  claims.limits.connections = 10;
  claims.description = "x";
  const std::string after = Issuer(*ring_, kNow + 1h).account(operator_, claims).value();
  EXPECT_THAT(differences(before, after), testing::UnorderedElementsAre("limits.conn: -1 -> 10", "description: x"));
  EXPECT_THAT(differences(after, after), IsEmpty());
}

}  // namespace
}  // namespace hawser::identity
