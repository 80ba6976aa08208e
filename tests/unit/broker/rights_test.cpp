#include <gtest/gtest.h>

#include "broker/rights.hpp"

namespace hawser::broker {
namespace {

using std::chrono::seconds;

Time at(int second) { return Time(seconds(1000 + second)); }

TEST(Rights, who_may_only_answer_may_publish_nothing_else) {
  Permissions permissions;
  permissions.responses = ResponsePermission{};
  const Rights rights(permissions);
  EXPECT_FALSE(rights.publish.permits_publish("anything"));
  EXPECT_TRUE(rights.subscribe.permits_subscribe("anything", ""));
}

TEST(Rights, a_list_of_subjects_stays_beside_the_permission_to_answer) {
  Permissions permissions;
  permissions.publish.allow = {"orders.*"};
  permissions.responses = ResponsePermission{};
  const Rights rights(permissions);
  EXPECT_TRUE(rights.publish.permits_publish("orders.new"));
  EXPECT_FALSE(rights.publish.permits_publish("other"));
}

TEST(ReplyTable, allows_as_many_answers_as_it_says_and_no_more) {
  ReplyTable replies({.max = 2, .expires = seconds(10)});
  EXPECT_FALSE(replies.use("inbox.1", at(0)));
  replies.remember("inbox.1", at(0));
  EXPECT_TRUE(replies.use("inbox.1", at(1)));
  EXPECT_TRUE(replies.use("inbox.1", at(2)));
  EXPECT_FALSE(replies.use("inbox.1", at(3)));
  EXPECT_EQ(replies.size(), 0U);
}

TEST(ReplyTable, forgets_a_request_that_has_expired) {
  ReplyTable replies({.max = 1, .expires = seconds(10)});
  replies.remember("inbox.1", at(0));
  EXPECT_FALSE(replies.use("inbox.1", at(10)));
  replies.remember("inbox.2", at(0));
  EXPECT_TRUE(replies.use("inbox.2", at(9)));
}

TEST(ReplyTable, negative_numbers_mean_no_limit) {
  ReplyTable replies({.max = -1, .expires = seconds(-1)});
  replies.remember("inbox", at(0));
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(replies.use("inbox", at(1'000'000)));
  }
}

TEST(ReplyTable, a_request_that_comes_again_begins_anew) {
  ReplyTable replies({.max = 1, .expires = seconds(10)});
  replies.remember("inbox.1", at(0));
  replies.remember("inbox.2", at(5));
  replies.remember("inbox.1", at(8));
  replies.remember("inbox.3", at(16));
  EXPECT_FALSE(replies.use("inbox.2", at(16)));
  EXPECT_TRUE(replies.use("inbox.1", at(17)));
  EXPECT_EQ(replies.size(), 1U);
}

TEST(ReplyTable, is_bounded_and_drops_the_expired_and_then_the_oldest) {
  ReplyTable replies({.max = 1, .expires = seconds(10)});
  for (std::size_t i = 0; i < ReplyTable::kMost + 10; ++i) {
    replies.remember("inbox." + std::to_string(i), at(0));
  }
  EXPECT_EQ(replies.size(), ReplyTable::kMost);
  EXPECT_FALSE(replies.use("inbox.9", at(1))) << "whoever floods a responder takes no room from the next request";
  EXPECT_TRUE(replies.use("inbox.10", at(1)));
  EXPECT_TRUE(replies.use("inbox." + std::to_string(ReplyTable::kMost + 9), at(1)));
  replies.remember("late", at(60));
  EXPECT_EQ(replies.size(), 1U);
  EXPECT_TRUE(replies.use("late", at(61)));
}

}  // namespace
}  // namespace hawser::broker
