// Two kinds of time, and the text form of one of them.
//
// `Time` never jumps: time-outs, back-off, every decision of a state machine (which gets it as an argument and never
// asks for it). `WallTime` is what certificates, deadlines and log lines are in. Values; thread-safe.
//
//   if (const auto until = parse_rfc3339("2026-12-01T00:00:00Z"); until && wall_now() > *until) …
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hawser {

using Time = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

[[nodiscard]] inline Time now() { return std::chrono::steady_clock::now(); }
[[nodiscard]] inline WallTime wall_now() { return std::chrono::system_clock::now(); }

// "2026-11-22T10:00:00.123Z", in UTC; without the fraction when `precision` is whole_seconds.
enum class Precision : std::uint8_t { whole_seconds, milliseconds };
[[nodiscard]] std::string to_rfc3339(WallTime time, Precision precision = Precision::whole_seconds);

// RFC 3339 date-times of the years 1970 to 2261, with "Z" or an offset, and up to nine digits of a second's fraction. A
// leap second (":60") counts as the second after it. Anything else, a date alone too: nothing.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace hawser
