#include "drill/flow_count.hpp"

#include <gtest/gtest.h>
#include <initializer_list>

namespace hawser::drill {
namespace {

FlowCount seen(std::initializer_list<std::uint64_t> numbers) {
  FlowCount flow;
  for (const std::uint64_t number : numbers) {
    flow.see(number);
  }
  return flow;
}

TEST(FlowCount, what_comes_in_order_is_delivered) {
  EXPECT_EQ(seen({1, 2, 3}).counts(3), (Counts{.sent = 3, .delivered = 3}));
  EXPECT_TRUE(seen({1, 2, 3}).complete(3));
}

TEST(FlowCount, what_does_not_come_is_lost) {
  EXPECT_EQ(seen({1, 4}).counts(6), (Counts{.sent = 6, .delivered = 2, .lost = 4}));
  EXPECT_EQ(seen({}).counts(2), (Counts{.sent = 2, .lost = 2}));
}

TEST(FlowCount, what_comes_late_is_out_of_order_and_not_lost) {
  EXPECT_EQ(seen({1, 5, 3, 2, 4}).counts(5), (Counts{.sent = 5, .delivered = 5, .reordered = 3}));
}

TEST(FlowCount, what_comes_again_is_a_repeat_also_within_a_gap_that_was_filled) {
  EXPECT_EQ(seen({1, 1, 2}).counts(2), (Counts{.sent = 2, .delivered = 2, .duplicated = 1}));
  EXPECT_EQ(seen({1, 4, 2, 2, 3, 3}).counts(4), (Counts{.sent = 4, .delivered = 4, .duplicated = 2, .reordered = 2}));
}

TEST(FlowCount, what_was_sent_while_the_subscriber_was_away_is_not_lost) {
  FlowCount flow = seen({1, 2});
  flow.was_away();
  flow.see(7);
  flow.see(9);
  EXPECT_EQ(flow.counts(9), (Counts{.sent = 9, .delivered = 4, .lost = 1, .away = 4}));
}

TEST(FlowCount, whoever_comes_back_in_time_has_missed_nothing) {
  FlowCount flow = seen({1, 2});
  flow.was_away();
  flow.see(2);  // a repeat does not end it
  flow.see(3);
  flow.see(5);
  EXPECT_EQ(flow.counts(5), (Counts{.sent = 5, .delivered = 4, .lost = 1, .duplicated = 1}));
}

TEST(FlowCount, what_is_passed_over_while_the_way_is_broken_is_not_lost_and_afterwards_it_is) {
  FlowCount flow = seen({1, 2});
  flow.set_broken(true);
  flow.see(3);
  flow.see(6);
  flow.see(8);
  flow.set_broken(false);
  flow.see(10);
  EXPECT_EQ(flow.counts(10), (Counts{.sent = 10, .delivered = 6, .lost = 1, .away = 3}));
}

TEST(FlowCount, counts_add_up) {
  Counts sum = seen({1, 3}).counts(3);
  sum += seen({2, 1, 1}).counts(2);
  EXPECT_EQ(sum, (Counts{.sent = 5, .delivered = 4, .lost = 1, .duplicated = 1, .reordered = 1}));
}

}  // namespace
}  // namespace hawser::drill
