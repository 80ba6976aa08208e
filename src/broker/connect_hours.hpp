// The times of day at which a user's JWT lets it be connected.
//
// Pure but for the time zone database; thread-safe. A window that ends before it begins goes on past midnight, and is
// open then, too (nats-server looks at windows that begin on the same day alone).
//
//   const Hours hours = hours_of(user.times, user.times_location, now);   if (!hours.open) refuse();
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "identity/claims.hpp"

namespace hawser::broker {

struct Hours {
  bool open = false;
  std::optional<std::chrono::sys_seconds> until{};  // when it closes; nothing: never
};

// `location`: of the time zone database, or empty for the machine's own zone. Closed when it, or a time, is not known.
[[nodiscard]] Hours hours_of(const std::vector<identity::DailyTimes>& times, const std::string& location,
                             std::chrono::sys_seconds now);

}  // namespace hawser::broker
