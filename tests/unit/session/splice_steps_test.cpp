// The numbered steps of docs/splice.md, one after another.
#include <gtest/gtest.h>

#include "session/splice_bench.hpp"

namespace hawser::session {
namespace {

using Phase = Splice::Phase;

SpliceOptions far_away() {
  SpliceOptions options;
  options.same_server = false;
  return options;
}

TEST(SpliceStep1, nothing_has_changed_when_n_fails) {
  Bench bench;
  bench.start();
  EXPECT_EQ(bench.closed(Side::new_link), "new died");
  EXPECT_EQ(bench.splice().live(), Side::old_link);
  EXPECT_EQ(bench.from_old("m1"), "deliver");
  EXPECT_EQ(bench.counters().losses_possible, 0U);
}

TEST(SpliceStep2, subscribes_everything_on_n_and_pings_it) {
  Bench bench;
  EXPECT_EQ(bench.start(), "sub N, ping N, 5000");
}

TEST(SpliceStep2, counts_what_o_delivers_for_a_settle_before_it_subscribes_on_another_server) {
  Bench bench(far_away());
  EXPECT_EQ(bench.start(), "100");
  EXPECT_EQ(bench.from_old("m1"), "deliver");
  EXPECT_EQ(bench.timer(), "sub N, ping N, 5000");
  EXPECT_EQ(bench.from_new("m1"), "drop") << "a copy that came by a route";
}

TEST(SpliceStep2, gives_the_user_what_o_delivers_at_once_until_the_cut) {
  Bench bench;
  bench.start();
  for (const Phase phase : {Phase::subscribing, Phase::settling, Phase::marking_old, Phase::catching_up,
                            Phase::marking_new, Phase::merging, Phase::cutting}) {
    bench.go_to(phase);
    ASSERT_EQ(bench.splice().phase(), phase);
    EXPECT_EQ(bench.from_old("m" + std::to_string(static_cast<int>(phase))), "deliver");
  }
}

TEST(SpliceStep2, holds_an_early_message_only_if_o_has_not_delivered_it) {
  Bench bench;
  bench.start();
  EXPECT_EQ(bench.from_old("m1"), "deliver");
  EXPECT_EQ(bench.from_new("m1"), "drop");
  EXPECT_EQ(bench.from_new("m2"), "hold");
  EXPECT_EQ(bench.counters().held, 1U);
}

TEST(SpliceStep2, drops_what_is_held_early_when_o_delivers_it) {
  Bench bench;
  bench.start();
  bench.from_new("m1");
  EXPECT_EQ(bench.from_old("m1"), "deliver");
  bench.go_to(Phase::lingering);
  EXPECT_EQ(bench.user, "m1 ");
}

TEST(SpliceStep3, settles_after_n1_and_after_o1_then_pings_n2) {
  Bench bench;
  bench.start();
  EXPECT_EQ(bench.pong(), "20");
  EXPECT_EQ(bench.timer(), "ping O, 5000");
  EXPECT_EQ(bench.pong(), "20");
  EXPECT_EQ(bench.timer(), "ping N, 5000");
}

TEST(SpliceStep3, settles_four_times_as_long_as_the_slowest_pong_took) {
  Bench bench;
  bench.start();
  EXPECT_EQ(bench.pong_after(std::chrono::milliseconds(15)), "60");
  EXPECT_EQ(bench.timer(), "ping O, 5000");
  EXPECT_EQ(bench.pong_after(std::chrono::milliseconds(1)), "60");
  bench.timer();
  EXPECT_EQ(bench.pong_after(std::chrono::milliseconds(900)), "1000");
}

TEST(SpliceStep3, settles_twice_after_n1_when_n_is_on_another_server) {
  Bench bench(far_away());
  bench.go_to(Phase::subscribing);
  EXPECT_EQ(bench.pong(), "100");
  EXPECT_EQ(bench.timer(), "100");
  EXPECT_EQ(bench.timer(), "ping O, 5000");
}

TEST(SpliceStep4, drops_a_late_copy_of_what_o_delivered_after_o1) {
  Bench bench;
  bench.go_to(Phase::catching_up);
  bench.from_old("m1");
  bench.go_to(Phase::merging);
  EXPECT_EQ(bench.from_new("m1"), "drop");
  EXPECT_EQ(bench.from_new("m2"), "hold");
}

TEST(SpliceStep4, grants_no_credit_for_what_n_delivered_early) {
  Bench bench;
  bench.go_to(Phase::catching_up);
  bench.from_old("beat");
  bench.from_new("beat");
  bench.go_to(Phase::merging);
  EXPECT_EQ(bench.from_new("beat"), "hold") << "another one, identical";
}

TEST(SpliceStep4, drops_a_held_late_message_or_adds_a_credit_when_o_delivers_it) {
  Bench bench;
  bench.go_to(Phase::merging);
  EXPECT_EQ(bench.from_new("m1"), "hold");
  EXPECT_EQ(bench.from_old("m1"), "deliver");
  EXPECT_EQ(bench.from_old("m2"), "deliver");
  EXPECT_EQ(bench.from_new("m2"), "drop");
  bench.go_to(Phase::lingering);
  EXPECT_EQ(bench.user, "m1 m2 ");
}

TEST(SpliceStep5, lets_own_publishes_wait_after_a_settle_and_pings_oc_without_unsubscribing_o) {
  Bench bench;
  bench.go_to(Phase::marking_new);
  EXPECT_EQ(bench.pong(), "20");
  EXPECT_EQ(bench.timer(), "wait, ping O, 5000");
}

TEST(SpliceStep6, cuts_at_the_pong_of_oc_and_releases_what_is_held_in_order) {
  Bench bench;
  bench.go_to(Phase::merging);
  bench.from_new("m1");
  bench.from_new("m2");
  bench.from_new("m3");
  bench.from_old("m1");
  bench.go_to(Phase::cutting);
  EXPECT_FALSE(bench.splice().past_cut());
  EXPECT_EQ(bench.pong(), "give m2 m3, live N, go on N, 50");
  EXPECT_TRUE(bench.splice().past_cut());
  EXPECT_EQ(bench.splice().live(), Side::new_link);
  EXPECT_EQ(bench.subscriptions.find("1")->delivered, 3U);
}

TEST(SpliceStep6, lets_own_publishes_wait_for_one_more_settle_when_n_is_on_another_server) {
  SpliceOptions options = far_away();
  options.linger = std::chrono::milliseconds(150);
  Bench bench(options);
  bench.go_to(Phase::cutting);
  EXPECT_EQ(bench.pong(), "live N, 100");
  EXPECT_EQ(bench.timer(), "go on N, 50");
  EXPECT_EQ(bench.timer(), "ping O, 5000");
}

TEST(SpliceStep7, crosses_off_what_n_delivered_before_o) {
  Bench bench;
  bench.go_to(Phase::merging);
  bench.from_new("m1");
  bench.go_to(Phase::lingering);
  EXPECT_EQ(bench.from_new("m2"), "deliver");
  EXPECT_EQ(bench.from_old("m1"), "drop");
  EXPECT_EQ(bench.from_old("m2"), "drop");
  EXPECT_EQ(bench.user, "m1 m2 ");
}

TEST(SpliceStep7, keeps_what_o_delivers_last_until_n_delivers_it) {
  Bench bench;
  bench.go_to(Phase::lingering);
  EXPECT_EQ(bench.from_old("m1"), "hold");
  EXPECT_EQ(bench.from_new("m1"), "deliver");
  EXPECT_EQ(bench.from_new("m1"), "deliver") << "another one, identical";
  bench.go_to(Phase::done);
  EXPECT_EQ(bench.user, "m1 m1 ");
  EXPECT_EQ(bench.counters().unsettled, 0U);
}

TEST(SpliceStep7, drops_by_a_credit_what_o_delivered_before_the_cut) {
  Bench bench;
  bench.go_to(Phase::merging);
  bench.from_old("m1");
  bench.go_to(Phase::lingering);
  EXPECT_EQ(bench.from_new("m1"), "drop");
  EXPECT_EQ(bench.user, "m1 ");
}

TEST(SpliceStep8, closes_o_after_the_linger_and_its_pong_then_settles_and_pings_nz) {
  Bench bench;
  bench.go_to(Phase::lingering);
  EXPECT_EQ(bench.timer(), "ping O, 5000");
  EXPECT_EQ(bench.pong(), "close O, 20");
  EXPECT_EQ(bench.timer(), "ping N, 5000");
  EXPECT_EQ(bench.pong(), "spliced");
  EXPECT_TRUE(bench.splice().finished());
}

TEST(SpliceStep8, delivers_what_is_left_in_the_tail_and_says_that_a_server_was_too_slow) {
  Bench bench;
  bench.go_to(Phase::lingering);
  bench.from_old("m1");
  bench.go_to(Phase::finishing);
  EXPECT_EQ(bench.pong(), "give m1, spliced");
  EXPECT_EQ(bench.counters().unsettled, 1U);
}

TEST(SpliceStep8, says_that_a_server_was_too_slow_when_a_credit_is_left) {
  Bench bench;
  bench.go_to(Phase::merging);
  bench.from_old("m1");
  bench.go_to(Phase::done);
  EXPECT_EQ(bench.counters().unsettled, 1U);
}

TEST(SpliceStep8, does_not_blame_a_server_for_what_the_user_unsubscribed) {
  Bench bench;
  bench.go_to(Phase::merging);
  bench.from_old("m1");
  bench.go_to(Phase::lingering);
  bench.from_old("m2");
  bench.subscriptions.remove("1");
  bench.unsubscribed("1");
  bench.go_to(Phase::done);
  EXPECT_EQ(bench.counters().unsettled, 0U);
  EXPECT_EQ(bench.user, "m1 ");
}

TEST(SpliceSteps, are_all_there_and_in_order) {
  Bench bench;
  bench.go_to(Phase::done);
  EXPECT_EQ(bench.log,
            "sub N, ping N, 5000; 20; ping O, 5000; 20; ping N, 5000; 20; wait, ping O, 5000; "
            "live N, go on N, 50; ping O, 5000; close O, 20; ping N, 5000; spliced; ");
}

TEST(SpliceSteps, take_no_notice_of_other_pongs) {
  Bench bench;
  bench.start();
  SpliceActions actions;
  bench.splice().on_pong(Side::old_link, 1, Time{}, actions);
  bench.splice().on_pong(Side::new_link, 2, Time{}, actions);
  bench.splice().on_pong(Side::new_link, 0, Time{}, actions);
  EXPECT_TRUE(actions.empty());
  EXPECT_EQ(bench.splice().phase(), Phase::subscribing);
}

TEST(SpliceSteps, take_no_notice_of_anything_when_they_are_done) {
  Bench bench;
  bench.go_to(Phase::done);
  EXPECT_EQ(bench.closed(Side::old_link), "");
  EXPECT_EQ(bench.closed(Side::new_link), "");
  EXPECT_EQ(bench.timer(), "");
  EXPECT_EQ(bench.give_up(), "");
  EXPECT_EQ(bench.from_new("m1"), "deliver");
  EXPECT_EQ(bench.from_old("m1"), "drop");
}

}  // namespace
}  // namespace hawser::session
