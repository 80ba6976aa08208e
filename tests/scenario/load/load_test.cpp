// The parts of hawser_load that judge: a tool that finds faults must first be shown to find them.
#include <gtest/gtest.h>

#include <vector>

#include "latency_histogram.hpp"
#include "payload.hpp"
#include "stream_tracker.hpp"

namespace hawser::load {
namespace {

struct Case {
  const char* name;
  std::vector<std::uint64_t> seen;
  std::uint64_t published, lost, duplicated, reordered;
};

TEST(StreamTracker, counts_each_kind_of_fault_exactly) {
  const std::vector<Case> cases = {
      {"all in order", {1, 2, 3}, 3, 0, 0, 0},
      {"nothing at all", {}, 3, 3, 0, 0},
      {"one missing", {1, 3}, 3, 1, 0, 0},
      {"first missing", {2, 3}, 3, 1, 0, 0},
      {"tail missing", {1}, 3, 2, 0, 0},
      {"late", {1, 3, 2}, 3, 0, 0, 1},
      {"two late of a wide gap", {1, 6, 3, 5}, 6, 2, 0, 2},
      {"late and then again", {1, 3, 2, 2}, 3, 0, 1, 1},
      {"the same twice", {1, 1, 2}, 2, 0, 1, 0},
      {"an old one again", {1, 2, 3, 1}, 3, 0, 1, 0},
      {"whole stream twice", {1, 2, 1, 2}, 2, 0, 2, 0},
      {"backwards", {3, 2, 1}, 3, 0, 0, 2},
  };
  for (const auto& c : cases) {
    StreamTracker tracker;
    for (const auto sequence : c.seen) tracker.see(sequence);
    const auto counts = tracker.counts(c.published);
    EXPECT_EQ(counts.lost, c.lost) << c.name;
    EXPECT_EQ(counts.duplicated, c.duplicated) << c.name;
    EXPECT_EQ(counts.reordered, c.reordered) << c.name;
    EXPECT_EQ(tracker.complete(c.published), c.lost == 0) << c.name;
  }
}

TEST(StreamTracker, names_the_first_missing_number) {
  StreamTracker tracker;
  tracker.see(1);
  tracker.see(4);
  EXPECT_EQ(tracker.first_missing(4), 2U);
  tracker.see(2);
  tracker.see(3);
  EXPECT_EQ(tracker.first_missing(4), 0U);
  EXPECT_EQ(tracker.first_missing(9), 5U);
}

TEST(StreamTracker, stays_bounded_and_still_counts_what_is_lost) {
  StreamTracker tracker;
  const std::uint64_t last = 4 * StreamTracker::kMissingRanges;
  for (std::uint64_t n = 2; n <= last; n += 2) tracker.see(n);
  EXPECT_EQ(tracker.counts(last).lost, last / 2);
}

TEST(Payload, reads_back_what_was_written) {
  for (const std::size_t size : {0UL, 32UL, 33UL, 4096UL}) {
    std::string text;
    const Stamp stamp{7, 3, 123456789, Clock::time_point(std::chrono::nanoseconds(42))};
    write_payload(text, stamp, size);
    const auto back = read_payload(text);
    ASSERT_TRUE(back) << size;
    EXPECT_EQ(back->publisher, 7U);
    EXPECT_EQ(back->subject, 3U);
    EXPECT_EQ(back->sequence, 123456789U);
    EXPECT_EQ(back->sent, stamp.sent);
  }
}

TEST(Payload, refuses_a_changed_byte_and_a_changed_length) {
  std::string text;
  write_payload(text, Stamp{1, 2, 3, {}}, 64);
  EXPECT_FALSE(read_payload(text + "x"));
  EXPECT_FALSE(read_payload(std::string_view(text).substr(0, 63)));
  EXPECT_FALSE(read_payload(""));
  text[50] = static_cast<char>(text[50] + 1);
  EXPECT_FALSE(read_payload(text));
}

TEST(LatencyHistogram, percentiles_are_within_a_bucket) {
  LatencyHistogram histogram;
  for (int us = 1; us <= 10000; ++us) histogram.record(std::chrono::microseconds(us));
  EXPECT_NEAR(histogram.percentile(0.5), 5000, 5000 * 0.04);
  EXPECT_NEAR(histogram.percentile(0.99), 9900, 9900 * 0.04);
  EXPECT_DOUBLE_EQ(histogram.max(), 10000);
  EXPECT_LE(histogram.percentile(1.0), histogram.max());
  LatencyHistogram sum;
  sum += histogram;
  sum += histogram;
  EXPECT_EQ(sum.count(), 20000U);
  EXPECT_NEAR(sum.percentile(0.5), histogram.percentile(0.5), 1e-9);
}

TEST(LatencyHistogram, is_zero_when_empty_and_takes_the_absurd) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.percentile(0.99), 0);
  histogram.record(std::chrono::hours(48));
  histogram.record(std::chrono::nanoseconds(-5));
  EXPECT_EQ(histogram.count(), 2U);
}

}  // namespace
}  // namespace hawser::load
