#include "agent/greeting.hpp"

#include <gtest/gtest.h>

namespace hawser::agent {
namespace {

wire::ServerInfo upstream() {
  wire::ServerInfo info;
  info.server_id = "NUPSTREAM";
  info.server_name = "nats-1";
  info.version = "2.9.10";
  info.host = "10.0.0.1";
  info.port = 4222;
  info.client_ip = "10.0.0.9";
  info.client_id = 77;
  info.nonce = "secret-nonce";
  info.cluster = "c1";
  info.xkey = "X";
  info.connect_urls = {"10.0.0.2:4222"};
  info.headers = true;
  info.jetstream = true;
  info.domain = "hub";
  info.auth_required = true;
  info.tls_required = true;
  info.tls_verify = true;
  info.tls_available = true;
  info.ldm = true;
  info.max_payload = 1000;
  return info;
}

TEST(Greeting, says_of_the_server_what_clients_need_and_nothing_that_leads_around_the_agent) {
  const auto info = greeting(upstream(), {.agent_id = "NAGENT",
                                          .client_id = 5,
                                          .client_ip = "127.0.0.1",
                                          .host = "127.0.0.1",
                                          .port = 4333,
                                          .max_payload = 0});
  EXPECT_EQ(info.server_id, "NAGENT");
  EXPECT_EQ(info.server_name, "hawser/nats-1");
  EXPECT_EQ(info.version, "2.9.10");
  EXPECT_EQ(info.host, "127.0.0.1");
  EXPECT_EQ(info.port, 4333);
  EXPECT_EQ(info.client_id, 5U);
  EXPECT_EQ(info.client_ip, "127.0.0.1");
  EXPECT_EQ(info.proto, 1);
  EXPECT_TRUE(info.headers);
  EXPECT_TRUE(info.jetstream);
  EXPECT_EQ(info.domain, "hub");
  EXPECT_EQ(info.max_payload, 1000);
  EXPECT_TRUE(info.nonce.empty());
  EXPECT_TRUE(info.connect_urls.empty());
  EXPECT_TRUE(info.cluster.empty());
  EXPECT_TRUE(info.xkey.empty());
  EXPECT_FALSE(info.auth_required);
  EXPECT_FALSE(info.tls_required);
  EXPECT_FALSE(info.tls_available);
  EXPECT_FALSE(info.tls_verify);
  EXPECT_FALSE(info.ldm);
}

TEST(Greeting, max_payload_is_the_smaller_of_the_two_that_are_set) {
  struct Row {
    std::int64_t configured;
    std::int64_t server;
    std::int64_t said;
  };
  for (const Row& row : {Row{0, 1000, 1000}, Row{500, 1000, 500}, Row{2000, 1000, 1000}, Row{1000, 1000, 1000}}) {
    auto info = upstream();
    info.max_payload = row.server;
    EXPECT_EQ(greeting(info, {.agent_id = {}, .client_id = 0, .client_ip = {}, .host = {}, .port = 0, .max_payload = row.configured})
                  .max_payload,
              row.said);
  }
}

TEST(Greeting, can_be_said_before_any_server_was_heard) {
  wire::ServerInfo nothing;
  nothing.headers = true;
  const auto info = greeting(nothing, {.agent_id = "A", .client_id = 1, .client_ip = {}, .host = {}, .port = 1, .max_payload = 0});
  EXPECT_EQ(info.server_name, "hawser");
  EXPECT_FALSE(info.version.empty());
  EXPECT_EQ(info.max_payload, wire::kDefaultMaxPayload);
}

}  // namespace
}  // namespace hawser::agent
