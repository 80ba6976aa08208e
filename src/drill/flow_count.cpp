#include "drill/flow_count.hpp"

#include <iterator>

namespace hawser::drill {

Counts& Counts::operator+=(const Counts& other) {
  sent += other.sent;
  delivered += other.delivered;
  lost += other.lost;
  duplicated += other.duplicated;
  reordered += other.reordered;
  away += other.away;
  return *this;
}

void FlowCount::see(std::uint64_t number) {
  if (number < next_) {
    return fill(number);
  }
  if (number > next_) {
    if (away_ || broken_) {
      missed_ += number - next_;
    } else {
      gaps_.emplace(next_, number - 1);
      if (gaps_.size() > kGaps) {
        gaps_.erase(gaps_.begin());
      }
    }
  }
  away_ = false;
  next_ = number + 1;
  ++distinct_;
}

// A number that was passed over, or has been here before.
void FlowCount::fill(std::uint64_t number) {
  const auto after = gaps_.upper_bound(number);
  if (after == gaps_.begin() || std::prev(after)->second < number) {
    ++duplicated_;
    return;
  }
  const auto [first, last] = *std::prev(after);
  gaps_.erase(std::prev(after));
  if (first < number) {
    gaps_.emplace(first, number - 1);
  }
  if (number < last) {
    gaps_.emplace(number + 1, last);
  }
  ++distinct_;
  ++reordered_;
}

Counts FlowCount::counts(std::uint64_t sent) const {
  const std::uint64_t known = distinct_ + missed_;
  return {.sent = sent,
          .delivered = distinct_,
          .lost = sent > known ? sent - known : 0,
          .duplicated = duplicated_,
          .reordered = reordered_,
          .away = missed_};
}

}  // namespace hawser::drill
