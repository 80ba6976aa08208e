#include "stream_tracker.hpp"

#include <iterator>

namespace hawser::load {

StreamCounts& StreamCounts::operator+=(const StreamCounts& other) {
  expected += other.expected;
  distinct += other.distinct;
  lost += other.lost;
  duplicated += other.duplicated;
  reordered += other.reordered;
  return *this;
}

Arrival StreamTracker::see(std::uint64_t sequence) {
  if (sequence >= next_) {
    const bool gap = sequence > next_;
    if (gap) {
      missing_.emplace(next_, sequence - 1);
      if (missing_.size() > kMissingRanges) missing_.erase(missing_.begin());
    }
    next_ = sequence + 1;
    ++distinct_;
    return gap ? Arrival::after_gap : Arrival::in_order;
  }
  auto after = missing_.upper_bound(sequence);
  if (after == missing_.begin() || std::prev(after)->second < sequence) {
    ++duplicated_;
    return Arrival::duplicate;
  }
  take_from_missing(std::prev(after), sequence);
  ++distinct_;
  ++reordered_;
  return Arrival::late;
}

void StreamTracker::take_from_missing(std::map<std::uint64_t, std::uint64_t>::iterator range, std::uint64_t sequence) {
  const auto [first, last] = *range;
  missing_.erase(range);
  if (first < sequence) missing_.emplace(first, sequence - 1);
  if (sequence < last) missing_.emplace(sequence + 1, last);
}

StreamCounts StreamTracker::counts(std::uint64_t published) const {
  StreamCounts result;
  result.expected = published;
  result.distinct = distinct_;
  result.lost = published > distinct_ ? published - distinct_ : 0;
  result.duplicated = duplicated_;
  result.reordered = reordered_;
  return result;
}

std::uint64_t StreamTracker::first_missing(std::uint64_t published) const {
  if (!missing_.empty()) return missing_.begin()->first;
  return next_ <= published ? next_ : 0;
}

}  // namespace hawser::load
