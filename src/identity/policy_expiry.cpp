#include "identity/policy_expiry.hpp"

#include "base/clock.hpp"
#include "base/quantity.hpp"

namespace hawser::identity {

using namespace std::chrono_literals;

std::optional<std::chrono::sys_seconds> Expiry::from(std::chrono::sys_seconds now) const {
  return after ? std::optional(now + *after) : at;
}

std::optional<std::chrono::sys_seconds> Expiry::keeping(std::optional<std::chrono::sys_seconds> before,
                                                        std::chrono::sys_seconds now) const {
  const bool right = after && before && *before <= now + *after && *before > now + *after / 3;
  return right ? before : from(now);
}

Result<Expiry> parse_expiry(std::string_view text) {
  constexpr std::size_t kDate = std::string_view("2027-01-01").size();
  if (text == "never") {
    return Expiry{};
  }
  const std::string whole = text.size() == kDate ? std::string(text) + "T00:00:00Z" : std::string(text);
  if (const std::optional<WallTime> time = parse_rfc3339(whole)) {
    return Expiry{.at = std::chrono::floor<std::chrono::seconds>(*time)};
  }
  const Result<std::chrono::nanoseconds> duration = parse_duration(text);
  if (!duration || *duration < 1s) {
    return fail(Errc::bad_quantity,
                "\"" + std::string(text) +
                    "\" is no time to end at: write 30d, 12h, 2027-01-01, 2027-01-01T12:00:00Z or never");
  }
  return Expiry{.after = std::chrono::floor<std::chrono::seconds>(*duration)};
}

}  // namespace hawser::identity
