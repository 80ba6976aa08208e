#include "wire/writer.hpp"

#include <array>
#include <functional>
#include <gtest/gtest.h>
#include <limits>

#include "wire/feed.hpp"

namespace hawser::wire {
namespace {

constexpr std::string_view kBlock = "NATS/1.0\r\nA: b\r\n\r\n";

TEST(Writer, writes_frames_to_the_byte) {
  using Append = std::function<void(std::string&)>;
  const std::vector<std::pair<Append, std::string>> rows = {
      {[](auto& o) { append_pub(o, "foo", "", "hello"); }, "PUB foo 5\r\nhello\r\n"},
      {[](auto& o) { append_pub(o, "foo", "re.ply", ""); }, "PUB foo re.ply 0\r\n\r\n"},
      {[](auto& o) { append_hpub(o, "foo", "", kBlock, "hi"); }, "HPUB foo 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n"},
      {[](auto& o) { append_hpub(o, "foo", "re", kBlock, ""); }, "HPUB foo re 18 18\r\nNATS/1.0\r\nA: b\r\n\r\n\r\n"},
      {[](auto& o) { append_sub(o, "foo.>", "", "1"); }, "SUB foo.> 1\r\n"},
      {[](auto& o) { append_sub(o, "foo", "workers", "22"); }, "SUB foo workers 22\r\n"},
      {[](auto& o) { append_unsub(o, "22"); }, "UNSUB 22\r\n"},
      {[](auto& o) { append_unsub(o, "22", 5); }, "UNSUB 22 5\r\n"},
      {[](auto& o) { append_msg(o, "foo", "9", "", "hello"); }, "MSG foo 9 5\r\nhello\r\n"},
      {[](auto& o) { append_msg(o, "foo", "9", "re", "x"); }, "MSG foo 9 re 1\r\nx\r\n"},
      {[](auto& o) { append_hmsg(o, "foo", "9", "", "NATS/1.0 503\r\n\r\n", ""); },
       "HMSG foo 9 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"},
      {[](auto& o) { append_hmsg(o, "foo", "9", "re", kBlock, "hi"); },
       "HMSG foo 9 re 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n"},
      {[](auto& o) { append_connect(o, "{}"); }, "CONNECT {}\r\n"},
      {[](auto& o) { append_info(o, "{}"); }, "INFO {} \r\n"},
      {[](auto& o) { append_err(o, "Authorization Violation"); }, "-ERR 'Authorization Violation'\r\n"},
      {[](auto& o) { append_err(o, "a\r\nPING"); }, "-ERR 'a  PING'\r\n"},
      {[](auto& o) { append_ping(o); }, "PING\r\n"},
      {[](auto& o) { append_pong(o); }, "PONG\r\n"},
      {[](auto& o) { append_ok(o); }, "+OK\r\n"},
  };
  std::string all;
  std::string all_expected;
  for (const auto& [append, expected] : rows) {
    std::string alone;
    append(alone);
    EXPECT_EQ(alone, expected);
    append(all);
    all_expected += expected;
  }
  EXPECT_EQ(all, all_expected);
}

TEST(Writer, writes_what_the_parser_reads_at_every_length) {
  for (std::size_t length = 0; length < 300; ++length) {
    const std::string payload(length, 'p');
    const std::string subject(1 + length % 90, 's');
    std::string out;
    append_hmsg(out, subject, "7", "reply", kBlock, payload);
    append_msg(out, subject, "8", "", payload);
    const Outcome outcome = feed_whole(Peer::server, out);
    ASSERT_EQ(outcome.frames.size(), 2U);
    EXPECT_EQ(outcome.frames[0].subject, subject);
    EXPECT_EQ(outcome.frames[0].reply, "reply");
    EXPECT_EQ(outcome.frames[0].headers, kBlock);
    EXPECT_EQ(outcome.frames[0].payload, payload);
    EXPECT_EQ(outcome.frames[1].payload, payload);
    EXPECT_EQ(outcome.left, "");
  }
}

TEST(Writer, writes_lines_into_given_room_or_not_at_all) {
  std::array<char, 128> room{};
  EXPECT_EQ(write_msg_line(room, "foo", "9", "", 0, 5), "MSG foo 9 5\r\n");
  EXPECT_EQ(write_msg_line(room, "foo", "9", "re", 18, 5), "HMSG foo 9 re 18 23\r\n");
  EXPECT_EQ(write_pub_line(room, "foo", "", 0, 5), "PUB foo 5\r\n");
  EXPECT_EQ(write_pub_line(room, "foo", "re", 18, 0), "HPUB foo re 18 18\r\n");
  const std::string subject(room.size() - line_bound(3), 's');
  EXPECT_FALSE(write_msg_line(room, subject, "9", "re", 18, 5).empty());
  EXPECT_TRUE(write_msg_line(room, subject + "s", "9", "re", 18, 5).empty());
  EXPECT_TRUE(write_pub_line(room, subject + "s", "rep", 18, 5).empty());
}

TEST(Writer, the_bound_holds_for_the_longest_line) {
  constexpr std::size_t kHuge = std::numeric_limits<std::size_t>::max() / 2;
  std::array<char, 256> room{};
  const std::string_view line = write_msg_line(room, "s", "1", "r", kHuge, kHuge);
  EXPECT_LE(line.size(), line_bound(3));
}

TEST(Writer, gives_the_end_of_a_frame_in_place) {
  const std::string bytes = "HPUB foo 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\n";
  Parser parser(Peer::client);
  Frame frame;
  ASSERT_EQ(parser.next(bytes, frame), Parser::Status::frame);
  EXPECT_EQ(body(frame), "NATS/1.0\r\nA: b\r\n\r\nhi\r\n");
  EXPECT_EQ(body_without_headers(frame), "hi\r\n");
  EXPECT_EQ(body(frame).data() + body(frame).size(), bytes.data() + bytes.size());
}

TEST(Writer, prints_decimals) {
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{9}, std::uint64_t{10}, std::uint64_t{999999999},
                                    std::numeric_limits<std::uint64_t>::max()}) {
    std::array<char, 20> room{};
    char* const end = write_decimal(room.data(), value);
    EXPECT_EQ(std::string(room.data(), end), std::to_string(value));
  }
  for (std::uint64_t value = 0; value <= 10001; ++value) {
    std::array<char, 20> room{};
    char* const end = write_decimal(room.data(), value);
    ASSERT_EQ(std::string(room.data(), end), std::to_string(value));
  }
}

TEST(Writer, short_text_of_any_size_is_copied_and_nothing_around_it) {
  const std::string text = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    std::string room(text.size() + 2, '.');
    EXPECT_EQ(write_short(room.data() + 1, std::string_view(text).substr(0, size)), room.data() + 1 + size);
    EXPECT_EQ(room, "." + text.substr(0, size) + std::string(room.size() - size - 1, '.')) << size;
  }
  char none = '.';
  EXPECT_EQ(write_short(&none, {}), &none);
}

}  // namespace
}  // namespace hawser::wire
