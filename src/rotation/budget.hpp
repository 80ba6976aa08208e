// The time that a plan may take at worst, and whether the certificates that it needs live so long. Pure.
//
//   const TimeNeeded needed = time_needed(plan);
//   std::vector<Error> short_lived = outlived(lifetimes, needed, plan.times.margin, wall_now());
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rotation/plan.hpp"
#include "tls/certificate.hpp"

namespace hawser::rotation {

struct TimeLine {
  std::string what;  // "broaden trust", "wave canary"
  std::chrono::nanoseconds begins{};
  std::chrono::nanoseconds takes{};
};

// Every step as long as it may be: steps that follow each other add up, waves side by side do not.
struct TimeNeeded {
  std::vector<TimeLine> lines;
  std::chrono::nanoseconds moved{};     // until nothing old is presented any more
  std::chrono::nanoseconds narrowed{};  // from then on, until the end
  std::chrono::nanoseconds total{};
};
[[nodiscard]] TimeNeeded time_needed(const Plan& plan);

enum class NeededUntil : std::uint8_t {
  moved,     // old: until the last connection that presents it has been moved
  narrowed,  // the old one that is to be refused at the end, and not for its age
  end,       // new: and beyond; `margin` at least
};

struct Lifetime {
  std::string what;  // "the old certificate of agent-1 (/etc/…)"
  tls::Seconds from{};
  tls::Seconds to{};
  NeededUntil until{};
};

// How much of the plan is still to come.
enum class Ahead : std::uint8_t {
  everything,
  narrowing,  // every target has been moved: what only they needed may end
};

// One rotation_no_time for each that is not valid for as long as it is needed, from now on.
[[nodiscard]] std::vector<Error> outlived(std::span<const Lifetime> lifetimes, const TimeNeeded& needed,
                                          std::chrono::nanoseconds margin, WallTime now,
                                          Ahead ahead = Ahead::everything);

}  // namespace hawser::rotation
