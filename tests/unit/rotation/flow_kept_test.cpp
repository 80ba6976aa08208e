// The flow in the journal, and on its way there.
#include <atomic>
#include <gtest/gtest.h>

#include "rotation/directory.hpp"
#include "rotation/flow.hpp"
#include "rotation/journal.hpp"
#include "rotation/plans.hpp"
#include "rotation/runner.hpp"
#include "store/database.hpp"

namespace hawser::rotation {
namespace {

constexpr WallTime kNow{std::chrono::milliseconds(1'764'415'440'123)};

FlowSample sample(std::int64_t at_ms, double value) {
  return {.at_ms = at_ms, .values = {{FlowCurve::in_msgs, value}, {FlowCurve::queued, 0}}};
}

class Listening final : public Watcher {
 public:
  void on_done(Step, const std::string&, Duration) override {}
  void on_failed(Step, const Error&, std::uint32_t) override {}
  void on_flow(const FlowSample& one) override { seen.push_back(one.at_ms); }
  void on_finished(const action::Finished& end) override { ended = end.phase; }
  std::vector<std::int64_t> seen;
  std::optional<Phase> ended;
};

// Every step posts a sample and succeeds.
action::Finished run(const Plan& plan, Journal& journal, Intent intent, Listening& watcher) {
  const auto passed = take_up(journal, plan, intent, wall_now());
  EXPECT_TRUE(passed.has_value());
  Runner* self = nullptr;
  std::atomic<std::int64_t> at{0};
  Runner runner(
      plan, journal,
      [&](Step, Time, const std::stop_token&) -> Result<std::string> {
        self->post_flow(sample(++at, 0.5));
        return "seen";
      },
      [](Step) { return std::string(); }, watcher);
  self = &runner;
  return runner.run(*passed, intent, [] { return false; });
}

TEST(RotationFlowKept, is_in_the_journal_and_told_to_the_watcher_until_the_end) {
  const Directory directory;
  Plan plan = plan_of(1, {1});
  plan.waves[0].settle = {};
  Listening watcher;
  {
    const auto journal = Journal::open(directory.path, Journal::Role::owner);
    EXPECT_EQ(run(plan, **journal, Intent::begin, watcher).phase, Phase::done);
    EXPECT_EQ(watcher.ended, Phase::done);
  }
  const auto journal = Journal::open(directory.path, Journal::Role::reader);
  ASSERT_TRUE((*journal)->last().has_value());
  const auto flow = (*journal)->flow();
  ASSERT_TRUE(flow.has_value()) << flow.error().message();
  ASSERT_EQ(flow->size(), watcher.seen.size());
  EXPECT_GE(flow->size(), 10U) << "one a step";
  EXPECT_EQ(flow->back().values, sample(1, 0.5).values);
  EXPECT_EQ(*(*journal)->flow_rows(), 2 * flow->size());
}

TEST(RotationFlowKept, what_cannot_be_kept_stops_the_rotation_as_any_failure_of_its_journal) {
  const Directory directory;
  Plan plan = plan_of(1, {1});
  plan.waves[0].settle = {};
  const auto journal = Journal::open(directory.path, Journal::Role::owner);
  store::Database other(directory.path / "rotation.db", store::Open::existing);
  other.run("CREATE TRIGGER full BEFORE INSERT ON flow BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  Listening watcher;
  const action::Finished end = run(plan, **journal, Intent::begin, watcher);
  EXPECT_EQ(end.phase, Phase::stopped);
  EXPECT_EQ(end.why->code, Errc::rotation_journal_unusable);
  other.run("DROP TRIGGER full");
  EXPECT_EQ(run(plan, **journal, Intent::resume, watcher).phase, Phase::done);
}

TEST(RotationFlowKept, is_of_the_last_rotation_alone_and_cannot_be_changed) {
  const Directory directory;
  const auto journal = Journal::open(directory.path, Journal::Role::owner);
  ASSERT_TRUE((*journal)->begin(plan_of(1, {1}), kNow).has_value());
  const std::vector<FlowSample> two{sample(1, 480.125), sample(2, 0)};
  ASSERT_TRUE((*journal)->keep_flow(two).has_value());
  EXPECT_EQ((*(*journal)->flow()).at(0).values, two[0].values);
  store::Database other(directory.path / "rotation.db", store::Open::existing);
  EXPECT_THROW(other.run("UPDATE flow SET value = 1"), store::SqlFault);
  EXPECT_THROW(other.run("DELETE FROM flow"), store::SqlFault);
  ASSERT_TRUE((*journal)->begin(plan_of(1, {1}), kNow).has_value());
  EXPECT_TRUE((*journal)->flow()->empty());
  EXPECT_EQ(*(*journal)->flow_rows(), 0U);
}

TEST(RotationFlowKept, a_journal_of_before_is_read_as_it_is_and_gets_its_table_from_its_owner) {
  const Directory directory;
  {
    const auto journal = Journal::open(directory.path, Journal::Role::owner);
    ASSERT_TRUE((*journal)->begin(plan_of(1, {1}), kNow).has_value());
    store::Database other(directory.path / "rotation.db", store::Open::existing);
    other.run("DROP TABLE flow");
  }
  {
    const auto reader = Journal::open(directory.path, Journal::Role::reader);
    ASSERT_TRUE(reader.has_value()) << reader.error().message();
    ASSERT_TRUE((*reader)->flow().has_value());
    EXPECT_TRUE((*reader)->flow()->empty());
  }
  const auto owner = Journal::open(directory.path, Journal::Role::owner);
  ASSERT_TRUE(owner.has_value()) << owner.error().message();
  EXPECT_TRUE((*owner)->keep_flow(std::vector{sample(1, 2)}).has_value());
  EXPECT_EQ((*owner)->flow()->size(), 1U);
}

TEST(RotationFlowKept, a_curve_of_a_newer_one_is_left_out) {
  const Directory directory;
  const auto journal = Journal::open(directory.path, Journal::Role::owner);
  ASSERT_TRUE((*journal)->begin(plan_of(1, {1}), kNow).has_value());
  store::Database other(directory.path / "rotation.db", store::Open::existing);
  other.run("INSERT INTO flow(rotation, at_ms, name, value) VALUES(1, 5, 'later', 1), (1, 5, 'queued', 2)");
  const auto flow = (*journal)->flow();
  ASSERT_EQ(flow->size(), 1U);
  EXPECT_EQ(flow->at(0).values, (std::map<FlowCurve, double>{{FlowCurve::queued, 2}}));
}

}  // namespace
}  // namespace hawser::rotation
