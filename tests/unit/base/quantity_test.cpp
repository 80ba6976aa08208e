#include "base/quantity.hpp"

#include <gtest/gtest.h>

namespace hawser {
namespace {

using namespace std::chrono_literals;

TEST(Size, reads_units_as_nats_server_does) {
  struct Case {
    std::string_view text;
    std::uint64_t bytes;
  };
  for (const Case& c :
       {Case{"0", 0}, Case{"512", 512}, Case{"512B", 512}, Case{"1K", 1000}, Case{"1k", 1000}, Case{"1KB", 1024},
        Case{"1kb", 1024}, Case{"1Ki", 1024}, Case{"1KiB", 1024}, Case{"4MB", 4U << 20U}, Case{"4M", 4'000'000},
        Case{"4 MB", 4U << 20U}, Case{"1.5GB", 1610612736}, Case{"1.5K", 1500}, Case{"0.5KB", 512},
        Case{"2T", 2'000'000'000'000}, Case{"1TiB", 1ULL << 40U}}) {
    const Result<std::uint64_t> size = parse_size(c.text);
    ASSERT_TRUE(size) << c.text;
    EXPECT_EQ(*size, c.bytes) << c.text;
  }
}

TEST(Size, refuses_what_could_be_misread) {
  for (const std::string_view text : {"",
                                      " ",
                                      "MB",
                                      "-1",
                                      "+1",
                                      "1,5GB",
                                      "1.GB",
                                      ".5GB",
                                      "1..5GB",
                                      "1.5",
                                      "1.5B",
                                      "1 ",
                                      "1  KB",
                                      "1PB",
                                      "1KBB",
                                      "1KiBs",
                                      "0x10",
                                      "1e3",
                                      "4MB ",
                                      "four",
                                      "99999999999T",
                                      "9223372036854775807",
                                      "999999999999999999999999"}) {
    const Result<std::uint64_t> size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().code, Errc::bad_quantity);
  }
}

TEST(Size, prints_for_people) {
  struct Case {
    std::uint64_t bytes;
    std::string_view text;
  };
  for (const Case& c :
       {Case{0, "0 B"}, Case{1023, "1023 B"}, Case{1024, "1 KiB"}, Case{1536, "1.5 KiB"}, Case{4U << 20U, "4 MiB"},
        Case{(1U << 20U) - 1, "1 MiB"}, Case{5ULL << 40U, "5 TiB"}, Case{UINT64_MAX, "16 EiB"}}) {
    EXPECT_EQ(format_size(c.bytes), c.text);
  }
}

TEST(DurationText, reads_what_go_writes_and_days) {
  struct Case {
    std::string_view text;
    std::chrono::nanoseconds duration;
  };
  for (const Case& c : {Case{"0", 0ns}, Case{"0s", 0ns}, Case{"50ms", 50ms}, Case{"2s", 2s}, Case{"1h30m", 90min},
                        Case{"1.5s", 1500ms}, Case{"250us", 250us}, Case{"250µs", 250us}, Case{"7ns", 7ns},
                        Case{"30d", 720h}, Case{"1m0.5s", 60500ms}, Case{"0.000000001s", 1ns}}) {
    const auto duration = parse_duration(c.text);
    ASSERT_TRUE(duration) << c.text;
    EXPECT_EQ(*duration, c.duration) << c.text;
  }
}

TEST(DurationText, refuses_numbers_without_a_unit_and_other_mistakes) {
  for (const std::string_view text : {"", "5", "1.5", "s", "-1s", "+1s", "1 s", "1s ", "1S", "1sec", "1h30", "1..5s",
                                      ".5s", "1.s", "1y", "1000000d", "9999999999999999999s", "ms50"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().code, Errc::bad_quantity);
  }
}

TEST(DurationText, prints_short_and_reads_it_again) {
  struct Case {
    std::chrono::nanoseconds duration;
    std::string_view text;
  };
  for (const Case& c :
       {Case{0ns, "0s"}, Case{7ns, "7ns"}, Case{50ms, "50ms"}, Case{1500us, "1.5ms"}, Case{1500ms, "1.5s"},
        Case{2s, "2s"}, Case{90min, "1h30m"}, Case{720h, "30d"}, Case{25h + 61s, "1d1h1m1s"}}) {
    EXPECT_EQ(format_duration(c.duration), c.text);
    EXPECT_EQ(parse_duration(c.text), c.duration) << c.text;
  }
  EXPECT_EQ(format_duration(-50ms), "-50ms");
}

}  // namespace
}  // namespace hawser
