#include "rotation/runner.hpp"

#include <atomic>
#include <gtest/gtest.h>

#include "rotation/directory.hpp"
#include "rotation/fleet.hpp"
#include "rotation/plans.hpp"
#include "store/database.hpp"

namespace hawser::rotation {
namespace {

class Quiet final : public Watcher {
 public:
  void on_done(Step, const std::string&, Duration) override { ++done; }
  void on_failed(Step, const Error& error, std::uint32_t) override { last = error; }
  std::size_t done = 0;
  Error last;
};

struct World {
  explicit World(Plan the_plan) : plan(std::move(the_plan)), fleet(plan) {
    plan.journal = here.path / "journal";
    for (Wave& wave : plan.waves) wave.settle = {};
  }

  Result<action::Finished> run(Intent intent) {
    auto journal = Journal::open(plan.journal, Journal::Role::owner);
    if (!journal) return std::unexpected(journal.error());
    const auto passed = take_up(**journal, plan, intent, wall_now());
    if (!passed) return std::unexpected(passed.error());
    Runner runner(
        plan, **journal,
        [this](Step step, Time, const std::stop_token&) -> Result<std::string> {
          const std::lock_guard lock(mutex);
          if (step == broken) return fail(Errc::rotation_command_failed, "exit status 1");
          return fleet.perform(step) ? Result<std::string>("seen") : fail(Errc::rotation_not_proven, "not so");
        },
        [](Step) { return std::string("would"); }, watcher);
    return runner.run(*passed, intent, [this] { return stop.load(); });
  }

  Directory here;
  Plan plan;
  std::mutex mutex;
  Fleet fleet;
  Quiet watcher;
  std::optional<Step> broken;
  std::atomic<bool> stop{false};
};

TEST(RotationRunner, keeps_each_step_before_and_after_it) {
  World world(plan_of(2, {3}));
  world.plan.waves[0].parallel = 2;
  EXPECT_EQ(world.run(Intent::begin)->phase, Phase::done);
  EXPECT_EQ(world.fleet.memory, std::vector(2, Trust::new_alone));
  const auto journal = Journal::open(world.plan.journal, Journal::Role::reader);
  const auto rows = (*journal)->passed();
  EXPECT_EQ(rows->size(), 2 * world.watcher.done + 1);  // and the decision that it is over
  EXPECT_EQ(rows->front().detail, "would");
  EXPECT_EQ(rows->at(1).detail, "seen");
}

TEST(RotationRunner, goes_on_after_a_failure_and_knows_what_it_may_do) {
  World world(plan_of(1, {1}));
  EXPECT_EQ(world.run(Intent::resume).error().code, Errc::rotation_not_begun);
  world.broken = Step{StepKind::apply, 0};
  const auto stopped = world.run(Intent::begin);
  EXPECT_EQ(stopped->phase, Phase::stopped);
  EXPECT_EQ(stopped->why->code, Errc::rotation_command_failed);
  EXPECT_EQ(world.run(Intent::begin).error().code, Errc::rotation_stopped);
  world.plan.digest = "other";
  EXPECT_EQ(world.run(Intent::resume).error().code, Errc::rotation_plan_changed);
  world.plan.digest = "d";
  world.broken.reset();
  EXPECT_EQ(world.run(Intent::resume)->phase, Phase::done);
  EXPECT_EQ(world.run(Intent::resume).error().code, Errc::rotation_not_begun);
  EXPECT_EQ(world.run(Intent::roll_back).error().code, Errc::rotation_irreversible);
  EXPECT_EQ(world.run(Intent::begin).error().code, Errc::bad_usage);
  EXPECT_EQ(world.fleet.memory, std::vector(1, Trust::new_alone));
}

TEST(RotationRunner, rolls_back_and_may_then_begin_anew) {
  World world(plan_of(1, {2}));
  world.broken = Step{StepKind::deliver, 1};
  EXPECT_EQ(world.run(Intent::begin)->phase, Phase::stopped);
  EXPECT_EQ(world.run(Intent::roll_back)->phase, Phase::rolled_back);
  EXPECT_EQ(world.fleet, Fleet(world.plan));
  EXPECT_EQ(world.run(Intent::roll_back).error().code, Errc::rotation_not_begun);
  world.broken.reset();
  EXPECT_EQ(world.run(Intent::begin)->phase, Phase::done);
}

TEST(RotationRunner, begins_anew_with_a_mended_plan_after_preflight_has_stopped_it) {
  World world(plan_of(1, {1}));
  world.broken = Step{StepKind::preflight, 0};
  EXPECT_EQ(world.run(Intent::begin)->phase, Phase::stopped);
  world.plan.digest = "mended";
  EXPECT_EQ(world.run(Intent::resume).error().code, Errc::rotation_plan_changed);
  world.broken.reset();
  EXPECT_EQ(world.run(Intent::begin)->phase, Phase::done);
}

TEST(RotationRunner, stops_in_order_when_asked_and_goes_on_later) {
  World world(plan_of(1, {1}));
  world.stop = true;
  const auto end = world.run(Intent::begin);
  EXPECT_EQ(end->why->code, Errc::interrupted);
  world.stop = false;
  EXPECT_EQ(world.run(Intent::resume)->phase, Phase::done);
}

TEST(RotationRunner, stops_when_its_journal_cannot_be_written_and_touches_nothing_more) {
  World world(plan_of(1, {1}));
  world.broken = Step{StepKind::write_broad, 0};
  EXPECT_EQ(world.run(Intent::begin)->phase, Phase::stopped);
  world.broken.reset();
  {
    store::Database other(world.plan.journal / "rotation.db", store::Open::existing);
    other.run("CREATE TRIGGER full BEFORE INSERT ON passed BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  }
  const auto end = world.run(Intent::resume);
  EXPECT_EQ(end->why->code, Errc::rotation_journal_unusable);
  EXPECT_EQ(world.fleet, Fleet(world.plan));
}

}  // namespace
}  // namespace hawser::rotation
