#include "wire/connect.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace hawser::wire {
namespace {

TEST(Connect, has_nats_servers_defaults) {
  const auto options = parse_connect("{}");
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->verbose);
  EXPECT_TRUE(options->pedantic);
  EXPECT_TRUE(options->echo);
  EXPECT_FALSE(options->tls_required);
  EXPECT_FALSE(options->headers);
  EXPECT_FALSE(options->no_responders);
  EXPECT_EQ(options->protocol, 0);
  EXPECT_TRUE(options->pass.empty());
}

// As nats.go sends it, with every credential.
constexpr std::string_view kReal =
    R"({"verbose":false,"pedantic":false,"user":"u","pass":"p\"w","auth_token":"t","jwt":"eyJ.x.y","nkey":"UABC",)"
    R"("sig":"c2ln","tls_required":true,"name":"n","lang":"go","version":"1.31.0","protocol":1,"echo":false,)"
    R"("headers":true,"no_responders":true})";

void expect_real(const ConnectOptions& options) {
  EXPECT_FALSE(options.verbose);
  EXPECT_FALSE(options.pedantic);
  EXPECT_FALSE(options.echo);
  EXPECT_TRUE(options.tls_required);
  EXPECT_TRUE(options.headers);
  EXPECT_TRUE(options.no_responders);
  EXPECT_EQ(options.protocol, 1);
  EXPECT_EQ(options.name, "n");
  EXPECT_EQ(options.lang, "go");
  EXPECT_EQ(options.version, "1.31.0");
  EXPECT_EQ(options.user, "u");
  EXPECT_EQ(options.nkey, "UABC");
  EXPECT_EQ(options.pass.reveal(), "p\"w");
  EXPECT_EQ(options.auth_token.reveal(), "t");
  EXPECT_EQ(options.jwt.reveal(), "eyJ.x.y");
  EXPECT_EQ(options.sig.reveal(), "c2ln");
}

TEST(Connect, reads_every_field_and_writes_it_again) {
  const auto options = parse_connect(kReal);
  ASSERT_TRUE(options) << options.error().message();
  expect_real(*options);
  const auto again = parse_connect(to_json(*options).reveal());
  ASSERT_TRUE(again);
  expect_real(*again);
}

TEST(Connect, leaves_out_what_is_empty_and_writes_every_switch) {
  EXPECT_EQ(to_json(ConnectOptions{}).reveal(),
            R"({"verbose":true,"pedantic":true,"tls_required":false,"protocol":0,"echo":true,"headers":false,)"
            R"("no_responders":false})");
}

TEST(Connect, writes_long_secrets_on_one_line) {
  ConnectOptions options;
  options.jwt = Secret(std::string(100000, 'j'));
  options.pass = Secret("line\r\nbreak\x01");
  const Secret json = to_json(options);
  EXPECT_EQ(json.reveal().find_first_of("\r\n"), std::string_view::npos);
  const auto again = parse_connect(json.reveal());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->jwt.reveal(), options.jwt.reveal());
  EXPECT_EQ(again->pass.reveal(), options.pass.reveal());
}

TEST(Connect, reads_keys_as_gos_decoder_does) {
  EXPECT_FALSE(parse_connect(R"({"VERBOSE":false})")->verbose);
  EXPECT_EQ(parse_connect(R"({"user":"a","User":"b"})")->user, "b");
  EXPECT_EQ(parse_connect(R"({"User":"b","user":"a"})")->user, "a");
  EXPECT_TRUE(parse_connect(R"({"verbose":null})")->verbose);
  EXPECT_EQ(parse_connect(R"({"pass":"a\u0062c"})")->pass.reveal(), "abc");
  EXPECT_EQ(parse_connect(R"({"client_version":{"verbose":false},"lang":"x"})")->verbose, true);
}

TEST(Connect, a_second_one_keeps_what_it_does_not_name) {
  auto first = parse_connect(R"({"verbose":false,"name":"a","pass":"p"})");
  ASSERT_TRUE(first);
  const auto second = parse_connect(R"({"name":"b"})", std::move(*first));
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->verbose);
  EXPECT_EQ(second->name, "b");
  EXPECT_EQ(second->pass.reveal(), "p");
}

TEST(Connect, refuses_what_cannot_be_meant) {
  for (const std::string_view json :
       {"", "null", "[]", "{", "{}{}", "{\"verbose\":1}", "{\"verbose\":\"true\"}", "{\"protocol\":\"1\"}",
        "{\"protocol\":1.0}", "{\"protocol\":99999999999}", "{\"user\":1}", "{\"pass\":1234}", "{\"pass\":[\"a\"]}",
        "{\"jwt\":{}}", "{\"pass\":\"\xff\"}", "{\"pass\":\"a"}) {
    const auto options = parse_connect(json);
    ASSERT_FALSE(options) << json;
    EXPECT_EQ(options.error().code, Errc::wire_bad_connect);
  }
}

TEST(Connect, shows_no_secret_in_an_error) {
  for (const std::string_view json : {R"({"pass":"s3cr3t",})", R"({"pass":"s3cr3t","user":5})", R"({"pass":"s3cr3t)",
                                      R"({"pass":"s3cr\u0033t"x})", R"({"s3cr3t":"x"]})"}) {
    const auto options = parse_connect(json);
    ASSERT_FALSE(options);
    EXPECT_EQ(options.error().message().find("s3cr"), std::string::npos) << options.error().message();
  }
}

TEST(Connect, is_refused_with_nats_servers_words) {
  struct Row {
    std::string_view json;
    bool server_headers;
    std::string_view text;
  };
  const std::vector<Row> rows = {
      {"{}", true, ""},
      {R"({"protocol":1})", true, ""},
      {R"({"protocol":2})", true, "invalid client protocol"},
      {R"({"protocol":-1})", true, "invalid client protocol"},
      {R"({"no_responders":true,"headers":true})", true, ""},
      {R"({"no_responders":true,"headers":true})", false, "no responders requires headers support"},
      {R"({"no_responders":true})", true, "no responders requires headers support"},
      {R"({"account":"A"})", true, "Authorization Violation"},
      {R"({"new_account":true,"protocol":7})", true, "Authorization Violation"},
      {R"({"account":"","new_account":false})", true, ""},
  };
  for (const Row& row : rows) {
    const auto options = parse_connect(row.json);
    ASSERT_TRUE(options) << row.json;
    EXPECT_EQ(connect_refusal(*options, row.server_headers), row.text) << row.json;
  }
}

}  // namespace
}  // namespace hawser::wire
