#include "store/breaker.hpp"

#include <chrono>
#include <gtest/gtest.h>

namespace hawser::store {
namespace {

constexpr Time at(int seconds) { return Time{} + std::chrono::seconds(seconds); }
const Error kLost{Errc::connection_lost, "reset"};
const Error kRefused{Errc::auth_refused, "no"};

TEST(Breaker, is_open_at_first_and_closes_when_a_link_is_up) {
  Breaker breaker(at(0));
  EXPECT_EQ(breaker.number(), 1);
  EXPECT_FALSE(breaker.reason());
  EXPECT_TRUE(breaker.on_probe(at(1)));
  EXPECT_EQ(breaker.number(), 2);
  EXPECT_EQ(breaker.since(), at(1));
  EXPECT_EQ(breaker.away_since(), at(0));
  EXPECT_FALSE(breaker.on_probe(at(2)));
  EXPECT_EQ(breaker.since(), at(1));
  EXPECT_TRUE(breaker.on_link_up(at(3)));
  EXPECT_EQ(breaker.number(), 0);
  EXPECT_EQ(breaker.since(), at(3));
  EXPECT_FALSE(breaker.on_link_up(at(4)));
}

TEST(Breaker, opens_with_the_reason_of_the_lost_link) {
  Breaker breaker(at(0));
  breaker.on_link_up(at(1));
  EXPECT_TRUE(breaker.on_link_lost(at(2), kLost));
  EXPECT_EQ(breaker.state(), BreakerState::open);
  EXPECT_EQ(breaker.reason()->code, kLost.code);
  EXPECT_FALSE(breaker.refused());
  EXPECT_TRUE(breaker.on_probe(at(3)));
  EXPECT_TRUE(breaker.on_link_lost(at(4), kLost));
  EXPECT_EQ(breaker.away_since(), at(2));
  EXPECT_TRUE(breaker.on_link_up(at(5)));
  EXPECT_FALSE(breaker.reason());
}

TEST(Breaker, a_refusal_stays_the_reason_until_a_link_is_up) {
  Breaker breaker(at(0));
  breaker.on_link_up(at(1));
  EXPECT_TRUE(breaker.on_refused(at(2), kRefused));
  EXPECT_TRUE(breaker.on_probe(at(3)));
  EXPECT_TRUE(breaker.on_link_lost(at(4), kLost));
  EXPECT_EQ(breaker.reason()->code, kRefused.code);
  EXPECT_TRUE(breaker.refused());
  breaker.on_link_up(at(5));
  EXPECT_FALSE(breaker.refused());
}

TEST(Breaker, a_probe_beside_a_good_link_changes_nothing) {
  Breaker breaker(at(0));
  breaker.on_link_up(at(1));
  EXPECT_FALSE(breaker.on_probe(at(2)));
  EXPECT_EQ(breaker.state(), BreakerState::closed);
}

TEST(Breaker, states_have_names) {
  EXPECT_EQ(to_string(BreakerState::closed), "closed");
  EXPECT_EQ(to_string(BreakerState::open), "open");
  EXPECT_EQ(to_string(BreakerState::half_open), "half-open");
}

}  // namespace
}  // namespace hawser::store
