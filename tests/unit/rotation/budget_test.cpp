#include "rotation/budget.hpp"

#include <gtest/gtest.h>

#include "rotation/plans.hpp"

namespace hawser::rotation {
namespace {

using namespace std::chrono_literals;

Plan timed(const std::vector<std::size_t>& waves) {
  Plan plan = plan_of(2, waves);
  plan.times = {.preflight = 10s,
                .reload = 1s,
                .probe = 2s,
                .deliver = 3s,
                .apply = 4s,
                .prove = 5s,
                .converge = 20s,
                .poll = 1s,
                .margin = 1h};
  for (Wave& wave : plan.waves) wave.settle = 1s;
  return plan;
}

TEST(RotationBudget, adds_up_what_comes_after_each_other) {
  Plan plan = timed({5, 1});
  plan.waves[0].parallel = 2;
  const TimeNeeded needed = time_needed(plan);
  // preflight, two brokers of 3+1+2, counters, three rounds of 3+4+5 and one, each with a second and its guards,
  // converge
  EXPECT_EQ(needed.moved, 10s + 2 * 6s + 3s + (3 * 12s + 4s) + (12s + 4s) + 20s);
  EXPECT_EQ(needed.total, needed.moved + 2 * (20s + 3s + 1s + 2s));
  EXPECT_EQ(needed.lines.size(), 7U);
}

TEST(RotationBudget, takes_the_longest_of_waves_that_run_side_by_side) {
  Plan plan = timed({1, 9, 2});
  const TimeNeeded one_by_one = time_needed(plan);
  plan.waves[2].after = {0};
  const TimeNeeded side_by_side = time_needed(plan);
  EXPECT_EQ(one_by_one.moved - side_by_side.moved, 2 * 12s + 4s);
  EXPECT_EQ(side_by_side.lines[4].begins, side_by_side.lines[5].begins);
}

TEST(RotationBudget, more_lanes_meet_a_tighter_window) {
  Plan plan = timed({8});
  const TimeNeeded slow = time_needed(plan);
  plan.waves[0].parallel = 8;
  EXPECT_EQ(slow.moved - time_needed(plan).moved, 7 * 12s);
}

TEST(RotationBudget, refuses_certificates_that_end_too_early_or_begin_too_late) {
  const WallTime now{std::chrono::hours(24 * 365 * 50)};
  const tls::Seconds today = std::chrono::floor<std::chrono::seconds>(now);
  const TimeNeeded needed{.lines = {}, .moved = 60s, .narrowed = 40s, .total = 100s};
  struct Row {
    tls::Seconds from, to;
    NeededUntil until;
    bool good;
  };
  const tls::Seconds year_9999{std::chrono::seconds(253402300799)};
  for (const Row& row :
       {Row{today, today + 61s, NeededUntil::moved, true}, Row{today, today + 59s, NeededUntil::moved, false},
        Row{today, today + 60s, NeededUntil::moved, true}, Row{today - 9s, today, NeededUntil::moved, false},
        Row{today + 1s, today + 9h, NeededUntil::end, false}, Row{today, today + 101s, NeededUntil::end, false},
        Row{today, today + 1h + 100s, NeededUntil::end, true}, Row{today, year_9999, NeededUntil::end, true}}) {
    const Lifetime one{"it", row.from, row.to, row.until};
    EXPECT_EQ(outlived(std::span(&one, 1), needed, 1h, now).empty(), row.good) << tls::format_time(row.to);
  }
}

TEST(RotationBudget, what_only_targets_needed_may_end_when_all_of_them_are_moved) {
  const WallTime now{std::chrono::hours(24 * 365 * 50)};
  const tls::Seconds today = std::chrono::floor<std::chrono::seconds>(now);
  const TimeNeeded needed = time_needed(timed({1}));
  const Lifetime old_ca{"old", today - 9h, today - 1h, NeededUntil::moved};
  const Lifetime probe{"probe", today - 9h, today + std::chrono::ceil<std::chrono::seconds>(needed.narrowed),
                       NeededUntil::narrowed};
  const std::vector<Lifetime> both{old_ca, probe};
  EXPECT_EQ(outlived(both, needed, 1h, now, Ahead::everything).size(), 2U);
  EXPECT_TRUE(outlived(both, needed, 1h, now, Ahead::narrowing).empty());
  EXPECT_EQ(needed.narrowed, 10s + 20s + 2 * (20s + 3s + 1s + 2s));
}

}  // namespace
}  // namespace hawser::rotation
