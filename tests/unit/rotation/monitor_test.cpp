#include "rotation/monitor.hpp"

#include <gtest/gtest.h>

#include "rotation/counters.hpp"
#include "rotation/plans.hpp"

namespace hawser::rotation {
namespace {

const std::string kNew(64, 'a');
const std::string kOld(64, 'b');
const std::string kOther(64, 'c');

FleetConnection seen(const std::string& certificate, std::string name = "", std::string user = "") {
  return {0,
          {.cid = 7,
           .address = "10.0.0.1:4",
           .since = "noon",
           .name = std::move(name),
           .user = SeenUser(std::move(user), SeenUser::Kind::perhaps_a_token),
           .certificate = certificate,
           .subject = "CN=x",
           .admitted = true}};
}

FleetConnection seen_user(std::string user, std::string issuer = "", std::string name = "") {
  FleetConnection out = seen("", std::move(name), std::move(user));
  out.seen.issuer = std::move(issuer);
  return out;
}

Identity with_certificate(std::string certificate) { return {.certificate = std::move(certificate)}; }
Identity with_user(std::string user, std::string issuer = "") {
  return {.certificate = {}, .user = std::move(user), .issuer = std::move(issuer)};
}

Identities set_of(const std::vector<Identity>& all) {
  Identities out;
  for (const Identity& one : all) out.add(one);
  return out;
}

std::string judged(const Proof& proof, const std::vector<FleetConnection>& all, const std::string& stale = kOld) {
  Plan plan = plan_of(1, {1});
  plan.waves[0].targets[0].prove = proof;
  const auto verdict =
      judge_target(plan, plan.waves[0].targets[0], all, with_certificate(kNew), with_certificate(stale));
  return verdict ? "proven" : verdict.error().doing;
}

Proof proof(std::uint32_t connections, std::string name = "", std::string user = "") {
  return {
      .certificate = {}, .replaces = {}, .connections = connections, .name = std::move(name), .user = std::move(user)};
}

TEST(RotationMonitor, proves_a_target_by_its_certificate) {
  EXPECT_EQ(judged(proof(2), {seen(kNew), seen(kNew), seen(kOther)}), "proven");
  EXPECT_NE(judged(proof(2), {seen(kNew), seen(kOther)}).find("1 connections present"), std::string::npos);
  EXPECT_NE(judged(proof(1), {seen(kNew), seen(kOld)}).find("n1 cid 7"), std::string::npos);
  EXPECT_EQ(judged(proof(1), {seen(kNew), seen(kOld)}, ""), "proven");
  EXPECT_NE(judged(proof(1), {}), "proven");
}

TEST(RotationMonitor, proves_a_target_by_name_and_user_when_they_are_given) {
  EXPECT_EQ(judged(proof(1, "a"), {seen(kNew, "a"), seen(kOld, "b")}), "proven");
  EXPECT_NE(judged(proof(1, "a"), {seen(kNew, "a"), seen(kOther, "a")}), "proven");
  EXPECT_NE(judged(proof(1, "a", "u"), {seen(kNew, "a", "v")}), "proven");
  EXPECT_EQ(judged(proof(1, "", "u"), {seen(kNew, "z", "u")}), "proven");
  EXPECT_NE(judged(proof(1, "a"), {seen("", "a")}).find("presents CN=x no certificate"), std::string::npos);
}

TEST(RotationMonitor, names_whatever_is_not_known_to_be_new) {
  Plan plan = plan_of(1, {1});
  plan.waves[0].targets[0].prove.user = "kate";
  const Identities fresh = set_of({with_certificate(kNew)});
  const auto left = judge_fleet(plan, {seen(kNew), seen(kOther, "straggler", "kate")}, fresh, Demand::all_of, "old");
  ASSERT_FALSE(left.has_value());
  EXPECT_EQ(left.error().code, Errc::rotation_not_converged);
  EXPECT_NE(
      left.error().doing.find("n1 cid 7 (straggler, user kate) from 10.0.0.1:4 since noon presents CN=x cccccccc"),
      std::string::npos)
      << left.error().doing;
  EXPECT_TRUE(judge_fleet(plan, {seen(kNew), seen("")}, fresh, Demand::all_of, "old").has_value());
  EXPECT_TRUE(judge_fleet(plan, {seen(kOther)}, fresh, Demand::none_of, "new").has_value());
  EXPECT_FALSE(judge_fleet(plan, {seen(kNew)}, fresh, Demand::none_of, "new").has_value());
  const std::vector<FleetConnection> many(25, seen(kOld));
  EXPECT_NE(judge_fleet(plan, many, fresh, Demand::all_of, "old").error().doing.find("and 15 more"), std::string::npos);
}

TEST(RotationMonitor, what_may_be_a_token_is_in_no_message) {
  const Plan plan = plan_of(1, {1});
  const auto left = judge_fleet(plan, {seen(kOther, "late", "s3cr3t-token")}, {}, Demand::all_of, "old");
  ASSERT_FALSE(left.has_value());
  EXPECT_EQ(left.error().doing.find("s3cr3t"), std::string::npos);
  EXPECT_NE(left.error().doing.find("(late, user hidden, as it may be a token)"), std::string::npos)
      << left.error().doing;
}

// Kind credentials.

Plan of_credentials() {
  Plan plan = plan_of(1, {1});
  plan.kind = PlanKind::credentials;
  return plan;
}

std::string judged_user(const Proof& proof, const std::vector<FleetConnection>& all) {
  Plan plan = of_credentials();
  plan.waves[0].targets[0].prove = proof;
  const auto verdict = judge_target(plan, plan.waves[0].targets[0], all, with_user("kate-2"), with_user("kate-1"));
  return verdict ? "proven" : verdict.error().doing;
}

TEST(RotationMonitor, proves_a_target_by_its_user) {
  Proof plain = proof(1, "", "kate-2");
  EXPECT_EQ(judged_user(plain, {seen_user("kate-2"), seen_user("svc")}), "proven");
  EXPECT_EQ(judged_user(plain, {seen_user("svc")}), "a1: 0 connections present user kate-2, and 1 have to");
  plain.replaces_user = "kate-1";
  EXPECT_EQ(judged_user(plain, {seen_user("kate-2"), seen_user("kate-1", "", "late")}),
            "a1: 1 connections present another user: n1 cid 7 (late) from 10.0.0.1:4 since noon presents user kate-1");
  const Proof by_name = proof(1, "kate");
  EXPECT_EQ(judged_user(by_name, {seen_user("kate-2", "", "kate"), seen_user("kate-1", "", "other")}), "proven");
  EXPECT_NE(judged_user(by_name, {seen_user("kate-2", "", "kate"), seen_user("svc", "", "kate")}), "proven");
}

TEST(RotationMonitor, the_same_user_is_another_identity_once_another_key_has_signed_it) {
  const FleetConnection moved = seen_user("U1", "ANEW");
  EXPECT_TRUE(presents(moved.seen, with_user("U1", "ANEW")));
  EXPECT_FALSE(presents(moved.seen, with_user("U1", "AOLD")));
  EXPECT_TRUE(presents(moved.seen, with_user("U1")));
  EXPECT_TRUE(presents(moved.seen, with_user("", "ANEW")));
  EXPECT_FALSE(presents(moved.seen, {}));
}

TEST(RotationMonitor, what_is_retired_may_be_presented_by_nobody_and_others_are_not_asked) {
  const Plan plan = of_credentials();
  const Identities retired = set_of({with_user("U1", "AOLD"), with_user("", "AGONE"), with_user("kate-1")});
  for (const FleetConnection& good :
       {seen_user("U1", "ANEW"), seen_user("svc"), seen_user(""), seen_user("U2", "AOLD")})
    EXPECT_TRUE(judge_fleet(plan, {good}, retired, Demand::none_of, "old").has_value()) << good.seen.issuer;
  for (const FleetConnection& bad : {seen_user("U1", "AOLD"), seen_user("U7", "AGONE"), seen_user("kate-1")})
    EXPECT_EQ(judge_fleet(plan, {bad}, retired, Demand::none_of, "old").error().code, Errc::rotation_not_converged);
  FleetConnection straggler = seen_user("UKEY", "AGONE", "late");
  straggler.seen.user = SeenUser("UKEY", SeenUser::Kind::certainly_a_user);
  EXPECT_EQ(judge_fleet(plan, {straggler}, retired, Demand::none_of, "old").error().doing,
            "1 connections: n1 cid 7 (late) from 10.0.0.1:4 since noon presents user UKEY signed by AGONE");
}

TEST(RotationMonitor, an_identity_that_stays_is_found_among_what_is_retired) {
  const Identities retired = set_of({with_user("U1", "AOLD"), with_user("", "AGONE")});
  EXPECT_EQ(retired.match(with_user("U1", "ANEW")), nullptr);
  EXPECT_EQ(retired.match(Identity{}), nullptr);
  ASSERT_NE(retired.match(with_user("U9", "AGONE")), nullptr);
  EXPECT_EQ(to_text(*retired.match(with_user("U9", "AGONE"))), "users that AGONE signs");
  EXPECT_EQ(to_text(*retired.match(with_user("U1", "AOLD"))), "user U1 signed by AOLD");
}

TEST(RotationMonitor, a_token_is_compared_and_never_shown) {
  // SHA-256 of "T0"
  const Identity token{.certificate = {},
                       .user = "c9c2be9fdb0b42d17fb5b7a60ddc455109781682f15af87e2943c53a2a9973fa",
                       .issuer = {},
                       .token = true};
  EXPECT_EQ(to_text(token), "a token");
  EXPECT_TRUE(presents(seen_user("[REDACTED]").seen, token));
  EXPECT_TRUE(presents(seen_user("T0").seen, token));
  EXPECT_FALSE(presents(seen_user("T1").seen, token));
  EXPECT_FALSE(presents(seen_user("").seen, token));
}

TEST(RotationCounters, compares_with_what_was_before) {
  Plan plan = plan_of(1, {1});
  plan.guards.counters = {{"lost_total", 0}, {"again_total", 2}};
  plan.guards.slow_consumers = 1;
  const Counters before{{"lost_total", 5}, {"again_total", 1}, {"slow_consumers", 0}};
  EXPECT_EQ(*parse_counters(to_text(before)), before);
  EXPECT_TRUE(judge_counters(plan, before, {{"lost_total", 5}, {"again_total", 3}, {"slow_consumers", 1}}).has_value());
  EXPECT_TRUE(judge_counters(plan, before, {}).has_value());  // begun anew
  const auto breached = judge_counters(plan, before, {{"lost_total", 6}, {"again_total", 4}});
  EXPECT_EQ(breached.error().code, Errc::rotation_guard_breached);
  EXPECT_EQ(breached.error().doing, "lost_total grew by 1 of 0, again_total grew by 3 of 2");
  EXPECT_FALSE(parse_counters("x").has_value());
  EXPECT_FALSE(parse_counters("x y\n").has_value());
}

}  // namespace
}  // namespace hawser::rotation
