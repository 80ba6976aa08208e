#include "base/log.hpp"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <limits>
#include <unistd.h>

#include "base/file.hpp"
#include "base/log_file.hpp"
#include "base/log_line.hpp"

namespace hawser::log {
namespace {

const WallTime kTime = *parse_rfc3339("2026-11-22T10:00:00.123Z");

std::string text_line(std::string_view message, std::initializer_list<Field> fields) {
  return format_line({.format = Format::text}, kTime, Level::warn, message, {fields.begin(), fields.size()});
}

std::string json_line(std::string_view message, std::initializer_list<Field> fields) {
  return format_line({.format = Format::json}, kTime, Level::warn, message, {fields.begin(), fields.size()});
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

TEST(LogLine, looks_like_one_of_nats_server_when_asked) {
  const auto line = [](LineStyle style, Level level, std::initializer_list<Field> fields = {}) {
    style.format = Format::nats;
    style.utc = true;
    return format_line(style, kTime + std::chrono::microseconds(456), level, "Server is ready",
                       {fields.begin(), fields.size()});
  };
  EXPECT_EQ(line({.pid = 4711}, Level::info), "[4711] 2026/11/22 10:00:00.123456 [INF] Server is ready\n");
  EXPECT_EQ(line({.time = false, .pid = 1}, Level::trace), "[1] [TRC] Server is ready\n");
  EXPECT_EQ(line({.time = false, .colour = true, .pid = 1}, Level::warn),
            "[1] [\x1b[0;93mWRN\x1b[0m] Server is ready\n");
  EXPECT_EQ(line({.time = false, .pid = 1}, Level::fatal, {{"id", "BRK-1117"}, {"reason", "it is taken"}}),
            "[1] [FTL] Server is ready id=BRK-1117 reason=\"it is taken\"\n");
  EXPECT_EQ(line({.time = false, .pid = 1}, Level::error, {{"client", "127.0.0.1:5"}, {"cid", 4}, {"user", "kate"}}),
            "[1] [ERR] 127.0.0.1:5 - cid:4 - Server is ready user=kate\n");
  EXPECT_EQ(line({.time = false, .pid = 1}, Level::error, {{"client", "127.0.0.1:5"}, {"user", "kate"}}),
            "[1] [ERR] Server is ready client=127.0.0.1:5 user=kate\n")
      << "both, or it is no client of the broker";
  EXPECT_TRUE(line({}, Level::debug).ends_with("[DBG] Server is ready\n"));
  EXPECT_TRUE(line({}, Level::error).ends_with("[ERR] Server is ready\n"));
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

// A directory of its own, gone with the test.
class LogFiles : public testing::Test {
 protected:
  LogFiles() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hawser-log-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ / "hawser.log";
  }
  ~LogFiles() override {
    configure(Level::info, Format::text);
    std::filesystem::remove_all(directory_);
  }
  [[nodiscard]] std::string content(const std::filesystem::path& path) const {
    return read_file(path, 1U << 20U).value_or("<none>");
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory_), {}));
  }

  std::filesystem::path directory_;
  std::filesystem::path path_;
};

TEST_F(LogFiles, get_the_lines_instead_of_standard_error_and_are_opened_again_when_asked) {
  testing::internal::CaptureStderr();
  ASSERT_TRUE(configure({.format = Format::nats, .trace = true, .time = false, .file = path_}));
  EXPECT_FALSE(enabled(Level::debug)) << "trace and debug are each for themselves";
  debug("no");
  trace("one");
  flush();
  std::filesystem::rename(path_, directory_ / "moved.log");
  info("two");
  flush();
  ASSERT_TRUE(reopen());
  info("three");
  flush();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  const std::string pid = "[" + std::to_string(::getpid()) + "] ";
  EXPECT_EQ(content(directory_ / "moved.log"), pid + "[TRC] one\n" + pid + "[INF] two\n");
  EXPECT_EQ(content(path_), pid + "[INF] three\n");
}

TEST_F(LogFiles, that_cannot_be_opened_change_nothing) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(configure({.debug = true, .file = directory_ / "missing" / "x.log"}).error().code, Errc::file_unwritable);
  EXPECT_FALSE(enabled(Level::debug));
  info("still here");
  flush();
  EXPECT_NE(testing::internal::GetCapturedStderr().find("still here"), std::string::npos);
}

TEST_F(LogFiles, are_set_aside_when_full_and_the_oldest_backups_removed) {
  ASSERT_TRUE(write_file_atomically(directory_ / "hawser.log.old", "mine", FileMode::world_readable));
  auto file = LogFile::open(path_, 10, 2);
  ASSERT_TRUE(file);
  EXPECT_FALSE(file->full_for(1000)) << "a line that is longer than the bound still has to go somewhere";
  file->write("12345678\n");
  EXPECT_FALSE(file->full_for(1));
  EXPECT_TRUE(file->full_for(2));
  std::vector<std::filesystem::path> backups;
  for (int i = 0; i < 4; ++i) {
    auto backup = file->rotate(kTime + std::chrono::nanoseconds(i));
    ASSERT_TRUE(backup) << backup.error().message();
    backups.push_back(*backup);
    file->write("line " + std::to_string(i) + "\n");
  }
  EXPECT_EQ(content(path_), "line 3\n");
  EXPECT_FALSE(std::filesystem::exists(backups[0]));
  EXPECT_FALSE(std::filesystem::exists(backups[1]));
  EXPECT_EQ(content(backups[2]), "line 1\n");
  EXPECT_EQ(content(backups[3]), "line 2\n");
  EXPECT_EQ(content(directory_ / "hawser.log.old"), "mine") << "only what rotation made is removed";
}

TEST_F(LogFiles, that_are_there_already_are_appended_to_and_counted) {
  ASSERT_TRUE(write_file_atomically(path_, "12345678\n", FileMode::world_readable));
  auto file = LogFile::open(path_, 10, 0);
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->full_for(2));
  file->write("x\n");
  EXPECT_EQ(content(path_), "12345678\nx\n");
}

TEST_F(LogFiles, rotate_while_lines_are_written) {
  ASSERT_TRUE(configure({.format = Format::nats, .time = false, .file = path_, .file_bytes = 400}));
  for (int i = 0; i < 15; ++i) {
    info("a line of some length that fills the file");
  }
  flush();
  EXPECT_GE(files(), 2U);
  EXPECT_NE(content(path_).find("rotated the log, the full one is set aside path=" + path_.string() + ".2"),
            std::string::npos);
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
