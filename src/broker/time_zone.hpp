// Zones of the time zone database, from the files that the system has of it (RFC 8536). Our own, since GCC 12 has no
// <chrono> ones, and the library that bookworm has (date 3.0.1) leaves out the rule at the end of each file (its issues
// 614 and 794): wrong hours would let people in.
//
// Immutable values; thread-safe. find_time_zone() reads a file of a few kilobytes the first time that a zone is asked
// for, and remembers it.
//
//   if (const TimeZone* zone = find_time_zone("Europe/Rome")) local = now + zone->offset_at(now);
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::broker {

class TimeZone {
 public:
  // Of a file's bytes, version 2 or later; nothing when they are malformed.
  [[nodiscard]] static std::optional<TimeZone> parse(std::string_view bytes);

  // To be added to UTC; from the file's list, and after its end by its rule.
  [[nodiscard]] std::chrono::seconds offset_at(std::chrono::sys_seconds time) const;

 private:
  // A day of each year and a time on it: "M3.5.0/2", "J60", "59".
  struct YearDay {
    enum class Kind : std::uint8_t { month_week_day, julian, zero_based } kind = Kind::zero_based;
    int month = 0;
    int week = 0;
    int day = 0;
    std::chrono::seconds at{};
    [[nodiscard]] std::chrono::seconds in_year(int year) const;  // since its beginning, local time
  };
  struct Rule {
    std::chrono::seconds standard{};
    std::chrono::seconds summer{};
    bool has_summer = false;
    YearDay begin;
    YearDay end;
    [[nodiscard]] std::chrono::seconds offset_at(std::chrono::sys_seconds time) const;
  };
  struct Reader;
  struct RuleText;

  std::vector<std::int64_t> changes_;        // seconds since the epoch
  std::vector<std::chrono::seconds> after_;  // the offset from each of them on
  std::chrono::seconds before_{};            // and before the first
  std::optional<Rule> rule_;
};

// Null: there is no such zone, or not on this machine. The names are the database's: no path leads out of it.
[[nodiscard]] const TimeZone* find_time_zone(std::string_view name);
// Of the machine: TZ, or /etc/localtime.
[[nodiscard]] std::chrono::seconds local_offset_at(std::chrono::sys_seconds time);

}  // namespace hawser::broker
