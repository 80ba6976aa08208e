#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace hawser {
namespace {

using namespace std::chrono_literals;

constexpr WallTime at(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

TEST(Rfc3339, reads_what_the_standard_allows) {
  struct Case {
    std::string_view text;
    WallTime time;
  };
  const Case cases[] = {
      {"1970-01-01T00:00:00Z", at(0)},
      {"2026-11-22T10:00:00Z", at(1795341600)},
      {"2026-11-22t10:00:00z", at(1795341600)},
      {"2026-11-22 10:00:00Z", at(1795341600)},
      {"2026-11-22T12:30:00+02:30", at(1795341600)},
      {"2026-11-22T09:00:00-01:00", at(1795341600)},
      {"2026-11-22T10:00:00.5Z", at(1795341600) + 500ms},
      {"2026-11-22T10:00:00.123456789Z", at(1795341600) + 123456789ns},
      {"2024-02-29T00:00:00Z", at(1709164800)},
      {"2016-12-31T23:59:60Z", at(1483228800)},
      {"2261-12-31T23:59:59Z", at(9214646399)},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(parse_rfc3339(c.text), c.time) << c.text;
  }
}

TEST(Rfc3339, refuses_everything_else) {
  for (const std::string_view text : {"",
                                      "2026-11-22",
                                      "2026-11-22T10:00:00",
                                      "2026-11-22T10:00Z",
                                      "2026-02-29T00:00:00Z",
                                      "2026-13-01T00:00:00Z",
                                      "2026-00-01T00:00:00Z",
                                      "2026-11-31T00:00:00Z",
                                      "2026-11-22T24:00:00Z",
                                      "2026-11-22T10:60:00Z",
                                      "2026-11-22T10:00:61Z",
                                      "2026-11-22T10:00:00.Z",
                                      "2026-11-22T10:00:00.1234567890Z",
                                      "2026-11-22T10:00:00+24:00",
                                      "2026-11-22T10:00:00+0200",
                                      "2026-11-22T10:00:00ZZ",
                                      " 2026-11-22T10:00:00Z",
                                      "+026-11-22T10:00:00Z",
                                      "2026-11-22T10:00:00-00:60",
                                      "1969-12-31T23:59:59Z",
                                      "9999-12-31T23:59:59Z",
                                      "tomorrow"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

TEST(Rfc3339, writes_utc_and_reads_it_again) {
  EXPECT_EQ(to_rfc3339(at(1795341600) + 7ms), "2026-11-22T10:00:00Z");
  EXPECT_EQ(to_rfc3339(at(1795341600) + 7ms, Precision::milliseconds), "2026-11-22T10:00:00.007Z");
  for (const std::int64_t seconds : {0LL, 951782399LL, 951782400LL, 1795341600LL, 4102444800LL}) {
    EXPECT_EQ(parse_rfc3339(to_rfc3339(at(seconds))), at(seconds));
  }
}

}  // namespace
}  // namespace hawser
