#include "base/log.hpp"

#include <gtest/gtest.h>
#include <limits>

#include "base/log_line.hpp"

namespace hawser::log {
namespace {

const WallTime kTime = *parse_rfc3339("2026-11-22T10:00:00.123Z");

std::string text_line(std::string_view message, std::initializer_list<Field> fields) {
  return format_line(Format::text, kTime, Level::warn, message, {fields.begin(), fields.size()});
}

std::string json_line(std::string_view message, std::initializer_list<Field> fields) {
  return format_line(Format::json, kTime, Level::warn, message, {fields.begin(), fields.size()});
}

TEST(LogLine, is_text_that_operators_can_search) {
  EXPECT_EQ(
      text_line("disconnected from nats", {{"id", "SES-501"}, {"reason", "the server closed it"}, {"attempt", 3}}),
      "2026-11-22T10:00:00.123Z warn disconnected from nats id=SES-501 reason=\"the server closed it\" attempt=3\n");
}

TEST(LogLine, is_a_json_object_with_numbers_as_numbers) {
  EXPECT_EQ(json_line("reloaded", {{"took", "2 s"}, {"count", 3}}),
            R"({"time":"2026-11-22T10:00:00.123Z","level":"warn","message":"reloaded","took":"2 s","count":3})"
            "\n");
  EXPECT_NE(json_line("m", {{"ratio", std::numeric_limits<double>::quiet_NaN()}}).find(R"("ratio":"nan")"),
            std::string::npos);
}

TEST(LogLine, stays_one_line_whatever_it_is_given) {
  const std::string hostile = "a\nb\r\n\x1b[31m\x01\x7f \"q\" \\ \xff\xc0\xaf\xed\xa0\x80 \xc3\xa9";
  for (const std::string& line : {text_line(hostile, {{"k", hostile}}), json_line(hostile, {{"k", hostile}})}) {
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    EXPECT_EQ(line.back(), '\n');
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_EQ(line.find('\xff'), std::string::npos);
    EXPECT_EQ(line.find("\xc0\xaf"), std::string::npos);
    EXPECT_EQ(line.find("\xed\xa0\x80"), std::string::npos);
    EXPECT_NE(line.find("\\u001b[31m\\u0001"), std::string::npos) << line;
    EXPECT_NE(line.find("\xc3\xa9"), std::string::npos) << "valid UTF-8 stays";
  }
}

TEST(LogLine, quotes_values_that_could_be_taken_for_another_field) {
  struct Case {
    std::string_view value, written;
  };
  for (const Case& c : {Case{"plain", "k=plain\n"}, Case{"", "k=\"\"\n"}, Case{"a b", "k=\"a b\"\n"},
                        Case{"a=b", "k=\"a=b\"\n"}, Case{"say \"x\"", "k=\"say \\\"x\\\"\"\n"},
                        Case{"back\\slash", "k=\"back\\\\slash\"\n"}, Case{"tls://h:4222", "k=tls://h:4222\n"}}) {
    EXPECT_TRUE(text_line("m", {{"k", c.value}}).ends_with(c.written)) << text_line("m", {{"k", c.value}});
  }
}

constexpr std::string_view kSeed = "SUAGMJH5XLGZKQQWAWKRZJIGMOU4HPFUYLXJMXOO5NLFEO2OOQJ5LPRDPM";
constexpr std::string_view kJwt = "eyJ0eXAiOiJKV1QifQ.eyJqdGkiOiJYIn0.c2lnbmF0dXJl-_x";

TEST(Redact, takes_out_what_looks_like_a_secret_and_leaves_the_rest) {
  struct Case {
    std::string text, clean;
  };
  const Case cases[] = {
      {"seed " + std::string(kSeed) + " used", "seed [redacted] used"},
      {std::string(kSeed), "[redacted]"},
      {"jwt=" + std::string(kJwt) + ";", "jwt=[redacted];"},
      {"dialing nats://kate:hunter2@h:4222/x", "dialing nats://kate:[redacted]@h:4222/x"},
      {"nats://s3cr3t@h", "nats://[redacted]@h"},
      {"nats://a:4222,tls://u:p,w@b,tls://u:q@c", "nats://a:4222,tls://u:[redacted]@b,tls://u:[redacted]@c"},
      {"nats://u:p/w@h and me@example.com", "nats://u:[redacted]@h and me@example.com"},
      {"nats://u:p:w@h", "nats://u:[redacted]@h"},
      {"-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----", "[redacted]-----END EC PRIVATE KEY-----"},
      {"-----BEGIN USER NKEY SEED-----\nabc", "[redacted]"},
      {"-----BEGIN CERTIFICATE-----\nMIIB\n", "-----BEGIN CERTIFICATE-----\nMIIB\n"},
      {"tls://nats:4222 is up", "tls://nats:4222 is up"},
      {"UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4",
       "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"},
      {"SUBSCRIBE eyJ eyJa.b S", "SUBSCRIBE eyJ eyJa.b S"},
      {"", ""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(redact(c.text), c.clean) << c.text;
  }
}

TEST(Redact, works_inside_a_longer_run_of_letters) {
  EXPECT_EQ(redact("xx" + std::string(kSeed)).find(kSeed), std::string::npos);
  EXPECT_EQ(redact(std::string(kSeed) + "AAAA").find(kSeed), std::string::npos);
  EXPECT_EQ(text_line("m", {{"k", kSeed}}).find(kSeed), std::string::npos);
  EXPECT_EQ(json_line(kJwt, {}).find(kJwt), std::string::npos);
}

TEST(LineQueue, lets_the_oldest_go_at_its_bounds_and_counts_them) {
  LineQueue by_lines(3, 1000);
  for (const char* line : {"a", "b", "c", "d", "e"}) {
    by_lines.push(line);
  }
  EXPECT_EQ(by_lines.take_dropped(), 2U);
  EXPECT_EQ(by_lines.take_dropped(), 0U);
  EXPECT_EQ(by_lines.take(), (std::deque<std::string>{"c", "d", "e"}));
  EXPECT_TRUE(by_lines.empty());

  LineQueue by_bytes(100, 10);
  by_bytes.push("12345678");
  by_bytes.push("123");
  EXPECT_EQ(by_bytes.take_dropped(), 1U);
  EXPECT_EQ(by_bytes.take(), (std::deque<std::string>{"123"}));
  by_bytes.push("longer than the whole bound");
  EXPECT_TRUE(by_bytes.empty());
  EXPECT_EQ(by_bytes.take_dropped(), 1U);
}

TEST(Log, writes_lines_of_its_level_in_order_to_standard_error) {
  testing::internal::CaptureStderr();
  configure(Level::warn, Format::text);
  info("not this");
  for (int i = 0; i < 100; ++i) {
    warn("line", {{"i", i}});
  }
  write(Level::error, "disconnected from nats", Error{Errc::connection_lost, "reading"}, {{"server", "nats:4222"}});
  flush();
  const std::string out = testing::internal::GetCapturedStderr();
  configure(Level::info, Format::text);
  EXPECT_EQ(out.find("not this"), std::string::npos);
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 20 + 1 + 1);
  EXPECT_LT(out.find("i=18\n"), out.find("i=19\n"));
  EXPECT_NE(out.find("warn line left_out=80\n"), std::string::npos) << out;
  EXPECT_NE(
      out.find("error disconnected from nats id=NET-305 reason=\"the connection broke: reading\" server=nats:4222\n"),
      std::string::npos)
      << out;
}

TEST(Log, leaves_nothing_out_at_level_debug) {
  testing::internal::CaptureStderr();
  configure(Level::debug, Format::text);
  for (int i = 0; i < 100; ++i) {
    debug("line", {{"i", i}});
  }
  flush();
  const std::string out = testing::internal::GetCapturedStderr();
  configure(Level::info, Format::text);
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 100);
}

TEST(Throttle, lets_a_few_lines_of_one_message_through_and_counts_the_rest) {
  Throttle throttle(3, std::chrono::seconds(10));
  const Time start{};
  std::size_t written = 0;
  for (int i = 0; i < 2000; ++i) {
    written += throttle.admit(Level::warn, "disconnected from nats", start + std::chrono::milliseconds(i)) ? 1U : 0U;
    EXPECT_EQ(throttle.admit(Level::info, "stopped", start), i < 3);
  }
  EXPECT_EQ(written, 3U);
  EXPECT_EQ(throttle.next_end(), start + std::chrono::seconds(10));
  EXPECT_TRUE(throttle.take_ended(start + std::chrono::seconds(10) - std::chrono::nanoseconds(1)).empty());
  const std::vector<Throttle::LeftOut> told = throttle.take_ended(start + std::chrono::seconds(10));
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].message, "disconnected from nats");
  EXPECT_EQ(told[0].count, 1997U);
  EXPECT_EQ(told[0].level, Level::warn);
  EXPECT_EQ(throttle.next_end(), Time::max());
  EXPECT_TRUE(throttle.admit(Level::warn, "disconnected from nats", start + std::chrono::seconds(10)));
}

TEST(Throttle, leaves_slow_lines_alone) {
  Throttle throttle(2, std::chrono::seconds(10));
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(throttle.admit(Level::warn, "cannot connect to nats", Time{} + std::chrono::seconds(5 * i))) << i;
  }
  EXPECT_EQ(throttle.next_end(), Time::max());
  EXPECT_TRUE(throttle.take_ended(Time::max()).empty());
}

TEST(Throttle, keeps_a_bounded_number_of_messages) {
  Throttle throttle(1, std::chrono::seconds(10));
  for (int i = 0; i < 10000; ++i) {
    EXPECT_TRUE(throttle.admit(Level::info, std::to_string(i), Time{}));
  }
  EXPECT_FALSE(throttle.admit(Level::info, "1", Time{}));
  EXPECT_TRUE(throttle.admit(Level::info, "9999", Time{})) << "beyond the bound nothing is left out";
}

}  // namespace
}  // namespace hawser::log
