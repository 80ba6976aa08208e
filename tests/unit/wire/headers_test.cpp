#include "wire/headers.hpp"

#include <gtest/gtest.h>

namespace hawser::wire {
namespace {

using namespace std::string_literals;

TEST(Headers, parses_blocks_as_they_come) {
  struct Row {
    std::string block;
    int status;
    std::string description;
    std::vector<Header> headers;
  };
  const std::vector<Row> rows = {
      {"NATS/1.0\r\n\r\n", 0, "", {}},
      {"NATS/1.0\r\nA: b\r\n\r\n", 0, "", {{"A", "b"}}},
      {"NATS/1.0\r\nA:b\r\nA:\t c d \t\r\na: \r\n\r\n", 0, "", {{"A", "b"}, {"A", "c d"}, {"a", ""}}},
      {"NATS/1.0\r\nA: x:y: z\r\n\r\n", 0, "", {{"A", "x:y: z"}}},
      {"NATS/1.0\r\nK: \xc3\xa9\x01\r\n\r\n", 0, "", {{"K", "\xc3\xa9\x01"}}},
      {"NATS/1.0 503\r\n\r\n", 503, "", {}},
      {"NATS/1.0 503 No Responders\r\n\r\n", 503, "No Responders", {}},
      {"NATS/1.0   100   Idle Heartbeat  \r\nNats-Last-Stream: 5\r\n\r\n",
       100,
       "Idle Heartbeat",
       {{"Nats-Last-Stream", "5"}}},
      {"NATS/1.0 \r\n\r\n", 0, "", {}},
  };
  for (const Row& row : rows) {
    const auto headers = Headers::parse(row.block);
    ASSERT_TRUE(headers) << row.block << headers.error().message();
    EXPECT_EQ(headers->status(), row.status) << row.block;
    EXPECT_EQ(headers->description(), row.description) << row.block;
    EXPECT_EQ(headers->all(), row.headers) << row.block;
    EXPECT_EQ(header_status(row.block).code, row.status) << row.block;
    EXPECT_EQ(header_status(row.block).description, row.description) << row.block;
    EXPECT_TRUE(looks_like_headers(row.block)) << row.block;
    for (const Header& header : row.headers) {
      EXPECT_EQ(find_header(row.block, header.name), headers->first(header.name)) << row.block;
    }
  }
}

TEST(Headers, refuses_what_is_no_block) {
  const std::vector<std::string> rows = {
      "",
      "NATS/1.0",
      "NATS/1.0\r\n",
      "NATS/1.0\n\n",
      "NATS/1.1\r\n\r\n",
      "NATS/1.01\r\n\r\n",
      "nats/1.0\r\n\r\n",
      "HTTP/1.1\r\n\r\n",
      "NATS/1.0 50\r\n\r\n",
      "NATS/1.0 099\r\n\r\n",
      "NATS/1.0 5033\r\n\r\n",
      "NATS/1.0 -50\r\n\r\n",
      "NATS/1.0 abc\r\n\r\n",
      "NATS/1.0\r\nA: b\r\n",
      "NATS/1.0\r\nA: b\n\r\n",
      "NATS/1.0\r\nA: b\rc\r\n\r\n",
      "NATS/1.0\r\nnocolon\r\n\r\n",
      "NATS/1.0\r\n: b\r\n\r\n",
      "NATS/1.0\r\nA : b\r\n\r\n",
      "NATS/1.0\r\n folded\r\n\r\n",
      "NATS/1.0\r\nA\0: b\r\n\r\n"s,
      "NATS/1.0\r\n\xc3\xa9: b\r\n\r\n",
      "NATS/1.0\r\n\r\nmore",
      "NATS/1.0\r\n\r\n\r\n",
  };
  for (const std::string& block : rows) {
    const auto headers = Headers::parse(block);
    ASSERT_FALSE(headers) << block;
    EXPECT_EQ(headers.error().code, Errc::wire_bad_headers) << block;
  }
}

TEST(Headers, finds_names_as_written_unless_asked_otherwise) {
  const std::string block = "NATS/1.0\r\nKey: 1\r\nkey: 2\r\nKey: 3\r\n\r\n";
  const auto headers = Headers::parse(block);
  ASSERT_TRUE(headers);
  using Values = std::vector<std::string_view>;
  EXPECT_EQ(headers->first("Key"), "1");
  EXPECT_EQ(headers->first("key"), "2");
  EXPECT_EQ(headers->first("KEY"), std::nullopt);
  EXPECT_EQ(headers->first("KEY", NameCase::ignore), "1");
  EXPECT_EQ(headers->values("Key"), (Values{"1", "3"}));
  EXPECT_EQ(headers->values("kEY", NameCase::ignore), (Values{"1", "2", "3"}));
  EXPECT_EQ(headers->values("Ke"), Values{});
  EXPECT_EQ(find_header(block, "key"), "2");
  EXPECT_EQ(find_header(block, "KEY"), std::nullopt);
  EXPECT_EQ(find_header(block, "KEY", NameCase::ignore), "1");
}

TEST(Headers, finding_stops_at_what_is_no_header) {
  EXPECT_EQ(find_header("NATS/1.0\r\nbroken\r\nA: b\r\n\r\n", "A"), std::nullopt);
  EXPECT_EQ(find_header("NATS/1.0\r\n\r\nA: b\r\n\r\n", "A"), std::nullopt);
  EXPECT_EQ(find_header("hello\r\nA: b\r\n\r\n", "A"), std::nullopt);
  EXPECT_EQ(header_status("503\r\n").code, 0);
  EXPECT_FALSE(looks_like_headers("NATS/1.0\r\n"));
  EXPECT_FALSE(looks_like_headers("X\r\n\r\n"));
}

TEST(Headers, an_error_shows_no_value) {
  const auto headers = Headers::parse("NATS/1.0\r\ns3cr3t\r\n\r\n");
  ASSERT_FALSE(headers);
  EXPECT_EQ(headers.error().message().find("s3cr3t"), std::string::npos);
}

TEST(Headers, are_bounded_in_number) {
  HeaderBuilder builder;
  for (std::size_t i = 0; i < kMaxHeaders; ++i) {
    ASSERT_TRUE(builder.add("A", "b"));
  }
  EXPECT_FALSE(builder.add("A", "b"));
  const std::string block(builder.finish());
  EXPECT_TRUE(Headers::parse(block));
  EXPECT_FALSE(Headers::parse(block.substr(0, block.size() - 2) + "A: b\r\n\r\n"));
}

TEST(HeaderBuilder, builds_what_parses_again) {
  HeaderBuilder builder;
  EXPECT_EQ(builder.finish(), "NATS/1.0\r\n\r\n");
  ASSERT_TRUE(builder.add("Nats-Msg-Id", "7"));
  ASSERT_TRUE(builder.add("Empty", ""));
  EXPECT_EQ(builder.finish(), "NATS/1.0\r\nNats-Msg-Id: 7\r\nEmpty: \r\n\r\n");
  ASSERT_TRUE(builder.add("Nats-Msg-Id", "8"));
  const auto headers = Headers::parse(builder.finish());
  ASSERT_TRUE(headers);
  EXPECT_EQ(headers->all(), (std::vector<Header>{{"Nats-Msg-Id", "7"}, {"Empty", ""}, {"Nats-Msg-Id", "8"}}));
}

TEST(HeaderBuilder, writes_the_status_that_servers_send) {
  EXPECT_EQ(HeaderBuilder::with_status(kNoResponders)->finish(), "NATS/1.0 503\r\n\r\n");
  EXPECT_EQ(HeaderBuilder::with_status(404, "No Messages")->finish(), "NATS/1.0 404 No Messages\r\n\r\n");
  EXPECT_FALSE(HeaderBuilder::with_status(99));
  EXPECT_FALSE(HeaderBuilder::with_status(1000));
  EXPECT_FALSE(HeaderBuilder::with_status(503, "a\r\nB: c"));
}

TEST(HeaderBuilder, adds_to_a_block_that_exists) {
  auto builder = HeaderBuilder::from("NATS/1.0 100 x\r\nA: b\r\n\r\n");
  ASSERT_TRUE(builder);
  ASSERT_TRUE(builder->add("C", "d"));
  EXPECT_EQ(builder->finish(), "NATS/1.0 100 x\r\nA: b\r\nC: d\r\n\r\n");
  EXPECT_FALSE(HeaderBuilder::from("NATS/1.0\r\nA"));
}

TEST(HeaderBuilder, lets_nothing_break_out_of_its_line) {
  HeaderBuilder builder;
  for (const std::string& name : {""s, "a b"s, "a:"s, "a\r\nb"s, "a\n"s, "\xc3\xa9"s, "a\0"s, "a\x7f"s}) {
    EXPECT_FALSE(builder.add(name, "v")) << name;
  }
  for (const std::string& value : {"a\r\nB: c"s, "\n"s, "\r"s}) {
    EXPECT_FALSE(builder.add("n", value)) << value;
  }
  EXPECT_EQ(builder.finish(), "NATS/1.0\r\n\r\n");
}

}  // namespace
}  // namespace hawser::wire
