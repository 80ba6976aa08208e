// Sizes and durations as people write them in configuration files and flags.
//
//   const Result<std::uint64_t> limit = parse_size("4MB");
//   const Result<std::chrono::nanoseconds> wait = parse_duration("50ms");
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace hawser {

// Bytes. As nats-server reads them: K, M, G, T are powers of 1000; KB, KiB, Ki (and so on) are powers of 1024; any
// case; "B" or no unit is bytes; one space before the unit is fine, so is a fraction ("1.5GB"). Errors: bad_quantity.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

// As Go writes them: "50ms", "2s", "1h30m", "1.5s"; units ns, us (µs), ms, s, m, h, and d (24 h). Not negative; a
// number needs its unit, but for "0". Errors: bad_quantity.
[[nodiscard]] Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

// For people: "512 B", "4 MiB", "1.5 GiB".
[[nodiscard]] std::string format_size(std::uint64_t bytes);
// For people and for parse_duration: "50ms", "1.5s", "1h30m", "30d".
[[nodiscard]] std::string format_duration(std::chrono::nanoseconds duration);

}  // namespace hawser
