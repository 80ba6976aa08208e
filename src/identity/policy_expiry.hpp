// When something is to end, as people write it: "30d", "12h", "2027-01-01", "2027-01-01T12:00:00Z", "never".
//
// Values; pure; thread-safe.
//
//   Result<Expiry> expiry = parse_expiry("30d");   claims.expires = expiry->from(now);
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/error.hpp"

namespace hawser::identity {

struct Expiry {
  std::optional<std::chrono::seconds> after{};   // from when it is issued
  std::optional<std::chrono::sys_seconds> at{};  // a date alone: its first second, UTC
  // Neither: never.
  [[nodiscard]] std::optional<std::chrono::sys_seconds> from(std::chrono::sys_seconds now) const;
  // What to write now where `before` is already written: `before`, while it is right. "30d" is right for as long as a
  // third of it is left, so that the same policy applied each day renews every twenty days.
  [[nodiscard]] std::optional<std::chrono::sys_seconds> keeping(std::optional<std::chrono::sys_seconds> before,
                                                                std::chrono::sys_seconds now) const;
};

// Errors: bad_quantity.
[[nodiscard]] Result<Expiry> parse_expiry(std::string_view text);

}  // namespace hawser::identity
