// How nats-server writes times and durations in its monitoring. Pure.
//
//   uptime_text(std::chrono::hours(49)) == "2d1h0m0s"
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace hawser::broker {

// Whole seconds, with days and years: "0s", "1m30s", "2d3h4m5s", "1y0d0h0m0s". Negative ones are "0s".
[[nodiscard]] std::string uptime_text(Duration duration);

// Go's Duration.String: "0s", "850ns", "1.5µs", "2.25ms", "1m30s", "2h0m0.5s".
[[nodiscard]] std::string go_duration(Duration duration);

// A round trip as connz shows it: below a millisecond without what is less than a microsecond.
[[nodiscard]] std::string rtt_text(Duration rtt);

// RFC 3339 in UTC with as many digits of the second's fraction as it has: "2026-11-22T10:00:00.5Z".
[[nodiscard]] std::string rfc3339_nano(WallTime time);

// What is a JavaScript expression to call, and nothing else: letters, digits, '_', '$' and '.'; at most 128.
[[nodiscard]] bool is_callback_name(std::string_view text);

}  // namespace hawser::broker
