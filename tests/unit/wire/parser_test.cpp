#include "wire/parser.hpp"

#include <gtest/gtest.h>
#include <random>

#include "wire/feed.hpp"

namespace hawser::wire {
namespace {

using namespace std::string_literals;

constexpr Peer kClient = Peer::client;
constexpr Peer kServer = Peer::server;

// One frame and what must be found in it.
struct GoodCase {
  Peer from;
  std::string bytes;
  Op op;
  std::string subject, reply, queue, sid, headers, payload;
  std::uint64_t max = 0;
};

const std::vector<GoodCase>& good_cases() {
  static const std::vector<GoodCase> cases = {
      {kClient, "PUB foo 5\r\nhello\r\n", Op::pub, "foo", "", "", "", "", "hello"},
      {kClient, "PUB foo.bar _INBOX.1 5\r\nhello\r\n", Op::pub, "foo.bar", "_INBOX.1", "", "", "", "hello"},
      {kClient, "PUB foo 0\r\n\r\n", Op::pub, "foo", "", "", "", "", ""},
      {kClient, "PUB f 0\n\r\n", Op::pub, "f", "", "", "", "", ""},
      {kClient, "pUb\t\tfoo  \t 2 \t\r\n\r\n\r\n", Op::pub, "foo", "", "", "", "", "\r\n"},
      {kClient, "PUB foo 000000005\r\nhello\r\n", Op::pub, "foo", "", "", "", "", "hello"},
      {kClient, "PUB foo 5\nhello\r\n", Op::pub, "foo", "", "", "", "", "hello"},
      {kClient, "PUB foo 12\r\nPING\r\nPING\r\n\r\n", Op::pub, "foo", "", "", "", "", "PING\r\nPING\r\n"},
      {kClient, "PUB \x01\x7f\xc3\xa9 1\r\n\0\r\n"s, Op::pub, "\x01\x7f\xc3\xa9", "", "", "", "", "\0"s},
      {kClient, "PUB a.subject.that.is.longer.than.one.step.of.sixteen.bytes and.so.is.this.reply.subject 3\r\nabc\r\n",
       Op::pub, "a.subject.that.is.longer.than.one.step.of.sixteen.bytes", "and.so.is.this.reply.subject", "", "", "",
       "abc"},
      {kClient, "HPUB foo 12 17\r\nNATS/1.0\r\n\r\nhello\r\n", Op::hpub, "foo", "", "", "", "NATS/1.0\r\n\r\n",
       "hello"},
      {kClient, "hpub foo bar 22 22\r\nNATS/1.0\r\nBar: Baz\r\n\r\n\r\n", Op::hpub, "foo", "bar", "", "",
       "NATS/1.0\r\nBar: Baz\r\n\r\n", ""},
      {kClient, "HPUB\tfoo 0 2\r\nhi\r\n", Op::hpub, "foo", "", "", "", "", "hi"},
      {kClient, "SUB foo 1\r\n", Op::sub, "foo", "", "", "1", "", ""},
      {kClient, "sub  foo.>  workers\t22\n", Op::sub, "foo.>", "", "workers", "22", "", ""},
      {kClient, "UNSUB 1\r\n", Op::unsub, "", "", "", "1", "", ""},
      {kClient, "Unsub 1 5\r\n", Op::unsub, "", "", "", "1", "", "", 5},
      {kClient, "UNSUB 1 999999999\r\n", Op::unsub, "", "", "", "1", "", "", 999999999},
      {kClient, "UNSUB 1 1000000000\r\n", Op::unsub, "", "", "", "1", "", "", 0},
      {kClient, "UNSUB 1 -5\r\n", Op::unsub, "", "", "", "1", "", "", 0},
      {kClient, "PING\r\n", Op::ping, "", "", "", "", "", ""},
      {kClient, "ping\n", Op::ping, "", "", "", "", "", ""},
      {kClient, "PING  \r\n", Op::ping, "", "", "", "", "", ""},
      {kClient, "PING what ever\r\n", Op::ping, "", "", "", "", "", ""},
      {kClient, "PoNg\r\n", Op::pong, "", "", "", "", "", ""},
      {kClient, "CONNECT {}\r\n", Op::connect, "", "", "", "", "", "{}"},
      {kClient, "connect {\"verbose\":false} \r\n", Op::connect, "", "", "", "", "", "{\"verbose\":false}"},
      {kClient, "CONNECT{}\n", Op::connect, "", "", "", "", "", "{}"},
      {kClient, "CONNECT\r\n", Op::connect, "", "", "", "", "", ""},
      {kClient, "INFO {\"a\":1}\r\n", Op::info, "", "", "", "", "", "{\"a\":1}"},
      {kServer, "INFO {\"server_id\":\"x\"} \r\n", Op::info, "", "", "", "", "", "{\"server_id\":\"x\"}"},
      {kServer, "MSG foo 9 5\r\nhello\r\n", Op::msg, "foo", "", "", "9", "", "hello"},
      {kServer, "msg foo 9 reply.to 5\r\nhello\r\n", Op::msg, "foo", "reply.to", "", "9", "", "hello"},
      {kServer, "HMSG foo 9 12 14\r\nNATS/1.0\r\n\r\nhi\r\n", Op::hmsg, "foo", "", "", "9", "NATS/1.0\r\n\r\n", "hi"},
      {kServer, "HMSG _INBOX.x 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n", Op::hmsg, "_INBOX.x", "", "", "1",
       "NATS/1.0 503\r\n\r\n", ""},
      {kServer, "hMsG foo 9 re 12 12\r\nNATS/1.0\r\n\r\n\r\n", Op::hmsg, "foo", "re", "", "9", "NATS/1.0\r\n\r\n", ""},
      {kServer, "PING\r\n", Op::ping, "", "", "", "", "", ""},
      {kServer, "PONG\r\n", Op::pong, "", "", "", "", "", ""},
      {kServer, "+OK\r\n", Op::ok, "", "", "", "", "", ""},
      {kServer, "+ok\n", Op::ok, "", "", "", "", "", ""},
      {kServer, "-ERR 'Authorization Violation'\r\n", Op::err, "", "", "", "", "", "Authorization Violation"},
      {kServer, "-err Stale Connection\r\n", Op::err, "", "", "", "", "", "Stale Connection"},
      {kServer, "-ERR 'Permissions Violation for Publish to \"it's\"' \r\n", Op::err, "", "", "", "", "",
       "Permissions Violation for Publish to \"it's\""},
      {kServer, "-ERR '\r\n", Op::err, "", "", "", "", "", "'"},
      {kServer, "-ERR\r\n", Op::err, "", "", "", "", "", ""},
  };
  return cases;
}

Frame expected(const GoodCase& row) {
  Frame frame;
  frame.op = row.op;
  frame.raw = row.bytes;
  frame.subject = row.subject;
  frame.reply = row.reply;
  frame.queue = row.queue;
  frame.sid = row.sid;
  frame.headers = row.headers;
  frame.payload = row.payload;
  frame.max = row.max;
  return frame;
}

// A stream that ends in a refusal. The text is what nats-server answers.
struct BadCase {
  Peer from;
  std::string bytes;
  Errc code;
  std::string server_text;
};

constexpr const char* kUnknown = "Unknown Protocol Operation";

const std::vector<BadCase>& bad_cases() {
  static const std::vector<BadCase> cases = {
      {kClient, "X", Errc::wire_unknown_operation, kUnknown},
      {kClient, "\r\n", Errc::wire_unknown_operation, kUnknown},
      {kClient, " PING\r\n", Errc::wire_unknown_operation, kUnknown},
      {kClient, "\x16\x03\x01\x02\x00"s, Errc::wire_unknown_operation, kUnknown},
      {kClient, "GET / HTTP/1.1\r\n", Errc::wire_unknown_operation, kUnknown},
      {kClient, "PUBLISH foo 1\r\n", Errc::wire_unknown_operation, kUnknown},
      {kClient, "PUB\r\n", Errc::wire_unknown_operation, kUnknown},
      {kClient, "PU\x02 foo 1\r\n", Errc::wire_unknown_operation, kUnknown},
      {kClient, "PUB\0foo 1\r\n\r\n"s, Errc::wire_unknown_operation, kUnknown},
      {kClient, "PUB)foo 1\r\n1\r\n", Errc::wire_unknown_operation, kUnknown},
      {kClient, "SUB\r\n", Errc::wire_unknown_operation, kUnknown},
      {kClient, "HPUBS foo 1 1\r\n", Errc::wire_unknown_operation, kUnknown},
      {kClient, "MSG foo 1 1\r\nx\r\n", Errc::wire_unexpected_operation, kUnknown},
      {kClient, "HMSG foo 1 1\r\nx\r\n", Errc::wire_unexpected_operation, kUnknown},
      {kClient, "+OK\r\n", Errc::wire_unexpected_operation, ""},
      {kClient, "-ERR 'x'\r\n", Errc::wire_unexpected_operation, ""},
      {kClient, "PUB \r\n", Errc::wire_bad_arguments, ""},
      {kClient, "PUB foo\r\n", Errc::wire_bad_arguments, ""},
      {kClient, "PUB 5\r\nhello\r\n", Errc::wire_bad_arguments, ""},
      {kClient, "PUB a b c 5\r\nhello\r\n", Errc::wire_bad_arguments, ""},
      {kClient, "PUB a b c d e f g 5\r\nhello\r\n", Errc::wire_bad_arguments, ""},
      {kClient, "HPUB foo 5\r\nhello\r\n", Errc::wire_bad_arguments, ""},
      {kClient, "HPUB a b c 0 5\r\nhello\r\n", Errc::wire_bad_arguments, ""},
      {kClient, "SUB foo\r\n", Errc::wire_bad_arguments, ""},
      {kClient, "SUB a b c d\r\n", Errc::wire_bad_arguments, ""},
      {kClient, "SUB \nfoo 1\r\n", Errc::wire_bad_arguments, ""},
      {kClient, "UNSUB \r\n", Errc::wire_bad_arguments, ""},
      {kClient, "UNSUB 1 2 3\r\n", Errc::wire_bad_arguments, ""},
      // nats-server would cut the last byte: size 1, and the payload would begin elsewhere.
      {kClient, "PUB foo\r 12\nPING\r\nPING\r\n\r\n", Errc::wire_bad_arguments, ""},
      {kClient, "PUB foo 1\r\r\nx\r\n", Errc::wire_bad_arguments, ""},
      {kClient, "SUB foo\r1\r\n", Errc::wire_bad_arguments, ""},
      {kClient, "PUB foo -1\r\n", Errc::wire_bad_size, ""},
      {kClient, "PUB foo +1\r\n", Errc::wire_bad_size, ""},
      {kClient, "PUB foo 1x\r\n", Errc::wire_bad_size, ""},
      {kClient, "PUB foo 0x1\r\n", Errc::wire_bad_size, ""},
      {kClient, "PUB foo 0000000005\r\nhello\r\n", Errc::wire_bad_size, ""},
      {kClient, "PUB foo 18446744073709551617\r\n", Errc::wire_bad_size, ""},
      {kClient, "HPUB foo 6 5\r\nhello\r\n", Errc::wire_bad_size, ""},
      {kClient, "HPUB foo -1 5\r\nhello\r\n", Errc::wire_bad_size, ""},
      {kClient, "HPUB foo 0 -5\r\nhello\r\n", Errc::wire_bad_size, ""},
      {kClient, "PUB foo 999999999\r\n", Errc::wire_payload_too_large, "Maximum Payload Violation"},
      {kClient, "HPUB foo 12 999999999\r\n", Errc::wire_payload_too_large, "Maximum Payload Violation"},
      {kClient, "PUB foo 5\r\nhello\n", Errc::wire_payload_unterminated, kUnknown},
      {kClient, "PUB foo 5\r\nhello\rP", Errc::wire_payload_unterminated, kUnknown},
      {kClient, "PUB foo 3\r\nhello\r\n", Errc::wire_payload_unterminated, kUnknown},
      {kClient, "PUB foo 0\r\nPING\r\n", Errc::wire_payload_unterminated, kUnknown},
      {kServer, "HTTP/1.1 400 Bad Request\r\n", Errc::wire_unknown_operation, ""},
      {kServer, "SSH-2.0-OpenSSH\r\n", Errc::wire_unknown_operation, ""},
      {kServer, "-ERRR\r\n", Errc::wire_unknown_operation, ""},
      {kServer, "PUB foo 1\r\nx\r\n", Errc::wire_unexpected_operation, ""},
      {kServer, "CONNECT {}\r\n", Errc::wire_unexpected_operation, ""},
      {kServer, "SUB a 1\r\n", Errc::wire_unexpected_operation, ""},
      {kServer, "MSG foo 1\r\n", Errc::wire_bad_arguments, ""},
      {kServer, "MSG a b c d 1\r\nx\r\n", Errc::wire_bad_arguments, ""},
      {kServer, "HMSG a b c d e 1\r\nx\r\n", Errc::wire_bad_arguments, ""},
      {kServer, "HMSG a 1 9 8\r\n", Errc::wire_bad_size, ""},
      {kServer, "MSG foo 1 999999999\r\n", Errc::wire_payload_too_large, ""},
      {kServer, "MSG foo 1 1\r\nxx\r\n", Errc::wire_payload_unterminated, ""},
  };
  return cases;
}

TEST(Parser, finds_every_kind_of_frame) {
  for (const GoodCase& row : good_cases()) {
    const Outcome outcome = feed_whole(row.from, row.bytes);
    EXPECT_FALSE(outcome.error) << row.bytes;
    EXPECT_EQ(outcome.left, "") << row.bytes;
    ASSERT_EQ(outcome.frames.size(), 1U) << row.bytes;
    EXPECT_EQ(outcome.frames[0], Seen(expected(row)));
  }
}

TEST(Parser, refuses_with_the_words_of_nats_server) {
  for (const BadCase& row : bad_cases()) {
    Parser parser(row.from);
    const Outcome outcome = feed(parser, row.bytes, {});
    ASSERT_TRUE(outcome.error) << row.bytes;
    EXPECT_EQ(*outcome.error, row.code) << row.bytes << ": " << parser.error().message();
    EXPECT_EQ(outcome.server_text, row.server_text) << row.bytes;
    EXPECT_TRUE(outcome.frames.empty()) << row.bytes;
  }
}

TEST(Parser, finds_a_frame_split_at_every_byte) {
  for (const GoodCase& row : good_cases()) {
    const Outcome whole = feed_whole(row.from, row.bytes);
    for (std::size_t cut = 1; cut < row.bytes.size(); ++cut) {
      Parser parser(row.from);
      EXPECT_EQ(feed(parser, row.bytes, {cut}), whole) << row.bytes << " cut at " << cut;
    }
    Parser parser(row.from);
    EXPECT_EQ(feed(parser, row.bytes, every_byte(row.bytes)), whole) << row.bytes << " byte by byte";
  }
}

TEST(Parser, refuses_alike_however_the_bytes_are_split) {
  for (const BadCase& row : bad_cases()) {
    const Outcome whole = feed_whole(row.from, row.bytes);
    for (std::size_t cut = 1; cut < row.bytes.size(); ++cut) {
      Parser parser(row.from);
      EXPECT_EQ(feed(parser, row.bytes, {cut}), whole) << row.bytes << " cut at " << cut;
    }
    Parser parser(row.from);
    EXPECT_EQ(feed(parser, row.bytes, every_byte(row.bytes)), whole) << row.bytes << " byte by byte";
  }
}

TEST(Parser, finds_many_frames_in_one_buffer_split_anywhere) {
  for (const Peer from : {kClient, kServer}) {
    std::string stream;
    std::vector<Seen> all;
    for (const GoodCase& row : good_cases()) {
      if (row.from == from) {
        stream += row.bytes;
        all.emplace_back(expected(row));
      }
    }
    EXPECT_EQ(feed_whole(from, stream).frames, all);
    for (std::size_t cut = 1; cut < stream.size(); ++cut) {
      Parser parser(from);
      const Outcome outcome = feed(parser, stream, {cut});
      ASSERT_EQ(outcome.frames, all) << "cut at " << cut;
    }
    Parser parser(from);
    EXPECT_EQ(feed(parser, stream, every_byte(stream)).frames, all);
  }
}

TEST(Parser, takes_what_came_before_a_refusal) {
  const Outcome outcome = feed_whole(kClient, "PING\r\nSUB a 1\r\nNONSENSE\r\n");
  EXPECT_EQ(outcome.frames.size(), 2U);
  EXPECT_EQ(outcome.error, Errc::wire_unknown_operation);
  EXPECT_EQ(outcome.left, "NONSENSE\r\n");
}

TEST(Parser, says_how_many_bytes_make_the_frame_whole) {
  Parser parser(kClient);
  Frame frame;
  const std::string bytes = "PUB foo 100\r\n" + std::string(100, 'x') + "\r\n";
  EXPECT_EQ(parser.next(bytes.substr(0, 12), frame), Parser::Status::more);
  EXPECT_EQ(parser.wanted(), 0U);
  EXPECT_EQ(parser.next(bytes.substr(0, 13), frame), Parser::Status::more);
  EXPECT_EQ(parser.wanted(), bytes.size());
  EXPECT_EQ(parser.next(bytes.substr(0, 50), frame), Parser::Status::more);
  EXPECT_EQ(parser.wanted(), bytes.size());
  EXPECT_EQ(parser.next(bytes, frame), Parser::Status::frame);
  EXPECT_EQ(parser.wanted(), 0U);
}

TEST(Parser, holds_its_limits_to_the_byte) {
  struct Row {
    Peer from;
    std::string bytes;
    std::optional<Errc> code;
  };
  const ParserLimits limits{.control_line_bytes = 20, .payload_bytes = 10};
  const std::string ten(10, 'x');
  const std::vector<Row> rows = {
      {kClient, "PUB " + std::string(17, 's') + " 10\r\n" + ten + "\r\n", std::nullopt},
      {kClient, "PUB " + std::string(18, 's') + " 10\r\n" + ten + "\r\n", Errc::wire_control_line_too_long},
      {kClient, "PUB " + std::string(18, 's') + " 1\n", std::nullopt},
      {kClient, "PUB " + std::string(19, 's') + " 1\n", Errc::wire_control_line_too_long},
      {kClient, "SUB " + std::string(21, 's'), Errc::wire_control_line_too_long},
      {kClient, "SUB " + std::string(20, 's'), std::nullopt},
      {kClient, "SUB " + std::string(20, 's') + "\r", std::nullopt},
      {kClient, "SUB" + std::string(22, ' '), Errc::wire_control_line_too_long},
      {kClient, "PING" + std::string(21, ' ') + "\r\n", std::nullopt},
      {kClient, "PING" + std::string(22, ' ') + "\r\n", Errc::wire_control_line_too_long},
      {kClient, "PUB foo 11\r\n", Errc::wire_payload_too_large},
      {kClient, "HPUB foo 11 11\r\n", Errc::wire_payload_too_large},
      {kClient, "CONNECT " + std::string(limits::kInfoBytes, 'x') + "\r\n", std::nullopt},
      {kClient, "CONNECT " + std::string(limits::kInfoBytes + 1, 'x') + "\r\n", Errc::wire_control_line_too_long},
      {kClient, "CONNECT " + std::string(limits::kInfoBytes + 1, 'x'), Errc::wire_control_line_too_long},
      {kServer, "-ERR " + std::string(320, 'x') + "\r\n", std::nullopt},
      {kServer, "-ERR " + std::string(321, 'x') + "\r\n", Errc::wire_control_line_too_long},
      {kServer, "INFO " + std::string(limits::kInfoBytes, 'x') + " \r\n", Errc::wire_control_line_too_long},
  };
  for (const Row& row : rows) {
    const Outcome whole = feed_whole(row.from, row.bytes, limits);
    EXPECT_EQ(whole.error, row.code) << row.bytes.substr(0, 60);
    if (whole.error == Errc::wire_control_line_too_long && row.from == kClient) {
      EXPECT_EQ(whole.server_text, "maximum control line exceeded");
    }
    if (row.bytes.size() < 500) {
      Parser parser(row.from, limits);
      EXPECT_EQ(feed(parser, row.bytes, every_byte(row.bytes)), whole) << row.bytes.substr(0, 60);
    }
  }
}

TEST(Parser, takes_new_limits_between_frames) {
  Parser parser(kClient, {.payload_bytes = 4});
  Frame frame;
  EXPECT_EQ(parser.next("PUB a 4\r\nwxyz\r\n", frame), Parser::Status::frame);
  parser.set_limits({.payload_bytes = 3});
  EXPECT_EQ(parser.next("PUB a 4\r\nwxyz\r\n", frame), Parser::Status::error);
}

TEST(Parser, stays_refused_until_it_is_reset) {
  Parser parser(kClient);
  Frame frame;
  ASSERT_EQ(parser.next("nonsense", frame), Parser::Status::error);
  EXPECT_EQ(parser.next("PING\r\n", frame), Parser::Status::error);
  EXPECT_EQ(parser.error().code, Errc::wire_unknown_operation);
  parser.reset();
  EXPECT_EQ(parser.server_text(), "");
  EXPECT_EQ(parser.next("PING\r\n", frame), Parser::Status::frame);
}

TEST(Parser, reset_forgets_an_unfinished_frame) {
  for (const std::string_view unfinished : {"PUB foo 100\r\nabc", "PUB foo.bar.b", "CONNECT {\"ver"}) {
    Parser parser(kClient);
    Frame frame;
    ASSERT_EQ(parser.next(unfinished, frame), Parser::Status::more);
    parser.reset();
    EXPECT_EQ(parser.next("PING\r\n", frame), Parser::Status::frame) << unfinished;
  }
}

TEST(Parser, shows_nothing_of_connect_or_of_a_payload_in_its_error) {
  const std::string secret = "s3cr3t-and-more";
  for (const std::string& bytes :
       {"CONNECT {\"pass\":\"" + secret + "\"}" + std::string(limits::kInfoBytes, ' ') + "\r\n",
        "CONNCT {\"pass\":\"" + secret + "\"}\r\n", "PUB foo 1\r\n" + secret + "\r\n", "PUB foo 1" + secret + "\r\n"}) {
    Parser parser(kClient);
    Frame frame;
    ASSERT_EQ(parser.next(bytes, frame), Parser::Status::error);
    EXPECT_EQ(parser.error().message().find("s3cr3t"), std::string::npos) << parser.error().message();
  }
}

TEST(Parser, shows_the_first_bytes_of_another_protocol) {
  Parser parser(kServer);
  Frame frame;
  ASSERT_EQ(parser.next("\x16\x03\x01\x02", frame), Parser::Status::error);
  EXPECT_NE(parser.error().doing.find(R"(\x16\x03\x01\x02)"), std::string::npos) << parser.error().doing;
}

// A short line with more behind it is read another way than one that ends where the bytes do.
TEST(Parser, reads_a_frame_the_same_whatever_comes_behind_it) {
  constexpr std::string_view kBytes = "  \t\r\n.abc0012";
  const std::string behind(64, 'x');
  std::mt19937 random(7);
  int frames = 0;
  for (int i = 0; i < 300000; ++i) {
    std::string bytes = "PUB ";
    for (auto left = random() % 12; left > 0; --left) {
      bytes += kBytes[random() % kBytes.size()];
    }
    if (random() % 4 != 0) {
      bytes += random() % 2 == 0 ? " 1\r\nx\r\n" : " b.c 0\r\n\r\n";
    }
    const std::string longer = bytes + behind;
    Parser parser(kClient);
    Parser other(kClient);
    Frame frame;
    Frame same;
    const bool whole = parser.next(bytes, frame) == Parser::Status::frame;
    const bool also = other.next(longer, same) == Parser::Status::frame && same.raw.size() <= bytes.size();
    ASSERT_EQ(whole, also) << bytes;
    if (whole) {
      ++frames;
      ASSERT_EQ(frame.raw, same.raw) << bytes;
      ASSERT_EQ(frame.subject, same.subject) << bytes;
      ASSERT_EQ(frame.reply, same.reply) << bytes;
      ASSERT_EQ(frame.payload, same.payload) << bytes;
    }
  }
  EXPECT_GT(frames, 1000);
}

TEST(Parser, a_short_line_keeps_to_its_limit_too) {
  const std::string bytes = "PUB some.subject 5\r\nhello\r\nPING\r\nPING\r\nPING\r\n";
  Frame frame;
  EXPECT_EQ(Parser(kClient, {.control_line_bytes = 14}).next(bytes, frame), Parser::Status::frame);
  EXPECT_EQ(Parser(kClient, {.control_line_bytes = 13}).next(bytes, frame), Parser::Status::error);
}

}  // namespace
}  // namespace hawser::wire
