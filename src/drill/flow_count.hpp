// What a line did to one numbered stream of messages: lost, repeated, out of order. Pure and exact.
//
// Numbers are given out from 1. One that is passed over is remembered until it comes (then it was out of order) or the
// end (then it is lost). One owner; not thread-safe. Bounded: beyond kGaps gaps the oldest one counts as lost.
//
//   FlowCount flow;  flow.see(1);  flow.see(3);  flow.see(2);   flow.counts(3).reordered == 1
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace hawser::drill {

// Of a flow, or of many of them.
struct Counts {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;  // each message once
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t away = 0;  // sent while its way was known to be broken: core NATS keeps nothing for who is not there

  Counts& operator+=(const Counts& other);
  friend bool operator==(const Counts&, const Counts&) = default;
};

class FlowCount {
 public:
  static constexpr std::size_t kGaps = 65'536;

  void see(std::uint64_t number);
  // The subscriber was away. The next message is the first one that it can be blamed for: what is passed over to it is
  // not lost.
  void was_away() noexcept { away_ = true; }
  // The same for as long as it is so.
  void set_broken(bool broken) noexcept { broken_ = broken; }
  // `sent`: the last number that was given out.
  [[nodiscard]] Counts counts(std::uint64_t sent) const;
  // Nothing that was sent is still to come.
  [[nodiscard]] bool complete(std::uint64_t sent) const { return counts(sent).lost == 0; }

 private:
  void fill(std::uint64_t number);

  std::uint64_t next_ = 1;
  std::uint64_t distinct_ = 0;
  std::uint64_t duplicated_ = 0;
  std::uint64_t reordered_ = 0;
  std::uint64_t missed_ = 0;  // while away
  bool away_ = false;
  bool broken_ = false;
  std::map<std::uint64_t, std::uint64_t> gaps_;  // first to last, both missing
};

}  // namespace hawser::drill
