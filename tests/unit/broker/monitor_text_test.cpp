#include "broker/monitor_text.hpp"

#include <gtest/gtest.h>

namespace hawser::broker {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

TEST(MonitorText, writes_uptimes_as_nats_server_does) {
  struct Case {
    Duration duration;
    std::string_view text;
  };
  for (const Case& c :
       {Case{0s, "0s"}, Case{-5s, "0s"}, Case{999ms, "0s"}, Case{59s, "59s"}, Case{60s, "1m0s"}, Case{3599s, "59m59s"},
        Case{3600s, "1h0m0s"}, Case{86399s, "23h59m59s"}, Case{86400s, "1d0h0m0s"}, Case{49h + 61s, "2d1h1m1s"},
        Case{24h * 365, "1y0d0h0m0s"}, Case{24h * 366 + 1h + 2min + 3s, "1y1d1h2m3s"}}) {
    EXPECT_EQ(uptime_text(c.duration), c.text);
  }
}

TEST(MonitorText, writes_durations_as_go_does) {
  struct Case {
    Duration duration;
    std::string_view text;
  };
  for (const Case& c : {Case{0ns, "0s"},
                        Case{1ns, "1ns"},
                        Case{999ns, "999ns"},
                        Case{1us, "1µs"},
                        Case{1100ns, "1.1µs"},
                        Case{999'999ns, "999.999µs"},
                        Case{1ms, "1ms"},
                        Case{2'250us, "2.25ms"},
                        Case{1'000'001ns, "1.000001ms"},
                        Case{1s, "1s"},
                        Case{1500ms, "1.5s"},
                        Case{90s, "1m30s"},
                        Case{60s, "1m0s"},
                        Case{2h, "2h0m0s"},
                        Case{2h + 500ms, "2h0m0.5s"},
                        Case{26h + 3min, "26h3m0s"},
                        Case{-1500us, "-1.5ms"},
                        Case{-61s, "-1m1s"},
                        Case{Duration::min(), "-2562047h47m16.854775808s"},
                        Case{Duration::max(), "2562047h47m16.854775807s"}}) {
    EXPECT_EQ(go_duration(c.duration), c.text);
  }
}

TEST(MonitorText, shows_round_trips_below_a_millisecond_in_whole_microseconds) {
  EXPECT_EQ(rtt_text(345'678ns), "345µs");
  EXPECT_EQ(rtt_text(345ns), "345ns");
  EXPECT_EQ(rtt_text(1'234'567ns), "1.234567ms");
  EXPECT_EQ(rtt_text(0ns), "0s");
}

TEST(MonitorText, writes_times_with_no_more_digits_than_they_have) {
  const WallTime whole = *parse_rfc3339("2026-11-22T10:00:00Z");
  struct Case {
    nanoseconds more;
    std::string_view text;
  };
  for (const Case& c :
       {Case{0ns, "2026-11-22T10:00:00Z"}, Case{500ms, "2026-11-22T10:00:00.5Z"},
        Case{1ns, "2026-11-22T10:00:00.000000001Z"}, Case{999'999'999ns, "2026-11-22T10:00:00.999999999Z"},
        Case{120us, "2026-11-22T10:00:00.00012Z"}}) {
    EXPECT_EQ(rfc3339_nano(whole + c.more), c.text);
  }
}

TEST(MonitorText, takes_names_for_callbacks_and_no_code) {
  for (const std::string_view good : {"cb", "jQuery.cb_1", "$", "a.b.c", "_x9"}) {
    EXPECT_TRUE(is_callback_name(good)) << good;
  }
  for (const std::string_view bad : {"", "a(b)", "alert(1)//", "a b", "a;b", "<x>", "a\n", "a'b", "ä"}) {
    EXPECT_FALSE(is_callback_name(bad)) << bad;
  }
  EXPECT_TRUE(is_callback_name(std::string(128, 'a')));
  EXPECT_FALSE(is_callback_name(std::string(129, 'a')));
}

}  // namespace
}  // namespace hawser::broker
