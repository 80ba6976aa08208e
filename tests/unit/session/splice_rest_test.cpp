// "The rest" of docs/splice.md: queue groups, no echo, changes in the middle, limits, deaths, bounds.
#include <gtest/gtest.h>

#include "session/splice_bench.hpp"

namespace hawser::session {
namespace {

using Phase = Splice::Phase;

SpliceOptions without_echo(bool same_server = true) {
  SpliceOptions options;
  options.echo = false;
  options.same_server = same_server;
  return options;
}

void add_queue(Bench& bench) { bench.subscriptions.add("8", "work", "group"); }

TEST(SpliceQueueGroups, n_joins_with_n2_and_o_leaves_a_settle_later) {
  Bench bench;
  add_queue(bench);
  bench.go_to(Phase::catching_up);
  EXPECT_EQ(bench.timer(), "join N, ping N, 5000");
  EXPECT_EQ(bench.pong(), "20");
  EXPECT_EQ(bench.timer(), "wait, leave O, ping O, 5000");
}

TEST(SpliceQueueGroups, both_links_deliver_directly) {
  Bench bench;
  add_queue(bench);
  for (const Phase phase : {Phase::merging, Phase::cutting, Phase::lingering, Phase::closing}) {
    bench.go_to(phase);
    EXPECT_EQ(bench.from_old("w1", "8"), "deliver");
    EXPECT_EQ(bench.from_new("w1", "8"), "deliver") << "another message, though it looks the same";
  }
}

TEST(SpliceQueueGroups, are_handed_back_in_order_when_the_splice_is_given_up) {
  Bench bench;
  add_queue(bench);
  bench.go_to(Phase::cutting);
  EXPECT_EQ(bench.give_up(), "go on O, join O, ping O, 5000");
  EXPECT_EQ(bench.from_new("w1", "8"), "deliver");
  EXPECT_EQ(bench.from_new("m1"), "drop");
  EXPECT_EQ(bench.from_old("m1"), "deliver");
  EXPECT_EQ(bench.pong(), "20");
  EXPECT_EQ(bench.timer(), "leave N, 20");
  EXPECT_EQ(bench.timer(), "ping N, 5000");
  EXPECT_EQ(bench.from_new("w2", "8"), "deliver");
  EXPECT_EQ(bench.pong(), "close N, abandoned");
  EXPECT_EQ(bench.counters().losses_possible, 0U);
}

TEST(SpliceWithoutEcho, drains_o_before_it_subscribes_on_n_and_lets_publishes_wait_until_n1) {
  Bench bench(without_echo());
  EXPECT_EQ(bench.start(), "wait, ping O, 5000");
  EXPECT_EQ(bench.pong(), "sub N, ping N, 5000");
  EXPECT_EQ(bench.pong(), "go on O, 20");
}

TEST(SpliceWithoutEcho, lets_publishes_wait_until_another_server_is_known_to_have_the_interest) {
  Bench bench(without_echo(false));
  bench.go_to(Phase::subscribing);
  EXPECT_EQ(bench.pong(), "100");
  EXPECT_EQ(bench.timer(), "go on O, 100");
}

TEST(SpliceWithoutEcho, drops_ns_copy_of_a_publish_on_o) {
  Bench bench(without_echo());
  bench.go_to(Phase::settling);
  bench.publish("a.b", "mine");
  bench.publish("other", "mine");
  EXPECT_EQ(bench.from_new("mine"), "drop");
  EXPECT_EQ(bench.from_new("mine"), "hold") << "somebody else's, identical";
}

TEST(SpliceWithoutEcho, drops_os_copy_of_a_publish_on_n_after_the_cut) {
  Bench bench(without_echo());
  bench.go_to(Phase::lingering);
  bench.publish("a.b", "mine");
  EXPECT_EQ(bench.from_old("mine"), "drop");
  bench.go_to(Phase::done);
  EXPECT_EQ(bench.user, "");
}

TEST(SpliceWithoutEcho, lets_publishes_wait_before_n_joins_a_queue_group) {
  Bench bench(without_echo());
  add_queue(bench);
  bench.go_to(Phase::settling);
  EXPECT_EQ(bench.timer(), "wait, ping O, 5000");
}

TEST(SpliceChanges, a_subscription_made_in_the_middle_waits_for_the_cut_with_all_that_follows_it) {
  Bench bench;
  bench.go_to(Phase::settling);
  EXPECT_EQ(bench.wants_to_subscribe(), "wait: wait");
  EXPECT_EQ(bench.wants_to_subscribe(), "wait") << "asked again too early";
  bench.go_to(Phase::cutting);
  EXPECT_EQ(bench.pong(), "live N, go on N, 50");
  EXPECT_EQ(bench.wants_to_subscribe(), "N");
}

TEST(SpliceChanges, a_subscription_made_before_n_is_subscribed_goes_to_o) {
  SpliceOptions options;
  options.same_server = false;
  Bench bench(options);
  bench.start();
  EXPECT_EQ(bench.wants_to_subscribe(), "O");
}

TEST(SpliceChanges, a_subscription_made_after_the_cut_is_ns_alone_and_goes_to_o_if_n_dies) {
  Bench bench;
  bench.go_to(Phase::lingering);
  ASSERT_EQ(bench.wants_to_subscribe(), "N");
  bench.subscriptions.add("2", "a.b", "");
  EXPECT_EQ(bench.from_new("m1", "2"), "deliver");
  EXPECT_EQ(bench.from_old("m1", "2"), "drop") << "an old subscription of that sid";
  EXPECT_EQ(bench.closed(Side::new_link), "live O, sub O 2, wait, 20");
  EXPECT_EQ(bench.from_old("m2", "2"), "deliver");
}

TEST(SpliceChanges, a_removed_subscription_is_removed_from_both_with_what_is_held_of_it) {
  Bench bench;
  bench.subscriptions.add("2", "a.>", "");
  bench.go_to(Phase::merging);
  bench.from_new("m1", "1");
  bench.from_new("m1", "2");
  bench.subscriptions.remove("1");
  EXPECT_EQ(bench.unsubscribed("1"), "unsub O 1, unsub N 1");
  EXPECT_EQ(bench.from_new("m2", "1"), "drop");
  EXPECT_EQ(bench.from_old("m2", "1"), "drop");
  bench.go_to(Phase::cutting);
  EXPECT_EQ(bench.pong(), "give m1, live N, go on N, 50");
  EXPECT_EQ(bench.user, "m1 ");
}

TEST(SpliceLimits, unsub_max_carries_over_counted_by_what_the_user_was_given) {
  Bench bench;
  for (int i = 0; i < 3; ++i) bench.subscriptions.count("1");
  ASSERT_EQ(bench.subscriptions.limit("1", 10), Subscriptions::Limited::limited);
  bench.start();
  bench.from_old("m1");
  bench.from_new("m1");  // a copy: N's server counts it, the user was not given it
  bench.from_new("m2");
  bench.from_old("m2");
  bench.go_to(Phase::finishing);
  bench.from_new("m3");
  // The user has 6 of 10. N's server has counted 3, and is to send 4 more.
  EXPECT_EQ(bench.pong(), "unsub N 1 7, spliced");
  EXPECT_EQ(bench.subscriptions.find("1")->delivered, 6U);
}

TEST(SpliceLimits, a_limit_set_in_the_middle_goes_to_o_at_once_and_to_n_at_the_end) {
  Bench bench;
  bench.go_to(Phase::settling);
  bench.subscriptions.limit("1", 2);
  EXPECT_EQ(bench.unsubscribed("1"), "unsub O 1 2");
  bench.go_to(Phase::lingering);
  EXPECT_EQ(bench.unsubscribed("1"), "");
  bench.go_to(Phase::finishing);
  EXPECT_EQ(bench.pong(), "unsub N 1 2, spliced");
}

TEST(SpliceLimits, what_is_held_beyond_the_limit_is_not_given) {
  Bench bench;
  bench.subscriptions.limit("1", 2);
  bench.go_to(Phase::merging);
  for (const char* const payload : {"m1", "m2", "m3"}) bench.from_new(payload);
  bench.go_to(Phase::cutting);
  EXPECT_EQ(bench.pong(), "give m1 m2, unsub O 1, unsub N 1, live N, go on N, 50");
  EXPECT_EQ(bench.from_new("m4"), "drop");
}

TEST(SpliceLimits, a_second_splice_counts_from_the_first_ones_link) {
  Bench bench;
  bench.subscriptions.limit("1", 10);
  bench.go_to(Phase::merging);
  bench.from_old("m1");
  bench.from_new("m1");
  bench.go_to(Phase::done);
  Bench again;
  again.subscriptions = bench.subscriptions;
  ASSERT_EQ(again.subscriptions.find("1")->limit_on_link(), 10U);
  again.start();
  again.from_new("m2");
  again.from_old("m2");
  again.from_old("m3");
  again.go_to(Phase::finishing);
  EXPECT_EQ(again.pong(), "unsub N 1 8, spliced") << "3 of 10 given, 1 counted by the server: 7 more";
}

TEST(SpliceDeaths, o_before_n_is_subscribed_makes_n_the_link_and_counts_a_possible_loss) {
  SpliceOptions options;
  options.same_server = false;
  Bench bench(options);
  add_queue(bench);
  bench.start();
  EXPECT_EQ(bench.closed(Side::old_link), "wait, sub N, join N, live N, 100");
  EXPECT_EQ(bench.counters().losses_possible, 1U);
  EXPECT_EQ(bench.timer(), "go on N, ping N, 5000");
  EXPECT_EQ(bench.from_new("m1"), "deliver");
  EXPECT_EQ(bench.pong(), "old died");
}

TEST(SpliceDeaths, o_before_n2_releases_what_is_held_early_and_counts_repeats) {
  Bench bench;
  bench.go_to(Phase::catching_up);
  bench.from_old("m1");
  bench.from_new("m2");
  EXPECT_EQ(bench.closed(Side::old_link), "wait, give m2, live N, 20");
  EXPECT_EQ(bench.counters().losses_possible, 0U) << "all that O got after o1 has a copy on N";
  EXPECT_EQ(bench.from_new("m1"), "drop") << "a credit, though there was no n2 yet";
  EXPECT_EQ(bench.user, "m1 m2 ");
}

TEST(SpliceDeaths, o_before_o1_may_repeat_what_it_had_delivered_and_says_so) {
  Bench bench;
  bench.start();
  bench.from_old("m1");
  bench.closed(Side::old_link);
  EXPECT_EQ(bench.from_new("m1"), "deliver");
  EXPECT_EQ(bench.counters().duplicates_possible, 1U);
  EXPECT_EQ(bench.counters().losses_possible, 1U);
}

TEST(SpliceDeaths, o_between_n2_and_the_cut_costs_nothing) {
  Bench bench;
  bench.go_to(Phase::merging);
  bench.from_old("m1");
  bench.from_new("m2");
  EXPECT_EQ(bench.closed(Side::old_link), "wait, give m2, live N, 20");
  EXPECT_EQ(bench.from_new("m1"), "drop");
  bench.go_to(Phase::done);
  EXPECT_EQ(bench.user, "m1 m2 ");
  EXPECT_EQ(bench.counters().losses_possible + bench.counters().duplicates_possible, 0U);
}

TEST(SpliceDeaths, o_after_the_cut_ends_the_linger_early) {
  Bench bench;
  bench.go_to(Phase::lingering);
  bench.from_old("m1");
  EXPECT_EQ(bench.closed(Side::old_link), "20");
  EXPECT_EQ(bench.timer(), "ping N, 5000");
  EXPECT_EQ(bench.from_new("m1"), "deliver");
  EXPECT_EQ(bench.pong(), "spliced");
  EXPECT_EQ(bench.user, "m1 ");
}

TEST(SpliceDeaths, n_before_the_cut_leaves_everything_as_it_was) {
  Bench bench;
  bench.go_to(Phase::cutting);
  bench.from_new("m1");
  EXPECT_EQ(bench.closed(Side::new_link), "go on O, new died");
  EXPECT_EQ(bench.from_old("m1"), "deliver");
  EXPECT_EQ(bench.user, "m1 ");
}

TEST(SpliceDeaths, n_after_the_cut_goes_back_to_o_without_what_n_had_delivered) {
  Bench bench;
  bench.go_to(Phase::lingering);
  bench.from_new("m1");
  bench.from_old("m2");
  EXPECT_EQ(bench.closed(Side::new_link), "give m2, live O, wait, 20");
  EXPECT_EQ(bench.from_old("m1"), "drop");
  EXPECT_EQ(bench.from_old("m3"), "deliver");
  EXPECT_EQ(bench.timer(), "go on O, ping O, 5000");
  EXPECT_EQ(bench.pong(), "new died");
  EXPECT_EQ(bench.user, "m1 m2 m3 ");
}

TEST(SpliceDeaths, both_end_it_and_release_what_was_kept) {
  Bench bench;
  bench.go_to(Phase::lingering);
  bench.from_old("m1");
  bench.closed(Side::old_link);
  EXPECT_EQ(bench.closed(Side::new_link), "give m1, both died");
  EXPECT_EQ(bench.counters().losses_possible, 1U);
}

TEST(SpliceBounds, gives_up_before_the_cut_when_too_much_would_be_held) {
  SpliceOptions options;
  options.hold_limit_bytes = 1000;
  Bench bench(options);
  bench.go_to(Phase::merging);
  std::string verdict;
  for (int i = 0; i < 50 && verdict != "drop: close N, abandoned"; ++i) verdict = bench.from_new(std::to_string(i));
  EXPECT_EQ(verdict, "drop: close N, abandoned");
  EXPECT_LE(bench.counters().held_bytes_peak, 1000U);
  EXPECT_EQ(bench.from_old("0"), "deliver");
}

TEST(SpliceBounds, gives_up_before_the_cut_when_too_many_messages_would_be_remembered) {
  SpliceOptions options;
  options.ledger_limit = 3;
  Bench bench(options);
  bench.start();
  for (const char* const payload : {"m1", "m2", "m3"}) EXPECT_EQ(bench.from_old(payload), "deliver");
  EXPECT_EQ(bench.from_old("m1"), "deliver");
  EXPECT_EQ(bench.from_old("m4"), "deliver: close N, abandoned");
}

TEST(SpliceBounds, goes_by_n_alone_after_the_cut_when_no_more_can_be_remembered) {
  SpliceOptions options;
  options.ledger_limit = 1;
  Bench bench(options);
  bench.go_to(Phase::lingering);
  EXPECT_EQ(bench.from_new("m1"), "deliver");
  EXPECT_EQ(bench.from_new("m2"), "deliver");
  EXPECT_EQ(bench.from_old("m1"), "drop");
  EXPECT_EQ(bench.from_old("m2"), "drop");
}

TEST(SpliceBounds, gives_up_before_the_cut_when_a_pong_does_not_come) {
  for (const Phase phase : {Phase::subscribing, Phase::marking_old, Phase::marking_new, Phase::cutting}) {
    Bench bench;
    bench.go_to(phase);
    const std::string actions = bench.timer();
    EXPECT_EQ(actions, phase == Phase::cutting ? "go on O, close N, abandoned" : "close N, abandoned");
    EXPECT_EQ(bench.splice().live(), Side::old_link);
  }
}

TEST(SpliceBounds, closes_o_after_the_cut_when_its_pong_does_not_come) {
  Bench bench;
  bench.go_to(Phase::closing);
  EXPECT_EQ(bench.timer(), "close O, 20");
}

TEST(SpliceBounds, keeps_the_counts_until_the_live_link_has_answered) {
  Bench bench;
  bench.go_to(Phase::merging);
  bench.from_old("m1");
  bench.go_to(Phase::finishing);
  EXPECT_EQ(bench.timer(), "5000");
  EXPECT_EQ(bench.timer(), "5000");
  EXPECT_EQ(bench.from_new("m1"), "drop");
  EXPECT_EQ(bench.pong(), "spliced");
}

TEST(SpliceHeartbeats, are_never_dropped_and_seldom_repeated) {
  Bench bench;
  bench.start();
  bench.from_old("");  // before N was subscribed: N has no copy
  bench.from_old("");
  bench.from_new("");
  bench.go_to(Phase::catching_up);
  bench.from_old("");
  bench.go_to(Phase::merging);
  bench.from_new("");
  bench.go_to(Phase::done);
  EXPECT_GE(std::ranges::count(bench.user, ' '), 3);
  EXPECT_EQ(bench.counters().unsettled, 0U);
}

}  // namespace
}  // namespace hawser::session
