#include "posture/server_url.hpp"

#include <gtest/gtest.h>

namespace hawser::posture {
namespace {

TEST(ServerUrl, reads_every_form_that_nats_users_write) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"tls://nats.example.com:4222", "tls://nats.example.com:4222"},
      {"nats://nats", "nats://nats:4222"},
      {"nats", "nats://nats:4222"},
      {"localhost:4223", "nats://localhost:4223"},
      {"127.0.0.1", "nats://127.0.0.1:4222"},
      {"TLS://Nats/", "tls://Nats:4222"},
      {"tls://nats:", "tls://nats:4222"},
      {"tls://[::1]", "tls://[::1]:4222"},
      {"tls://[2001:db8::1]:5222", "tls://[2001:db8::1]:5222"},
      {"[::1]:4222", "nats://[::1]:4222"},
      {"tls://nats_server-0.nats:4222", "tls://nats_server-0.nats:4222"},
      {"wss://nats/socket", "wss://nats:443/socket"},
      {"ws://nats", "ws://nats:80"},
      {"tls://kate:secret@nats", "tls://nats:4222"},
      {"token@nats:1", "nats://nats:1"},
  };
  for (const auto& [text, printable] : rows) {
    const auto url = parse_server_url(text);
    ASSERT_TRUE(url) << text << ": " << url.error().message();
    EXPECT_EQ(url->printable(), printable) << text;
  }
}

TEST(ServerUrl, decodes_the_credentials_and_keeps_them_apart) {
  const auto user = parse_server_url("tls://kate:p%40ss%2Fw%3Ard@nats").value();
  EXPECT_TRUE(user.has_userinfo);
  EXPECT_EQ(user.user.reveal(), "kate");
  EXPECT_EQ(user.password.reveal(), "p@ss/w:rd");
  const auto token = parse_server_url("tls://s3cret@nats").value();
  EXPECT_EQ(token.user.reveal(), "s3cret");
  EXPECT_TRUE(token.password.empty());
  EXPECT_FALSE(parse_server_url("tls://@nats")->has_userinfo);
  EXPECT_FALSE(parse_server_url("tls://nats")->has_userinfo);
  EXPECT_EQ(user.copy().password.reveal(), "p@ss/w:rd");
}

TEST(ServerUrl, gives_an_ipv6_host_without_its_brackets) {
  const auto url = parse_server_url("tls://[::1]").value();
  EXPECT_EQ(url.host, "::1");
  EXPECT_TRUE(url.host_is_ipv6);
  EXPECT_FALSE(parse_server_url("tls://127.0.0.1")->host_is_ipv6);
}

TEST(ServerUrl, refuses_the_rest_without_showing_it) {
  const std::string rows[] = {"",
                              "tls://",
                              "tls://:4222",
                              "://nats",
                              "http://nats",
                              "tls:nats",
                              "tls//nats",
                              "tls://nats:0",
                              "tls://nats:65536",
                              "tls://nats:99999999999999999999",
                              "tls://nats:-1",
                              "tls://nats:port",
                              "tls://kate:hunter2@@nats",
                              "tls://kate:hun#ter2@nats",
                              "tls://kate:hun/ter2@nats",
                              "tls://kate:hunter2@",
                              "wss://kate:x@hunter2@nats",
                              "tls://kate:x@hunter2@nats",
                              "tls://nats/hunter2",
                              "tls://nats?password=hunter2",
                              "tls://nats#hunter2",
                              "tls://na ts",
                              "tls://na%00ts",
                              "tls://na%2Fts",
                              "tls://nats\n",
                              "tls://::1",
                              "::1",
                              "tls://[::1",
                              "tls://[fe80::1%25eth0]",
                              "tls://[v1.hunter2]",
                              "tls://" + std::string(254, 'a'),
                              "tls://" + std::string(5000, 'a') + ":hunter2@nats"};
  for (const std::string& text : rows) {
    const auto url = parse_server_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, Errc::url_malformed);
    EXPECT_EQ(url.error().message().find("hunter2"), std::string::npos) << text;
  }
}

TEST(ServerUrl, splits_a_list_at_commas_and_trims_it) {
  EXPECT_EQ(split_server_list(" a, b ,,c,"), (std::vector<std::string_view>{"a", "b", "c"}));
  EXPECT_TRUE(split_server_list(" , ,").empty());
  EXPECT_TRUE(split_server_list("").empty());
}

}  // namespace
}  // namespace hawser::posture
