#include "wire/info.hpp"

#include <gtest/gtest.h>

namespace hawser::wire {
namespace {

// As nats-server 2.9.10 with TLS and an operator sends it.
constexpr std::string_view kReal =
    R"({"server_id":"NBQ7QZP7QYQ2","server_name":"n1","version":"2.9.10","proto":1,"go":"go1.19.4","host":"127.0.0.1",)"
    R"("port":4222,"headers":true,"auth_required":true,"tls_required":true,"tls_verify":true,"max_payload":2097152,)"
    R"("jetstream":true,"client_id":5,"client_ip":"127.0.0.1","nonce":"cCqRNkzMSP_dg5U","cluster":"c1","domain":"hub",)"
    R"("connect_urls":["127.0.0.1:4222","[::1]:4223"],"ldm":true,"xkey":"XAB","tls_available":true})";

TEST(Info, reads_every_field) {
  const auto info = parse_info(kReal);
  ASSERT_TRUE(info) << info.error().message();
  ServerInfo expected;
  expected.server_id = "NBQ7QZP7QYQ2";
  expected.server_name = "n1";
  expected.version = "2.9.10";
  expected.proto = 1;
  expected.go = "go1.19.4";
  expected.host = "127.0.0.1";
  expected.port = 4222;
  expected.headers = true;
  expected.auth_required = true;
  expected.tls_required = true;
  expected.tls_verify = true;
  expected.tls_available = true;
  expected.max_payload = 2097152;
  expected.jetstream = true;
  expected.client_id = 5;
  expected.client_ip = "127.0.0.1";
  expected.nonce = "cCqRNkzMSP_dg5U";
  expected.cluster = "c1";
  expected.domain = "hub";
  expected.connect_urls = {"127.0.0.1:4222", "[::1]:4223"};
  expected.ldm = true;
  expected.xkey = "XAB";
  EXPECT_EQ(*info, expected);
  EXPECT_EQ(parse_info(to_json(expected)), expected);
}

TEST(Info, writes_what_nats_server_writes_of_an_empty_one) {
  EXPECT_EQ(to_json(ServerInfo{}),
            R"({"server_id":"","server_name":"","version":"","proto":0,"go":"","host":"","port":0,"headers":false,)"
            R"("max_payload":1048576})");
}

TEST(Info, stays_on_one_line_whatever_is_in_it) {
  ServerInfo info;
  info.server_name = "a\r\n\"\\\x01\xc3\xa9";
  const std::string json = to_json(info);
  EXPECT_EQ(json.find_first_of("\r\n"), std::string::npos);
  EXPECT_EQ(parse_info(json)->server_name, info.server_name);
}

TEST(Info, takes_what_servers_may_send) {
  struct Row {
    std::string_view json;
    bool (*holds)(const ServerInfo&);
  };
  const std::vector<Row> rows = {
      {"{}", [](const ServerInfo& i) { return i == ServerInfo{}; }},
      {" \t{ } \r", [](const ServerInfo& i) { return i == ServerInfo{}; }},
      {R"({"port":1,"connect_info":{"port":2,"deep":[{"host":[]}]},"unknown":[1,"x",{}]})",
       [](const ServerInfo& i) { return i.port == 1 && i.host.empty(); }},
      {R"({"PORT":7,"Server_ID":"x"})", [](const ServerInfo& i) { return i.port == 7 && i.server_id == "x"; }},
      {R"({"port":7,"port":8})", [](const ServerInfo& i) { return i.port == 8; }},
      {R"({"host":null,"port":null,"connect_urls":null})", [](const ServerInfo& i) { return i == ServerInfo{}; }},
      {R"({"connect_urls":["a"],"connect_urls":["b"]})",
       [](const ServerInfo& i) { return i.connect_urls == std::vector<std::string>{"b"}; }},
      {R"({"host":"a\u00e9\n\"b"})", [](const ServerInfo& i) { return i.host == "a\xc3\xa9\n\"b"; }},
      {R"({"p\u006frt":5})", [](const ServerInfo& i) { return i.port == 5; }},
      {R"({"max_payload":-1})", [](const ServerInfo& i) { return i.max_payload == -1; }},
      {R"({"client_id":18446744073709551615})", [](const ServerInfo& i) { return i.client_id == UINT64_MAX; }},
  };
  for (const Row& row : rows) {
    const auto info = parse_info(row.json);
    ASSERT_TRUE(info) << row.json << info.error().message();
    EXPECT_TRUE(row.holds(*info)) << row.json;
  }
}

TEST(Info, refuses_what_cannot_be_meant) {
  std::string many = R"({"connect_urls":["u")";
  for (std::size_t i = 0; i < kMaxConnectUrls; ++i) {
    many += R"(,"u")";
  }
  many += "]}";
  const std::string deep = R"({"x":)" + std::string(100000, '[');
  const std::vector<std::string> rows = {
      "",
      " ",
      "null",
      "[]",
      "1",
      "\"x\"",
      "{",
      "{]",
      "{\"port\":1",
      "{\"port\":1}}",
      "{\"port\":1} x",
      "{'port':1}",
      "{port:1}",
      "{\"port\":1,}",
      "{\"port\":\"1\"}",
      "{\"port\":1.5}",
      "{\"port\":1.0}",
      "{\"port\":-1}",
      "{\"port\":65536}",
      "{\"port\":true}",
      "{\"port\":[1]}",
      "{\"port\":{}}",
      "{\"host\":1}",
      "{\"host\":{\"x\":1}}",
      "{\"headers\":\"true\"}",
      "{\"headers\":1}",
      "{\"max_payload\":9223372036854775808}",
      "{\"max_payload\":1e400}",
      "{\"client_id\":-1}",
      "{\"connect_urls\":\"a\"}",
      "{\"connect_urls\":[1]}",
      "{\"connect_urls\":[[\"a\"]]}",
      "{\"connect_urls\":{}}",
      "{\"host\":\"\x01\"}",
      "{\"host\":\"\xff\"}",
      "{\"host\":\"\\ud800\"}",
      "{\"host\":\"\\x\"}",
      "{/**/}",
      "\xef\xbb\xbf{}",
      many,
      deep,
      R"({"x":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]})",
  };
  for (const std::string& json : rows) {
    const auto info = parse_info(json);
    ASSERT_FALSE(info) << json.substr(0, 100);
    EXPECT_EQ(info.error().code, Errc::wire_bad_info);
  }
}

TEST(Info, an_error_names_the_key_or_the_place_and_no_value) {
  EXPECT_EQ(parse_info(R"({"port":"s3cr3t"})").error().doing, "reading INFO: \"port\" has a wrong type");
  const std::string doing = parse_info(R"({"nonce":"s3cr3t",})").error().doing;
  EXPECT_EQ(doing.find("s3cr3t"), std::string::npos) << doing;
  EXPECT_NE(doing.find("at byte"), std::string::npos) << doing;
}

}  // namespace
}  // namespace hawser::wire
