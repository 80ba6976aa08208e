// The mark of a message that local clients have had.
#include "agent/local_mark.hpp"

#include <gtest/gtest.h>

namespace hawser::agent {
namespace {

TEST(LocalMark, survives_the_way_to_the_server_and_back) {
  LocalMark mark;
  mark.agent = "NAGENT";
  mark.number = 42;
  mark.publisher = 7;
  mark.sum = message_sum("a.b", "hello");
  mark.groups = "workers others";
  const std::string value = mark_value(mark);
  const auto again = parse_mark(value);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->agent, "NAGENT");
  EXPECT_EQ(again->number, 42U);
  EXPECT_EQ(again->publisher, 7U);
  EXPECT_EQ(again->sum, mark.sum);
  EXPECT_TRUE(again->has_group("workers"));
  EXPECT_TRUE(again->has_group("others"));
  EXPECT_FALSE(again->has_group("work"));
  EXPECT_FALSE(again->has_group(""));
}

TEST(LocalMark, is_nothing_when_it_is_not_one) {
  for (const char* value : {"", " ", "AGENT", "AGENT 1", "AGENT 1 2", "AGENT x 2 3", "AGENT 1 2 g", "AGENT -1 2 3",
                            "AGENT 99999999999999999999 2 3"}) {
    EXPECT_FALSE(parse_mark(value)) << value;
  }
}

TEST(LocalMark, tells_messages_apart_that_differ_in_subject_or_payload) {
  EXPECT_NE(message_sum("a", "bc"), message_sum("ab", "c"));
  EXPECT_NE(message_sum("a", "b"), message_sum("a", "c"));
  EXPECT_EQ(message_sum("a", "b"), message_sum("a", "b"));
}

}  // namespace
}  // namespace hawser::agent
