// Who of the agent's own clients gets a message.
#include "agent/local_routes.hpp"

#include <gtest/gtest.h>

namespace hawser::agent {
namespace {

TEST(LocalRoutes, number_the_messages_that_somebody_wants) {
  LocalRoutes routes("NAGENT");
  routing::Route route;
  EXPECT_EQ(routes.offer("a", route), 0U);
  const auto mine = routes.join(0, 1, "7", "a.>", "");
  EXPECT_EQ(routes.offer("b", route), 0U);
  EXPECT_EQ(routes.offer("a.b", route), 1U);
  ASSERT_EQ(route.plain.size(), 1U);
  EXPECT_EQ(route.plain.front(), mine);
  EXPECT_EQ(routes.offer("a.c", route), 2U);
}

TEST(LocalRoutes, who_joins_later_was_not_among_those_who_had_it) {
  LocalRoutes routes("NAGENT");
  routing::Route route;
  const auto first = routes.join(0, 1, "1", "a", "");
  const std::uint64_t number = routes.offer("a", route);
  const auto second = routes.join(0, 2, "1", "a", "");
  EXPECT_GT(number, first->since);
  EXPECT_LE(number, second->since);
}

TEST(LocalRoutes, name_each_queue_group_once) {
  LocalRoutes routes("NAGENT");
  routing::Route route;
  const auto one = routes.join(0, 1, "1", "a", "g");
  const auto two = routes.join(1, 2, "1", "*", "g");
  ASSERT_NE(routes.offer("a", route), 0U);
  ASSERT_EQ(route.groups.size(), 1U);
  EXPECT_EQ(route.groups.front().members.size(), 2U);
  routes.leave(one);
  routes.leave(two);
  EXPECT_EQ(routes.offer("a", route), 0U);
}

}  // namespace
}  // namespace hawser::agent
