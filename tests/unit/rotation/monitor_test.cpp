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
           .user = std::move(user),
           .certificate = certificate,
           .subject = "CN=x",
           .admitted = true}};
}

std::string judged(const Proof& proof, const std::vector<FleetConnection>& all, const std::string& stale = kOld) {
  Plan plan = plan_of(1, {1});
  plan.waves[0].targets[0].prove = proof;
  const auto verdict = judge_target(plan, plan.waves[0].targets[0], all, kNew, stale);
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
  const Plan plan = plan_of(1, {1});
  const auto left = judge_fleet(plan, {seen(kNew), seen(kOther, "straggler", "kate")}, {kNew}, Demand::all_of);
  ASSERT_FALSE(left.has_value());
  EXPECT_EQ(left.error().code, Errc::rotation_not_converged);
  EXPECT_NE(
      left.error().doing.find("n1 cid 7 (straggler, user kate) from 10.0.0.1:4 since noon presents CN=x cccccccc"),
      std::string::npos)
      << left.error().doing;
  EXPECT_TRUE(judge_fleet(plan, {seen(kNew), seen("")}, {kNew}, Demand::all_of).has_value());
  EXPECT_TRUE(judge_fleet(plan, {seen(kOther)}, {kNew}, Demand::none_of).has_value());
  EXPECT_FALSE(judge_fleet(plan, {seen(kNew)}, {kNew}, Demand::none_of).has_value());
  const std::vector<FleetConnection> many(25, seen(kOld));
  EXPECT_NE(judge_fleet(plan, many, {kNew}, Demand::all_of).error().doing.find("and 15 more"), std::string::npos);
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
