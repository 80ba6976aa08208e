#include "broker/connect_hours.hpp"

#include <gtest/gtest.h>
#include <string>

#include "broker/time_zone.hpp"

namespace hawser::broker {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_seconds;
using namespace std::chrono_literals;

sys_seconds at(int year, unsigned month, unsigned day, seconds time) {
  return std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day)) + time;
}

std::string number(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) {
    out += static_cast<char>(value >> (8U * static_cast<unsigned>(i)) & 0xFFU);
  }
  return out;
}

// A file with no changes before its rule: what a modern zic writes for a place that has kept its rule.
std::string zone_file(const std::string& rule, seconds offset) {
  const auto part = [&](std::uint64_t) {
    std::string text = "TZif2" + std::string(15, '\0');
    for (const std::uint64_t count : {0U, 0U, 0U, 0U, 1U, 4U}) {
      text += number(count, 4);
    }
    return text + number(static_cast<std::uint32_t>(static_cast<std::int32_t>(offset.count())), 4) +
           std::string(2, '\0') + std::string("LMT\0", 4);
  };
  return part(4) + part(8) + "\n" + rule + "\n";
}

TEST(TimeZone, follows_its_rule_into_summer_and_back) {
  struct Case {
    const char* rule;
    sys_seconds time;
    seconds offset;
  };
  const char* berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
  const char* new_york = "EST5EDT,M3.2.0,M11.1.0";
  const char* sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";
  for (const Case& c :
       {Case{berlin, at(2026, 1, 15, 0h), 1h}, Case{berlin, at(2026, 7, 15, 0h), 2h},
        Case{berlin, at(2026, 3, 29, 1h - 1s), 1h}, Case{berlin, at(2026, 3, 29, 1h), 2h},
        Case{berlin, at(2026, 10, 25, 1h - 1s), 2h}, Case{berlin, at(2026, 10, 25, 1h), 1h},
        Case{new_york, at(2026, 3, 8, 7h - 1s), -5h}, Case{new_york, at(2026, 3, 8, 7h), -4h},
        Case{new_york, at(2026, 11, 1, 6h - 1s), -4h}, Case{new_york, at(2026, 11, 1, 6h), -5h},
        Case{sydney, at(2026, 1, 1, 0h), 11h}, Case{sydney, at(2026, 7, 1, 0h), 10h},
        Case{"<+0545>-5:45", at(2026, 7, 1, 0h), 5h + 45min},
        Case{"IST-1GMT0,M10.5.0,M3.5.0/1", at(2026, 1, 1, 0h), 0h},
        Case{"XST0XDT,J60/0,J61/0", at(2028, 3, 1, 12h), 1h}, Case{"XST0XDT,59/0,60/0", at(2028, 2, 29, 12h), 1h}}) {
    const auto zone = TimeZone::parse(zone_file(c.rule, 0h));
    ASSERT_TRUE(zone) << c.rule;
    EXPECT_EQ(zone->offset_at(c.time), c.offset) << c.rule << " " << c.time.time_since_epoch().count();
  }
}

TEST(TimeZone, is_not_made_of_what_is_malformed) {
  const std::string good = zone_file("CET-1CEST,M3.5.0,M10.5.0/3", 1h);
  ASSERT_TRUE(TimeZone::parse(good));
  for (std::size_t size = 0; size + 28 < good.size(); ++size) {
    EXPECT_FALSE(TimeZone::parse(std::string_view(good).substr(0, size))) << size;
  }
  for (const char* rule : {"C", "CET", "CET-1CEST", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.5.0", "CET-1 ",
                           "CET-1CEST,M3.5.0,M10.5.0/3x", "<+05-5"}) {
    EXPECT_FALSE(TimeZone::parse(zone_file(rule, 1h))) << rule;
  }
}

TEST(TimeZone, is_looked_for_in_the_database_alone) {
  EXPECT_NE(find_time_zone("UTC"), nullptr);
  for (const char* name : {"", "/etc/localtime", "../../../etc/passwd", "Europe/../UTC", "Europe/Nowhere", "UTC\n"}) {
    EXPECT_EQ(find_time_zone(name), nullptr) << name;
  }
}

TEST(ConnectHours, are_always_open_without_times) {
  EXPECT_TRUE(hours_of({}, "", at(2026, 1, 1, 0h)).open);
  EXPECT_FALSE(hours_of({}, "", at(2026, 1, 1, 0h)).until);
}

TEST(ConnectHours, open_and_close_to_the_second) {
  const std::vector<identity::DailyTimes> office{{"09:00:00", "12:00:00"}, {"13:00:00", "17:30:00"}};
  EXPECT_FALSE(hours_of(office, "UTC", at(2026, 1, 1, 9h - 1s)).open);
  EXPECT_TRUE(hours_of(office, "UTC", at(2026, 1, 1, 9h)).open);
  EXPECT_EQ(hours_of(office, "UTC", at(2026, 1, 1, 9h)).until, at(2026, 1, 1, 12h));
  EXPECT_TRUE(hours_of(office, "UTC", at(2026, 1, 1, 12h - 1s)).open);
  EXPECT_FALSE(hours_of(office, "UTC", at(2026, 1, 1, 12h)).open);
  EXPECT_EQ(hours_of(office, "UTC", at(2026, 1, 1, 14h)).until, at(2026, 1, 1, 17h + 30min));
}

TEST(ConnectHours, go_on_past_midnight_and_are_open_then) {
  const std::vector<identity::DailyTimes> night{{"22:00:00", "06:00:00"}};
  EXPECT_EQ(hours_of(night, "UTC", at(2026, 1, 1, 23h)).until, at(2026, 1, 2, 6h));
  EXPECT_EQ(hours_of(night, "UTC", at(2026, 1, 2, 5h)).until, at(2026, 1, 2, 6h));
  EXPECT_FALSE(hours_of(night, "UTC", at(2026, 1, 2, 6h)).open);
  EXPECT_FALSE(hours_of(night, "UTC", at(2026, 1, 2, 21h)).open);
}

TEST(ConnectHours, let_nobody_in_when_they_are_not_understood) {
  const sys_seconds noon = at(2026, 1, 1, 12h);
  EXPECT_FALSE(hours_of({{"00:00:00", "23:59:59"}}, "Europe/Nowhere", noon).open);
  for (const char* time :
       {"", "12", "24:00:00", "12:60:00", "12:00:60", "1:00:00", "aa:bb:cc", "-1:00:00", "12-00-00"}) {
    EXPECT_FALSE(hours_of({{"00:00:00", "23:59:59"}, {time, "23:59:59"}}, "UTC", noon).open) << time;
  }
  EXPECT_FALSE(hours_of({{"12:00:00", "12:00:00"}}, "UTC", noon).open);
}

}  // namespace
}  // namespace hawser::broker
