#include "broker/connect_hours.hpp"

#include <algorithm>

#include "broker/time_zone.hpp"

namespace hawser::broker {

using std::chrono::seconds;
using std::chrono::sys_seconds;

namespace {

// "15:04:05".
std::optional<seconds> time_of_day(const std::string& text) {
  const auto two_digits = [&text](std::size_t at) {
    const auto digit = [&text](std::size_t place) {
      const char c = text[place];
      return c >= '0' && c <= '9' ? c - '0' : 100;
    };
    return digit(at) * 10 + digit(at + 1);
  };
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') {
    return std::nullopt;
  }
  const int hour = two_digits(0);
  const int minute = two_digits(3);
  const int second = two_digits(6);
  if (hour > 23 || minute > 59 || second > 59) {
    return std::nullopt;
  }
  return std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(second);
}

class Clock {
 public:
  explicit Clock(const TimeZone* zone) : zone_(zone) {}
  [[nodiscard]] seconds offset_at(sys_seconds time) const {
    return zone_ != nullptr ? zone_->offset_at(time) : local_offset_at(time);
  }
  // Of a local time; of two that are called the same, the first.
  [[nodiscard]] sys_seconds utc(sys_seconds local) const {
    const sys_seconds first = local - offset_at(local - std::chrono::hours(24));
    return local - offset_at(first);
  }

 private:
  const TimeZone* zone_;
};

}  // namespace

Hours hours_of(const std::vector<identity::DailyTimes>& times, const std::string& location, sys_seconds now) {
  if (times.empty()) {
    return {.open = true};
  }
  const TimeZone* zone = location.empty() ? nullptr : find_time_zone(location);
  if (!location.empty() && zone == nullptr) {
    return {};
  }
  const Clock clock(zone);
  const auto today = std::chrono::floor<std::chrono::days>(now + clock.offset_at(now));
  Hours hours;
  for (const identity::DailyTimes& window : times) {
    const std::optional<seconds> start = time_of_day(window.start);
    const std::optional<seconds> end = time_of_day(window.end);
    if (!start || !end) {
      return {};
    }
    for (const auto day : {today - std::chrono::days(1), today}) {
      const sys_seconds opens = clock.utc(day + *start);
      const sys_seconds closes = clock.utc(day + *end + std::chrono::days(*end < *start ? 1 : 0));
      if (opens <= now && now < closes) {
        hours.open = true;
        hours.until = std::max(hours.until.value_or(closes), closes);
      }
    }
  }
  return hours;
}

}  // namespace hawser::broker
