#include "broker/time_zone.hpp"

#include <algorithm>
#include <ctime>
#include <map>
#include <memory>
#include <mutex>

#include "base/file.hpp"

namespace hawser::broker {

using std::chrono::seconds;
using std::chrono::sys_seconds;

namespace {

constexpr std::string_view kMagic = "TZif";
constexpr std::size_t kMostBytes = 64UL << 10U;
constexpr std::size_t kMostZones = 1024;
constexpr const char* kDatabase = "/usr/share/zoneinfo/";

bool is_leap(int year) { return std::chrono::year(year).is_leap(); }

}  // namespace

// Big-endian numbers, one after the other; beyond the end everything is zero and `good` false.
struct TimeZone::Reader {
  std::string_view left;
  bool good = true;

  std::string_view take(std::size_t bytes) {
    if (bytes > left.size()) {
      good = false;
      return {};
    }
    const std::string_view taken = left.substr(0, bytes);
    left.remove_prefix(bytes);
    return taken;
  }
  std::int64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    const std::string_view taken = take(bytes);
    if (!taken.empty() && (static_cast<unsigned char>(taken.front()) & 0x80U) != 0) {
      value = ~std::uint64_t{0};
    }
    for (const char byte : taken) {
      value = value << 8U | static_cast<unsigned char>(byte);
    }
    return static_cast<std::int64_t>(value);
  }
};

// POSIX's TZ: "CET-1CEST,M3.5.0,M10.5.0/3".
struct TimeZone::RuleText {
  std::string_view left;
  bool good = true;

  bool skip(char wanted) {
    if (left.empty() || left.front() != wanted) {
      return false;
    }
    left.remove_prefix(1);
    return true;
  }
  void name() {
    const bool quoted = skip('<');
    const auto letter = [quoted](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             (quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'));
    };
    const std::size_t before = left.size();
    while (!left.empty() && letter(left.front())) {
      left.remove_prefix(1);
    }
    good = good && left.size() != before && (!quoted || skip('>'));
  }
  int number() {
    constexpr int kMost = 1000;
    int value = 0;
    const std::size_t before = left.size();
    while (!left.empty() && left.front() >= '0' && left.front() <= '9' && value < kMost) {
      value = value * 10 + (left.front() - '0');
      left.remove_prefix(1);
    }
    good = good && left.size() != before;
    return value;
  }
  seconds time() {
    const bool negative = skip('-');
    if (!negative) {
      skip('+');
    }
    seconds value = std::chrono::hours(number());
    if (skip(':')) {
      value += std::chrono::minutes(number());
    }
    if (skip(':')) {
      value += seconds(number());
    }
    return negative ? -value : value;
  }
  YearDay year_day() {
    YearDay day;
    good = good && skip(',');
    if (skip('M')) {
      day.kind = YearDay::Kind::month_week_day;
      day.month = number();
      good = good && skip('.');
      day.week = number();
      good = good && skip('.');
      day.day = number();
      good = good && day.month >= 1 && day.month <= 12 && day.week >= 1 && day.week <= 5 && day.day <= 6;
    } else {
      day.kind = skip('J') ? YearDay::Kind::julian : YearDay::Kind::zero_based;
      day.day = number();
      good = good && day.day <= 365;
    }
    day.at = skip('/') ? time() : seconds(std::chrono::hours(2));
    return day;
  }
  std::optional<Rule> rule() {
    Rule made;
    name();
    made.standard = -time();  // POSIX counts to the west
    if (good && !left.empty()) {
      made.has_summer = true;
      name();
      const bool told = !left.empty() && left.front() != ',';
      made.summer = told ? -time() : made.standard + std::chrono::hours(1);
      made.begin = year_day();
      made.end = year_day();
    }
    return good && left.empty() ? std::optional(made) : std::nullopt;
  }
};

seconds TimeZone::YearDay::in_year(int year) const {
  constexpr int kFirstOfMarch = 60;  // as a Julian day, which does not count 29 February
  if (kind == Kind::month_week_day) {
    const std::chrono::year_month in{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month))};
    const std::chrono::weekday which(static_cast<unsigned>(day));
    const std::chrono::sys_days found = week == 5 ? std::chrono::sys_days(in / which[std::chrono::last])
                                                  : std::chrono::sys_days(in / which[static_cast<unsigned>(week)]);
    return found - std::chrono::sys_days(std::chrono::year(year) / std::chrono::January / 1) + at;
  }
  const int days = kind == Kind::zero_based ? day : day - 1 + (is_leap(year) && day >= kFirstOfMarch ? 1 : 0);
  return std::chrono::days(days) + at;
}

seconds TimeZone::Rule::offset_at(sys_seconds time) const {
  if (!has_summer) {
    return standard;
  }
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time + standard));
  const sys_seconds year_begins = std::chrono::sys_days(date.year() / std::chrono::January / 1);
  const sys_seconds from = year_begins + begin.in_year(static_cast<int>(date.year())) - standard;
  const sys_seconds to = year_begins + end.in_year(static_cast<int>(date.year())) - summer;
  const bool in_summer = from < to ? time >= from && time < to : time >= from || time < to;
  return in_summer ? summer : standard;
}

// RFC 8536: a header and a body of 32-bit times, which are passed over, then both again with 64-bit ones, and the rule.
std::optional<TimeZone> TimeZone::parse(std::string_view bytes) {
  Reader in{bytes};
  TimeZone zone;
  for (const std::size_t width : {4UL, 8UL}) {
    const std::string_view magic = in.take(kMagic.size());
    const std::string_view version = in.take(1);
    if (magic != kMagic || version.empty() || version.front() < '2') {
      return std::nullopt;
    }
    in.take(15);
    const auto is_ut = static_cast<std::size_t>(in.number(4));
    const auto is_std = static_cast<std::size_t>(in.number(4));
    const auto leaps = static_cast<std::size_t>(in.number(4));
    const auto times = static_cast<std::size_t>(in.number(4));
    const auto types = static_cast<std::size_t>(in.number(4));
    const auto names = static_cast<std::size_t>(in.number(4));
    if (!in.good || std::max({is_ut, is_std, leaps, times, types, names}) > kMostBytes || types == 0) {
      return std::nullopt;
    }
    if (width == 4) {
      in.take(times * 5 + types * 6 + names + leaps * 8 + is_std + is_ut);
      continue;
    }
    for (std::size_t i = 0; i < times; ++i) {
      zone.changes_.push_back(in.number(width));
    }
    const std::string_view type_of = in.take(times);
    std::vector<seconds> offsets;
    for (std::size_t i = 0; i < types; ++i) {
      offsets.emplace_back(in.number(4));
      in.take(2);
    }
    in.take(names + leaps * 12 + is_std + is_ut);
    for (const char type : type_of) {
      const auto index = static_cast<unsigned char>(type);
      if (index >= types) {
        return std::nullopt;
      }
      zone.after_.push_back(offsets[index]);
    }
    zone.before_ = offsets.front();
  }
  if (!in.good || !std::ranges::is_sorted(zone.changes_)) {
    return std::nullopt;
  }
  const std::string_view footer = in.left;
  if (footer.size() > 2 && footer.front() == '\n' && footer.back() == '\n') {
    zone.rule_ = RuleText{footer.substr(1, footer.size() - 2)}.rule();
    if (!zone.rule_) {
      return std::nullopt;
    }
  }
  return zone;
}

seconds TimeZone::offset_at(sys_seconds time) const {
  const auto next = std::ranges::upper_bound(changes_, time.time_since_epoch().count());
  if (next == changes_.end() && rule_) {
    return rule_->offset_at(time);
  }
  return next == changes_.begin() ? before_ : after_[static_cast<std::size_t>(next - changes_.begin()) - 1];
}

const TimeZone* find_time_zone(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
           c == '-' || c == '+';
  };
  if (name.empty() || name.size() > kLongest || name.front() == '/' || !std::ranges::all_of(name, allowed)) {
    return nullptr;
  }
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<const TimeZone>, std::less<>> known;
  const std::lock_guard lock(mutex);
  if (const auto at = known.find(name); at != known.end()) {
    return at->second.get();
  }
  const Result<std::string> bytes = read_file(kDatabase + std::string(name), kMostBytes);
  std::optional<TimeZone> zone = bytes ? TimeZone::parse(*bytes) : std::nullopt;
  if (!zone || known.size() >= kMostZones) {
    return nullptr;
  }
  return known.emplace(name, std::make_unique<const TimeZone>(std::move(*zone))).first->second.get();
}

seconds local_offset_at(sys_seconds time) {
  const std::time_t at = time.time_since_epoch().count();
  std::tm local{};
  return ::localtime_r(&at, &local) == nullptr ? seconds(0) : seconds(local.tm_gmtoff);
}

}  // namespace hawser::broker
