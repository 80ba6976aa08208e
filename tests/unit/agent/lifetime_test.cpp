#include "agent/lifetime.hpp"

#include <gtest/gtest.h>

namespace hawser::agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::sys_seconds;

constexpr sys_seconds kBegin{1'800'000'000s};

TEST(Lifetime, warns_at_a_third_of_a_short_life_and_at_a_tenth) {
  const Lifetime hour{kBegin, kBegin + 1h};
  EXPECT_EQ(stage(hour, kBegin), Stage::fine);
  EXPECT_EQ(stage(hour, kBegin + 40min - 1s), Stage::fine);
  EXPECT_EQ(stage(hour, kBegin + 40min), Stage::soon);
  EXPECT_EQ(stage(hour, kBegin + 54min), Stage::urgent);
  EXPECT_EQ(stage(hour, kBegin + 1h), Stage::ended);
}

TEST(Lifetime, warns_thirty_days_and_three_days_before_the_end_of_a_long_life) {
  const Lifetime year{kBegin, kBegin + days(365)};
  EXPECT_EQ(stage(year, year.end - days(30) - 1s), Stage::fine);
  EXPECT_EQ(stage(year, year.end - days(30)), Stage::soon);
  EXPECT_EQ(stage(year, year.end - days(3)), Stage::urgent);
}

TEST(Lifetime, looks_again_when_the_next_stage_begins) {
  const Lifetime hour{kBegin, kBegin + 1h};
  for (sys_seconds now = kBegin; stage(hour, now) != Stage::ended;) {
    const auto next = next_stage(hour, now);
    ASSERT_TRUE(next);
    EXPECT_LT(stage(hour, *next - 1s), stage(hour, *next));
    now = *next;
  }
  EXPECT_EQ(next_stage(hour, hour.end), std::nullopt);
}

TEST(Lifetime, knows_certificates_without_an_end_and_lives_of_no_length) {
  const Lifetime for_ever{kBegin, sys_seconds(253'402'300'799s)};  // 9999-12-31T23:59:59Z, RFC 5280 4.1.2.5
  EXPECT_EQ(stage(for_ever, kBegin), Stage::fine);
  EXPECT_EQ(stage({kBegin, kBegin - 1h}, kBegin - 2h), Stage::fine);
  EXPECT_EQ(stage({kBegin, kBegin - 1h}, kBegin), Stage::ended);
}

}  // namespace
}  // namespace hawser::agent
