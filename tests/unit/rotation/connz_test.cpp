#include "rotation/connz.hpp"

#include <gtest/gtest.h>

namespace hawser::rotation {
namespace {

const std::string kLeaf(64, 'a');

TEST(RotationConnz, takes_what_nats_server_says) {
  const auto page = parse_connz(R"({"server_id":"N1","num_connections":2,"total":7,"offset":0,"limit":2,"connections":[
    {"cid":5,"ip":"127.0.0.1","port":40000,"start":"2026-11-29T11:24:00Z","name":"a1","lang":"go","authorized_user":"u",
     "tls_peer_certs":[{"subject":"CN=a1","spki_sha256":"x","cert_sha256":")" +
                                kLeaf + R"("},{"subject":"CN=ca","cert_sha256":"y"}]},
    {"cid":6,"ip":"::1","port":1,"start":"s"}]})");
  ASSERT_TRUE(page.has_value()) << page.error().doing;
  EXPECT_EQ(page->total, 7U);
  ASSERT_EQ(page->connections.size(), 2U);
  const SeenConnection& one = page->connections[0];
  EXPECT_EQ(one.cid, 5U);
  EXPECT_EQ(one.address, "127.0.0.1:40000");
  EXPECT_EQ(one.certificate, kLeaf);
  EXPECT_EQ(one.subject, "CN=a1");
  EXPECT_TRUE(one.user.is("u"));
  EXPECT_TRUE(one.admitted);
  EXPECT_EQ(page->connections[1].address, "[::1]:1");
  EXPECT_EQ(page->connections[1].certificate, "");
  EXPECT_FALSE(page->connections[1].admitted);
  EXPECT_TRUE(parse_connz(R"({"num_connections":0,"total":0,"connections":null})")->connections.empty());
}

TEST(RotationConnz, refuses_what_is_not_that) {
  for (const std::string_view text :
       {"", "[]", "{", "{}", R"({"num_connections":1})", R"({"num_connections":1,"total":1,"connections":{}})",
        R"({"num_connections":1,"total":1,"connections":[7]})",
        R"({"num_connections":1,"total":1,"connections":[{"tls_peer_certs":[]}]})",
        R"({"num_connections":1,"total":1,"connections":[{"tls_peer_certs":[{"cert_sha256":"AB"}]}]})"}) {
    const auto page = parse_connz(text);
    ASSERT_FALSE(page.has_value()) << text;
    EXPECT_EQ(page.error().code, Errc::rotation_monitor_silent);
  }
}

TEST(RotationConnz, shows_nothing_of_a_client_that_could_move_a_cursor) {
  const auto page = parse_connz("{\"num_connections\":1,\"total\":1,\"connections\":[{\"name\":\"a\\u001b[2Jb\\n\"}]}");
  EXPECT_EQ(page->connections.at(0).name, "a?[2Jb?");
}

TEST(RotationConnz, shows_a_user_when_nothing_else_it_can_be) {
  constexpr std::string_view kKey = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
  const auto shown = [](const std::string& row) {
    const auto page = parse_connz(R"({"num_connections":1,"total":1,"connections":[{)" + row + "}]}");
    return page ? page->connections.at(0).user.shown({"named"}) : page.error().doing;
  };
  constexpr std::string_view kHidden = "hidden, as it may be a token";
  EXPECT_EQ(shown(R"("authorized_user":"s3cr3t")"), kHidden);
  EXPECT_EQ(shown(R"("authorized_user":"s3cr3t","account":"$G")"), kHidden);
  EXPECT_EQ(shown(R"("authorized_user":"kate","account":"A")"), "kate");
  EXPECT_EQ(shown(R"("authorized_user":"kate","issuer_key":"A1")"), "kate");
  EXPECT_EQ(shown(R"("authorized_user":"named")"), "named");
  EXPECT_EQ(shown(R"("authorized_user":"[REDACTED]")"), "a token");
  EXPECT_EQ(shown(R"("authorized_user":")" + std::string(kKey) + "\""), kKey);
  EXPECT_EQ(shown(R"("cid":1)"), "");
}

TEST(RotationConnz, adds_up_a_metric_over_its_labels) {
  constexpr std::string_view kText =
      "# HELP x_total about\n# TYPE x_total counter\nx_total{a=\"1\"} 2\nx_total{a=\"} 9\"} 3.5 "
      "1700000000\nx_total_more 7\nx_total 1e1\n";
  EXPECT_EQ(*sum_of_metric(kText, "x_total"), 15.5);
  EXPECT_EQ(*sum_of_metric(kText, "none"), 0);
  EXPECT_FALSE(sum_of_metric("x{a 2\n", "x").has_value());
  EXPECT_FALSE(sum_of_metric("x NaN\n", "x").has_value());
}

}  // namespace
}  // namespace hawser::rotation
