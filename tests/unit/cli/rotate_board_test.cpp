#include "cli/rotate_board.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "admin/page.hpp"
#include "rotation/plans.hpp"

namespace hawser::cli {
namespace {

using namespace rotation;
using admin::Status;

const Status::Section& section(const Status& status, std::string_view title) {
  return *std::find_if(status.sections.begin(), status.sections.end(),
                       [&](const auto& one) { return one.title == title; });
}

std::string value(const Status& status, std::string_view title, std::string_view name) {
  for (const Status::Item& item : section(status, title).items) {
    if (item.name == name) return item.value;
  }
  return "there is none";
}

TEST(RotationBoard, follows_a_rotation_from_step_to_step) {
  const Plan plan = plan_of(2, {1, 2});
  RotationBoard board(plan, {});
  EXPECT_EQ(value(board.status(), "What brokers trust", "n1"), "as before");
  board.on_phase(Phase::broadening);
  board.on_begun({StepKind::write_broad, 0});
  EXPECT_EQ(value(board.status(), "What brokers trust", "n1"), "old and new, not yet proven");
  board.on_done({StepKind::write_broad, 0}, "", {});
  board.on_failed({StepKind::prove_broad, 0}, {Errc::rotation_not_broadened, "n1: new certificate refused"}, 1);
  EXPECT_NE(value(board.status(), "What brokers trust", "n1").find("not yet proven: ROT-"), std::string::npos)
      << value(board.status(), "What brokers trust", "n1");
  board.on_done({StepKind::prove_broad, 0}, "both", {});
  EXPECT_EQ(value(board.status(), "What brokers trust", "n1"), "old and new");
  EXPECT_EQ(value(board.status(), "What brokers trust", "n2"), "as before");

  board.on_phase(Phase::moving);
  board.on_begun({StepKind::deliver, 0});
  const Status moving = board.status();
  EXPECT_NE(moving.headline.find("moving: "), std::string::npos) << moving.headline;
  EXPECT_EQ(moving.tables.at(0).rows.at(0), (std::vector<std::string>{"w1", "a1", "begun", "-", "-", ""}));
  board.on_done({StepKind::deliver, 0}, "2 files", {});
  board.on_done({StepKind::prove, 0}, "1 connections present ab", {});
  EXPECT_EQ(board.status().tables.at(0).rows.at(0).back(), "1 connections present ab");
  EXPECT_EQ(value(board.status(), "Waves", "w1"), "1 of 1 proven");
  board.on_done({StepKind::guard, 0}, "", {});
  EXPECT_EQ(value(board.status(), "Waves", "w1"), "1 of 1 proven, within guards");
  EXPECT_EQ(section(board.status(), "Waves").items.at(1).progress->of, 2);
  EXPECT_TRUE(board.health().ok());
}

TEST(RotationBoard, counts_what_was_in_vain_once_a_step_and_says_why_it_stopped) {
  const Plan plan = plan_of(1, {1});
  RotationBoard board(plan, {});
  const Step prove{StepKind::prove, 0};
  board.on_begun(prove);
  board.on_failed(prove, {Errc::rotation_not_proven, "a1: 0 connections\nand a line"}, 1);
  board.on_failed(prove, {Errc::rotation_not_proven, "a1: 0 connections"}, 2);
  const Status status = board.status();
  ASSERT_EQ(status.tables.at(1).rows.size(), 1U);
  EXPECT_EQ(status.tables.at(1).rows[0].at(2), "2");
  EXPECT_NE(status.tables.at(1).rows[0].at(1).find("a1: 0 connections"), std::string::npos);
  board.on_finished({Phase::stopped, Error{Errc::rotation_guard_breached, "lost_total grew by 3 of 0"}});
  EXPECT_NE(board.status().headline.find("lost_total grew by 3 of 0"), std::string::npos);
  EXPECT_EQ(board.status().tone, admin::Tone::bad);
  EXPECT_FALSE(board.health().ok());
  EXPECT_NE(board.metrics().find("hawser_rotation_stopped 1"), std::string::npos);
}

TEST(RotationBoard, shows_the_flow_of_now_and_no_value_that_is_not_known) {
  const Plan plan = plan_of(1, {1});
  RotationBoard board(plan, {});
  EXPECT_EQ(value(board.status(), "Flow", "messages in"), "not known");
  board.on_flow({.at_ms = 1, .values = {{FlowCurve::in_msgs, 1500}, {FlowCurve::queued, 0}}});
  EXPECT_EQ(value(board.status(), "Flow", "messages in"), "1.5k /s");
  EXPECT_EQ(value(board.status(), "Flow", "messages out"), "not known");
  EXPECT_NE(board.metrics().find("hawser_rotation_flow{curve=\"in_msgs\"} 1500"), std::string::npos) << board.metrics();
  EXPECT_EQ(board.metrics().find("out_msgs"), std::string::npos);
}

TEST(RotationBoard, goes_on_from_what_was_done_before_and_back_to_as_it_was) {
  const Plan plan = plan_of(1, {1});
  RotationBoard board(plan, {{{StepKind::write_broad, 0}, Mark::done}, {{StepKind::prove_broad, 0}, Mark::done}});
  EXPECT_EQ(value(board.status(), "What brokers trust", "n1"), "old and new");
  board.on_begun({StepKind::write_narrow, 0});
  EXPECT_EQ(value(board.status(), "What brokers trust", "n1"), "the new alone, not yet proven");
  board.on_phase(Phase::rolled_back);
  EXPECT_EQ(value(board.status(), "What brokers trust", "n1"), "as before");
}

TEST(RotationBoard, shows_those_under_way_first_when_there_are_more_than_a_page_shows) {
  const Plan plan = plan_of(1, {300});
  RotationBoard board(plan, {});
  board.on_begun({StepKind::deliver, 250});
  const Status status = board.status();
  EXPECT_EQ(status.tables.at(0).rows.size(), 300U);
  EXPECT_EQ(status.tables.at(0).rows[0].at(1), "a251");
  EXPECT_NE(admin::render_page(status, {}).find("200 of 300 shown"), std::string::npos);
}

TEST(RotationBoard, several_watchers_are_told_in_turn) {
  const Plan plan = plan_of(1, {1});
  RotationBoard one(plan, {});
  RotationBoard two(plan, {});
  Watchers both({&one, &two});
  both.on_phase(Phase::moving);
  both.on_begun({StepKind::apply, 0});
  both.on_flow({.at_ms = 1, .values = {{FlowCurve::sessions, 2}}});
  both.on_done({StepKind::apply, 0}, "sent", {});
  both.on_failed({StepKind::prove, 0}, {Errc::rotation_not_proven, "x"}, 1);
  both.on_finished({Phase::done, std::nullopt});
  EXPECT_EQ(one.status().headline, "done");
  EXPECT_EQ(admin::status_json(one.status()), admin::status_json(two.status()));
}

}  // namespace
}  // namespace hawser::cli
