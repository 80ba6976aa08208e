#include "rotation/engine.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "rotation/fleet.hpp"
#include "rotation/plans.hpp"

namespace hawser::rotation {
namespace {

const Error kBroken{Errc::rotation_command_failed, "exit status 1"};

Fleet at_its_end(const Plan& plan) {
  Fleet fleet(plan);
  std::ranges::fill(fleet.disk, Trust::new_alone);
  std::ranges::fill(fleet.memory, Trust::new_alone);
  fleet.files.assign(fleet.files.size(), true);
  fleet.presents_new = fleet.files;
  return fleet;
}

std::vector<Step> steps_of_a_whole_run(const Plan& plan) {
  Fleet fleet(plan);
  std::vector<Passed> journal;
  Life life{.plan = plan, .fleet = fleet, .journal = journal};
  EXPECT_EQ(life.run()->phase, Phase::done);
  return life.steps;
}

TEST(RotationEngine, goes_through_the_steps_in_their_only_order) {
  const Plan plan = plan_of(2, {1, 1});
  const std::vector<Step> wanted{
      {StepKind::preflight, 0},     {StepKind::write_broad, 0},   {StepKind::reload_broad, 0},
      {StepKind::prove_broad, 0},   {StepKind::write_broad, 1},   {StepKind::reload_broad, 1},
      {StepKind::prove_broad, 1},   {StepKind::measure, 0},       {StepKind::deliver, 0},
      {StepKind::apply, 0},         {StepKind::prove, 0},         {StepKind::guard, 0},
      {StepKind::deliver, 1},       {StepKind::apply, 1},         {StepKind::prove, 1},
      {StepKind::guard, 1},         {StepKind::converge, 0},      {StepKind::write_narrow, 0},
      {StepKind::reload_narrow, 0}, {StepKind::prove_narrow, 0},  {StepKind::converge, 1},
      {StepKind::write_narrow, 1},  {StepKind::reload_narrow, 1}, {StepKind::prove_narrow, 1},
      {StepKind::converge, 2}};
  EXPECT_EQ(steps_of_a_whole_run(plan), wanted);
}

TEST(RotationEngine, ends_with_narrow_trust_and_nobody_was_ever_refused) {
  const Plan plan = plan_of(3, {1, 4, 2});
  Fleet fleet(plan);
  std::vector<Passed> journal;
  Life life{.plan = plan, .fleet = fleet, .journal = journal};
  EXPECT_EQ(life.run()->phase, Phase::done);
  EXPECT_EQ(fleet, at_its_end(plan));
  EXPECT_EQ((Life{.plan = plan, .fleet = fleet, .journal = journal}.run()->phase), Phase::done);
}

TEST(RotationEngine, moves_no_more_targets_at_a_time_than_the_wave_says) {
  Plan plan = plan_of(1, {7});
  plan.waves[0].parallel = 3;
  Fleet fleet(plan);
  std::vector<Passed> journal;
  Life life{.plan = plan, .fleet = fleet, .journal = journal};
  EXPECT_EQ(life.run()->phase, Phase::done);
  EXPECT_EQ(life.most_at_once, 3U);
}

TEST(RotationEngine, runs_waves_side_by_side_that_wait_for_the_same_one) {
  Plan plan = plan_of(1, {1, 2, 2, 1});
  plan.waves[2].after = {0};
  plan.waves[3].after = {1, 2};
  Fleet fleet(plan);
  std::vector<Passed> journal;
  Life life{.plan = plan, .fleet = fleet, .journal = journal};
  EXPECT_EQ(life.run()->phase, Phase::done);
  EXPECT_EQ(life.most_at_once, 2U);
  const auto at = [&](Step step) { return std::ranges::find(life.steps, step) - life.steps.begin(); };
  EXPECT_LT(at({StepKind::deliver, 3}), at({StepKind::guard, 1}));  // the third wave did not wait for the second
  EXPECT_GT(at({StepKind::deliver, 5}), at({StepKind::guard, 1}));
  EXPECT_GT(at({StepKind::deliver, 5}), at({StepKind::guard, 2}));
}

TEST(RotationEngine, looks_at_a_proof_again_until_its_time_is_over) {
  Plan plan = plan_of(1, {1});
  plan.times.prove = std::chrono::seconds(10);
  plan.times.poll = std::chrono::seconds(1);
  Fleet fleet(plan);
  std::vector<Passed> journal;
  std::uint32_t attempts = 0;
  Life life{.plan = plan, .fleet = fleet, .journal = journal};
  life.fault = [&](Step step, std::uint32_t attempt) -> std::optional<Error> {
    if (step.kind != StepKind::prove) return std::nullopt;
    attempts = attempt;
    return Error{Errc::rotation_not_proven, "a1 presents the old one"};
  };
  const auto end = life.run();
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->phase, Phase::stopped);
  EXPECT_EQ(end->why->doing, "a1 presents the old one");
  EXPECT_EQ(attempts, 10U);

  // A last look that its end cut short says nothing.
  life.fault = [&](Step step, std::uint32_t attempt) -> std::optional<Error> {
    if (step.kind != StepKind::prove) return std::nullopt;
    return attempt < 5 ? Error{Errc::rotation_not_proven, "an old one"}
                       : Error{Errc::accept_timeout, "no answer in time"};
  };
  EXPECT_EQ(life.run()->why->doing, "an old one");

  life.fault = [&](Step step, std::uint32_t attempt) -> std::optional<Error> {
    return step.kind == StepKind::prove && attempt < 4 ? std::optional(Error{Errc::rotation_monitor_silent, ""})
                                                       : std::nullopt;
  };
  EXPECT_EQ(life.run()->phase, Phase::done);
}

TEST(RotationEngine, a_try_that_its_end_cut_short_says_nothing_where_an_earlier_one_has_said_something) {
  const Plan plan = plan_of(1, {1});
  Fleet fleet(plan);
  std::vector<Passed> journal;
  Life life{.plan = plan, .fleet = fleet, .journal = journal};
  life.fault = [&](Step step, std::uint32_t attempt) -> std::optional<Error> {
    if (step.kind != StepKind::apply) return std::nullopt;
    return attempt < 3 ? Error{Errc::connect_failed, "refused"} : Error{Errc::connect_timeout, "too late"};
  };
  EXPECT_EQ(life.run()->why->doing, "refused");
  life.fault = [&](Step step, std::uint32_t attempt) -> std::optional<Error> {
    if (step.kind != StepKind::apply) return std::nullopt;
    return attempt < 3 ? Error{Errc::connect_failed, "refused"} : Error{Errc::rotation_not_applied, "status 422"};
  };
  EXPECT_EQ(life.run()->why->doing, "status 422");
  life.fault = [&](Step step, std::uint32_t) -> std::optional<Error> {
    return step.kind == StepKind::apply ? std::optional(Error{Errc::connect_timeout, "too late"}) : std::nullopt;
  };
  EXPECT_EQ(life.run()->why->doing, "too late");
}

TEST(RotationEngine, never_narrows_while_something_old_is_left) {
  const Plan plan = plan_of(2, {2});
  Fleet fleet(plan);
  fleet.stranger_is_old = true;
  std::vector<Passed> journal;
  Life life{.plan = plan, .fleet = fleet, .journal = journal};
  EXPECT_EQ(life.run()->phase, Phase::stopped);
  EXPECT_EQ(fleet.disk, std::vector(2, Trust::both));
  fleet.stranger_is_old = false;
  EXPECT_EQ((Life{.plan = plan, .fleet = fleet, .journal = journal}.run()->phase), Phase::done);
}

TEST(RotationEngine, looks_anew_for_what_is_old_when_it_goes_on_before_narrowing) {
  const Plan plan = plan_of(2, {1});
  Fleet fleet(plan);
  std::vector<Passed> journal;
  Life life{.plan = plan, .fleet = fleet, .journal = journal};
  life.fault = [](Step step, std::uint32_t) -> std::optional<Error> {
    return step == Step{StepKind::write_narrow, 0} ? std::optional(kBroken) : std::nullopt;
  };
  EXPECT_EQ(life.run()->phase, Phase::stopped);
  fleet.stranger_is_old = true;  // it came in the meantime
  EXPECT_EQ((Life{.plan = plan, .fleet = fleet, .journal = journal}.run()->phase), Phase::stopped);
  EXPECT_EQ(fleet.disk, std::vector(2, Trust::both));
}

TEST(RotationEngine, names_what_a_broker_holds_under_old_trust_after_all_were_narrowed) {
  const Plan plan = plan_of(1, {1});
  Fleet fleet(plan);
  std::vector<Passed> journal;
  Life life{.plan = plan, .fleet = fleet, .journal = journal};
  life.fault = [&](Step step, std::uint32_t) -> std::optional<Error> {
    fleet.stranger_is_old = step == Step{StepKind::converge, 1};
    return std::nullopt;
  };
  EXPECT_EQ(life.run()->phase, Phase::stopped);
  EXPECT_EQ(fleet.memory, std::vector(1, Trust::new_alone));
}

TEST(RotationEngine, starts_nothing_after_a_failure_and_waits_for_what_runs) {
  Plan plan = plan_of(1, {6});
  plan.waves[0].parallel = 3;
  Fleet fleet(plan);
  std::vector<Passed> journal;
  Life life{.plan = plan, .fleet = fleet, .journal = journal};
  life.fault = [](Step step, std::uint32_t) -> std::optional<Error> {
    return step == Step{StepKind::deliver, 0} ? std::optional(kBroken) : std::nullopt;
  };
  EXPECT_EQ(life.run()->phase, Phase::stopped);
  EXPECT_EQ(std::ranges::count_if(life.steps, [](Step s) { return scope_of(s.kind) == StepScope::target; }), 3);
  EXPECT_EQ(fleet.files, (std::vector{false, true, true, false, false, false}));
}

TEST(RotationEngine, stops_in_order_when_it_is_asked_to) {
  const Plan plan = plan_of(1, {1});
  Engine engine(plan, {});
  Actions actions;
  engine.start(Time{}, actions);
  ASSERT_EQ(actions.size(), 1U);
  actions.clear();
  engine.stop({Errc::interrupted, "^C"}, Time{}, actions);
  EXPECT_TRUE(actions.empty());  // preflight still runs
  engine.on_done({StepKind::preflight, 0}, Time{}, actions);
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(std::get<action::Finished>(actions[0]).why->code, Errc::interrupted);
  EXPECT_EQ(std::get<action::Finished>(actions[0]).where, std::nullopt);
}

TEST(RotationEngine, stops_at_once_when_its_journal_cannot_be_written) {
  Plan plan = plan_of(1, {1});
  plan.on_breach = OnBreach::roll_wave_back;
  Fleet fleet(plan);
  std::vector<Passed> journal;
  Life life{.plan = plan, .fleet = fleet, .journal = journal};
  life.fault = [](Step step, std::uint32_t) -> std::optional<Error> {
    return step.kind == StepKind::prove ? std::optional(Error{Errc::rotation_journal_unusable, "disk full"})
                                        : std::nullopt;
  };
  const auto end = life.run();
  EXPECT_EQ(end->why->code, Errc::rotation_journal_unusable);
  EXPECT_EQ(life.steps.back(), (Step{StepKind::prove, 0}));
}

TEST(RotationEngine, rolls_the_wave_back_that_broke_when_the_plan_says_so) {
  Plan plan = plan_of(1, {1, 3});
  plan.on_breach = OnBreach::roll_wave_back;
  plan.waves[1].parallel = 2;
  Fleet fleet(plan);
  std::vector<Passed> journal;
  Life life{.plan = plan, .fleet = fleet, .journal = journal};
  const Error breach{Errc::rotation_guard_breached, "hawser_disconnects_total grew by 3"};
  life.fault = [&](Step step, std::uint32_t) -> std::optional<Error> {
    return step == Step{StepKind::guard, 1} ? std::optional(breach) : std::nullopt;
  };
  const auto end = life.run();
  EXPECT_EQ(end->phase, Phase::stopped);
  EXPECT_EQ(end->why->doing, breach.doing);
  EXPECT_EQ(end->where, (Step{StepKind::guard, 1}));
  EXPECT_EQ(fleet.presents_new, (std::vector{true, false, false, false}));
  EXPECT_EQ(fleet.memory, std::vector(1, Trust::both));
  EXPECT_EQ((Life{.plan = plan, .fleet = fleet, .journal = journal}.run()->phase), Phase::done);
  EXPECT_EQ(fleet, at_its_end(plan));
}

// What holds wherever it was stopped.

TEST(RotationEngine, a_failure_of_any_step_stops_it_and_mended_it_goes_on_to_the_same_end) {
  Plan plan = plan_of(2, {1, 3});
  plan.waves[1].parallel = 2;
  for (const Step broken : steps_of_a_whole_run(plan)) {
    SCOPED_TRACE(step_text(plan, broken));
    Fleet fleet(plan);
    std::vector<Passed> journal;
    Life life{.plan = plan, .fleet = fleet, .journal = journal};
    life.fault = [broken](Step step, std::uint32_t) -> std::optional<Error> {
      return step == broken ? std::optional(kBroken) : std::nullopt;
    };
    const auto end = life.run();
    ASSERT_TRUE(end.has_value());
    EXPECT_EQ(end->phase, Phase::stopped);
    EXPECT_EQ(end->why->code, kBroken.code);
    EXPECT_EQ(end->where, broken);
    life.fault = {};
    EXPECT_EQ(life.run()->phase, Phase::done);
    EXPECT_EQ(fleet, at_its_end(plan));
  }
}

TEST(RotationEngine, killed_after_any_action_it_goes_on_to_the_same_end) {
  Plan plan = plan_of(2, {1, 3});
  plan.waves[1].parallel = 2;
  const std::size_t all = steps_of_a_whole_run(plan).size();
  for (const LastStep last : {LastStep::begun, LastStep::done}) {
    for (std::size_t performs = 0; performs <= all; ++performs) {
      SCOPED_TRACE(performs);
      Fleet fleet(plan);
      std::vector<Passed> journal;
      Life killed{.plan = plan, .fleet = fleet, .journal = journal, .performs = performs, .last = last};
      EXPECT_FALSE(killed.run().has_value());
      EXPECT_EQ((Life{.plan = plan, .fleet = fleet, .journal = journal}.run()->phase), Phase::done);
      EXPECT_EQ(fleet, at_its_end(plan));
    }
  }
}

TEST(RotationEngine, rolls_back_from_anywhere_before_its_end_and_begins_as_it_did) {
  Plan plan = plan_of(2, {1, 3});
  plan.waves[1].parallel = 2;
  const std::size_t all = steps_of_a_whole_run(plan).size();
  for (const LastStep last : {LastStep::begun, LastStep::done}) {
    for (std::size_t performs = 0; performs <= all; ++performs) {
      SCOPED_TRACE(performs);
      Fleet fleet(plan);
      std::vector<Passed> journal;
      Life killed{.plan = plan, .fleet = fleet, .journal = journal, .performs = performs, .last = last};
      EXPECT_FALSE(killed.run().has_value());
      const auto end = Life{.plan = plan, .fleet = fleet, .journal = journal}.run(true);
      ASSERT_TRUE(end.has_value());
      EXPECT_EQ(end->phase, Phase::rolled_back);
      EXPECT_EQ(fleet, Fleet(plan));
    }
  }
}

TEST(RotationEngine, killed_on_its_way_back_it_goes_on_back_whatever_is_asked) {
  Plan plan = plan_of(2, {2});
  const std::size_t all = steps_of_a_whole_run(plan).size();
  for (std::size_t forth = 1; forth < all; forth += 3) {
    for (std::size_t back = 0; back < 40; ++back) {
      SCOPED_TRACE(std::to_string(forth) + " forth, " + std::to_string(back) + " back");
      Fleet fleet(plan);
      std::vector<Passed> journal;
      EXPECT_FALSE((Life{.plan = plan, .fleet = fleet, .journal = journal, .performs = forth}.run().has_value()));
      if (Life{.plan = plan, .fleet = fleet, .journal = journal, .performs = back}.run(true)) break;
      EXPECT_EQ((Life{.plan = plan, .fleet = fleet, .journal = journal}.run(back % 2 == 0)->phase), Phase::rolled_back);
      EXPECT_EQ(fleet, Fleet(plan));
    }
  }
}

TEST(RotationEngine, cannot_be_rolled_back_when_it_is_done) {
  const Plan plan = plan_of(1, {1});
  Fleet fleet(plan);
  std::vector<Passed> journal;
  EXPECT_EQ((Life{.plan = plan, .fleet = fleet, .journal = journal}.run()->phase), Phase::done);
  const auto end = Life{.plan = plan, .fleet = fleet, .journal = journal}.run(true);
  EXPECT_EQ(end->why->code, Errc::rotation_irreversible);
  EXPECT_EQ(fleet, at_its_end(plan));
}

TEST(RotationEngine, keeps_old_trust_broad_while_a_returned_target_still_presents_the_new_certificate) {
  Plan plan = plan_of(1, {1});
  Fleet fleet(plan);
  std::vector<Passed> journal;
  EXPECT_FALSE((Life{.plan = plan, .fleet = fleet, .journal = journal, .performs = 8}.run().has_value()));
  Life life{.plan = plan, .fleet = fleet, .journal = journal};
  life.fault = [](Step step, std::uint32_t) -> std::optional<Error> {
    return step.kind == StepKind::return_converge ? std::optional(kBroken) : std::nullopt;
  };
  EXPECT_EQ(life.run(true)->phase, Phase::stopped);
  EXPECT_EQ(fleet.memory, std::vector(1, Trust::both));
}

TEST(RotationEngine, ignores_answers_that_nobody_waits_for) {
  const Plan plan = plan_of(1, {1});
  Engine engine(plan, {});
  Actions actions;
  engine.start(Time{}, actions);
  actions.clear();
  engine.on_done({StepKind::prove_narrow, 0}, Time{}, actions);
  engine.on_failed({StepKind::deliver, 0}, kBroken, Time{}, actions);
  EXPECT_TRUE(actions.empty());
  EXPECT_FALSE(engine.marks().touched(StepKind::prove_narrow));
}

}  // namespace
}  // namespace hawser::rotation
