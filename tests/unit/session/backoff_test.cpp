#include "session/backoff.hpp"

#include <gtest/gtest.h>

namespace hawser::session {
namespace {

using namespace std::chrono_literals;
using Failure = Backoff::Failure;

// The longest and the shortest that chance allows.
RandomBits longest(Duration step) {
  return [step] { return static_cast<std::uint64_t>(step.count()); };
}
const RandomBits kShortest = [] { return std::uint64_t{0}; };

BackoffOptions options() { return {.wait = 100ms, .max_wait = 1s, .denied_wait = 2s, .denied_max_wait = 10s}; }

TEST(Backoff, doubles_up_to_its_cap_and_stays_there_for_ever) {
  Backoff backoff(options());
  for (const Duration step : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    EXPECT_EQ(backoff.failed(Failure::unreachable, longest(step)), step);
  }
  for (int i = 0; i < 100'000; ++i) (void)backoff.failed(Failure::unreachable, kShortest);
  EXPECT_EQ(backoff.failed(Failure::unreachable, longest(1s)), 1s);
}

TEST(Backoff, waits_any_part_of_a_step) {
  Backoff backoff(options());
  EXPECT_EQ(backoff.failed(Failure::unreachable, kShortest), Duration{});
  Duration least = 1h;
  Duration longest_seen{};
  std::uint64_t state = 1;
  const RandomBits random = [&state] { return state = state * 6364136223846793005U + 1442695040888963407U; };
  for (int i = 0; i < 2000; ++i) {
    Backoff fresh(options());
    const Duration wait = fresh.failed(Failure::unreachable, random);
    least = std::min(least, wait);
    longest_seen = std::max(longest_seen, wait);
  }
  EXPECT_LT(least, 5ms);
  EXPECT_GT(longest_seen, 95ms);
  EXPECT_LE(longest_seen, 100ms);
}

TEST(Backoff, slows_down_by_a_ladder_of_its_own_when_credentials_are_refused) {
  Backoff backoff(options());
  for (const Duration step : {2s, 4s, 8s, 10s, 10s}) {
    EXPECT_EQ(backoff.failed(Failure::denied, kShortest), step / 2);
  }
  EXPECT_EQ(backoff.denials(), 5U);
}

TEST(Backoff, does_not_forget_refusals_when_the_server_is_away_in_between) {
  Backoff backoff(options());
  (void)backoff.failed(Failure::denied, kShortest);
  (void)backoff.failed(Failure::unreachable, kShortest);
  EXPECT_EQ(backoff.failed(Failure::denied, kShortest), 2s);
}

TEST(Backoff, starts_anew_after_a_success_and_when_inputs_change) {
  for (const bool success : {true, false}) {
    Backoff backoff(options());
    for (int i = 0; i < 5; ++i) (void)backoff.failed(Failure::denied, kShortest);
    success ? backoff.succeeded() : backoff.inputs_changed();
    EXPECT_EQ(backoff.failures() + backoff.denials(), 0U);
    EXPECT_EQ(backoff.failed(Failure::unreachable, longest(100ms)), 100ms);
    EXPECT_EQ(backoff.failed(Failure::denied, kShortest), 1s);
  }
}

TEST(Backoff, of_nothing_is_nothing) {
  Backoff backoff({.wait = 0ms, .max_wait = 0ms, .denied_wait = 0ms, .denied_max_wait = 0ms});
  EXPECT_EQ(backoff.failed(Failure::unreachable, longest(1s)), Duration{});
  EXPECT_EQ(backoff.failed(Failure::denied, longest(1s)), Duration{});
}

}  // namespace
}  // namespace hawser::session
