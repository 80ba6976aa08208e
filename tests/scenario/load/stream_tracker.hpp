// Finds what a delivery path did wrong with one numbered stream: one publisher's messages on one subject, as one
// subscription (or one queue group) was given them.
//
// Pure and exact: a sequence that is skipped is remembered until it arrives (late: reordered) or the run ends (lost).
// Not thread-safe; its owner locks. Memory is bounded by kMissingRanges gaps; beyond that the oldest are counted lost.
//
//   StreamTracker t;  t.see(1);  t.see(3);  t.see(2);  t.counts(3).reordered == 1
#pragma once

#include <cstdint>
#include <map>

namespace hawser::load {

// Counts over a stream or many of them; sums with +=.
struct StreamCounts {
  std::uint64_t expected = 0;
  std::uint64_t distinct = 0;
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;

  StreamCounts& operator+=(const StreamCounts& other);
  [[nodiscard]] bool clean() const { return lost == 0 && duplicated == 0 && reordered == 0; }
};

enum class Arrival : std::uint8_t { in_order, after_gap, late, duplicate };

class StreamTracker {
 public:
  static constexpr std::size_t kMissingRanges = 65536;

  explicit StreamTracker(std::uint64_t first = 1) : next_(first) {}

  // A message with this number (from 1, or the first that is expected) was delivered.
  Arrival see(std::uint64_t sequence);
  // Counts, given the last number that the publisher gave out.
  [[nodiscard]] StreamCounts counts(std::uint64_t published) const;
  [[nodiscard]] bool complete(std::uint64_t published) const { return distinct_ >= published; }
  // The first missing number, or 0 when there is none up to `published`.
  [[nodiscard]] std::uint64_t first_missing(std::uint64_t published) const;

 private:
  void take_from_missing(std::map<std::uint64_t, std::uint64_t>::iterator range, std::uint64_t sequence);

  std::uint64_t next_ = 1;
  std::uint64_t distinct_ = 0;
  std::uint64_t duplicated_ = 0;
  std::uint64_t reordered_ = 0;
  std::map<std::uint64_t, std::uint64_t> missing_;  // first -> last, both missing
};

}  // namespace hawser::load
