#include "base/clock.hpp"

#include <cctype>
#include <fmt/format.h>

namespace hawser {
namespace {

using namespace std::chrono;

constexpr int kFirstYear = 1970;
constexpr int kLastYear = 2261;  // what nanoseconds in 64 bits can hold

// Reads fixed-width fields from the front of a text; once something did not fit, everything after it fails too.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (i >= rest_.size() || std::isdigit(static_cast<unsigned char>(rest_[i])) == 0) {
        failed_ = true;
        return 0;
      }
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }

  char one_of(std::string_view choices) {
    if (rest_.empty() || choices.find(rest_.front()) == std::string_view::npos) {
      failed_ = true;
      return '\0';
    }
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }

  // ".123456789", or nothing.
  nanoseconds fraction() {
    if (rest_.empty() || rest_.front() != '.') {
      return {};
    }
    rest_.remove_prefix(1);
    std::int64_t value = 0;
    std::int64_t scale = 1'000'000'000;
    std::size_t count = 0;
    for (; count < rest_.size() && std::isdigit(static_cast<unsigned char>(rest_[count])) != 0; ++count) {
      value = value * 10 + (rest_[count] - '0');
      scale /= 10;
      if (count >= 9) {
        failed_ = true;
        return {};
      }
    }
    failed_ = failed_ || count == 0;
    rest_.remove_prefix(count);
    return nanoseconds(value * scale);
  }

  [[nodiscard]] bool ended_well() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

minutes offset(Cursor& cursor) {
  const char sign = cursor.one_of("Zz+-");
  if (sign != '+' && sign != '-') {
    return {};
  }
  const int hour = cursor.digits(2);
  cursor.one_of(":");
  const int minute = cursor.digits(2);
  if (hour > 23 || minute > 59) {
    cursor.one_of("");  // fails
  }
  const minutes away = hours(hour) + minutes(minute);
  return sign == '-' ? -away : away;
}

}  // namespace

std::string to_rfc3339(WallTime time, Precision precision) {
  const auto day_start = floor<days>(time);
  const year_month_day date{day_start};
  const hh_mm_ss clock{floor<milliseconds>(time - day_start)};
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (precision == Precision::milliseconds) {
    fmt::format_to(std::back_inserter(text), ".{:03}", clock.subseconds().count());
  }
  return text + 'Z';
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  Cursor cursor(text);
  const int year_number = cursor.digits(4);
  cursor.one_of("-");
  const int month_number = cursor.digits(2);
  cursor.one_of("-");
  const int day_number = cursor.digits(2);
  cursor.one_of("Tt ");
  const int hour = cursor.digits(2);
  cursor.one_of(":");
  const int minute = cursor.digits(2);
  cursor.one_of(":");
  const int second = cursor.digits(2);
  const nanoseconds fraction = cursor.fraction();
  const minutes east = offset(cursor);
  if (!cursor.ended_well() || year_number < kFirstYear || year_number > kLastYear || hour > 23 || minute > 59 ||
      second > 60) {
    return std::nullopt;
  }
  const year_month_day date{year(year_number), month(static_cast<unsigned>(month_number)),
                            day(static_cast<unsigned>(day_number))};
  if (!date.ok()) {
    return std::nullopt;
  }
  return WallTime(sys_days(date)) + hours(hour) + minutes(minute) + seconds(second) + fraction - east;
}

}  // namespace hawser
