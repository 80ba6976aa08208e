#include "broker/service_request.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "broker/service_user_info.hpp"
#include "wire/headers.hpp"

namespace hawser::broker {
namespace {

using namespace std::chrono_literals;

ConnectionFacts client() {
  ConnectionFacts facts;
  facts.cid = 7;
  facts.ip = "10.0.0.9";
  facts.start = WallTime(1700000000s);
  facts.rtt = 250us;
  facts.name = "till \"4\"";
  facts.lang = "go";
  facts.version = "1.31.0";
  facts.authorized_user = "kate";
  facts.account = "A";
  return facts;
}

TEST(ServiceRequest, tells_account_and_round_trip_only) {
  const ConnectionFacts facts = client();
  EXPECT_EQ(request_info_json({.client = facts, .account = "A", .via = {}, .share = false, .server = {}}),
            R"({"acc":"A","rtt":250000})");
  EXPECT_EQ(request_info_json({.client = facts, .account = "A", .via = "B", .share = false, .server = "s1"}),
            R"({"acc":"A","svc":"B","rtt":250000,"server":"s1"})");
}

TEST(ServiceRequest, tells_all_where_the_import_shares) {
  const ConnectionFacts facts = client();
  EXPECT_EQ(
      request_info_json({.client = facts, .account = "A", .via = {}, .share = true, .server = "s1"}),
      R"({"start":"2023-11-14T22:13:20.000Z","host":"10.0.0.9","id":7,"acc":"A","user":"kate","name":"till \"4\"",)"
      R"("lang":"go","ver":"1.31.0","rtt":250000,"server":"s1","kind":"Client","client_type":"nats"})");
}

TEST(ServiceRequest, a_name_cannot_break_out_of_the_header) {
  ConnectionFacts facts = client();
  facts.name = "a\r\nForged: yes\r\n\r\n\x01";
  const std::string json = request_info_json({.client = facts, .account = "A", .via = {}, .share = true, .server = {}});
  EXPECT_EQ(json.find_first_of("\r\n\x01"), std::string::npos) << json;
}

TEST(ServiceRequest, puts_its_header_into_any_block) {
  struct Row {
    std::string headers;
    std::string expected;
  };
  const std::string own = "Nats-Request-Info: {}\r\n\r\n";
  const std::vector<Row> rows = {
      {"", "NATS/1.0\r\n" + own},
      {"NATS/1.0\r\n\r\n", "NATS/1.0\r\n" + own},
      {"NATS/1.0\r\nA: b\r\nC: d\r\n\r\n", "NATS/1.0\r\nA: b\r\nC: d\r\n" + own},
      {"NATS/1.0 503\r\n\r\n", "NATS/1.0 503\r\n" + own},
      {"NATS/1.0\r\nNats-Request-Info: forged\r\nA: b\r\n\r\n", "NATS/1.0\r\nA: b\r\n" + own},
      {"NATS/1.0\r\nA: b\r\nnats-request-INFO : forged\r\n\r\n", "NATS/1.0\r\nA: b\r\n" + own},
      {"NATS/1.0\r\nNats-Request-Info: x\r\n folded\r\n\tmore\r\nA: b\r\n c\r\n\r\n",
       "NATS/1.0\r\nA: b\r\n c\r\n" + own},
      {"NATS/1.0\r\nNats-Request-Info: 1\r\nNats-Request-Info: 2\r\n\r\n", "NATS/1.0\r\n" + own},
      {"NATS/1.0\r\nNats-Request-Information: stays\r\n\r\n", "NATS/1.0\r\nNats-Request-Information: stays\r\n" + own},
  };
  for (const Row& row : rows) {
    std::size_t header_bytes = 0;
    const std::string body = with_request_info(row.headers, "payload\r\n", "{}", header_bytes);
    EXPECT_EQ(body, row.expected + "payload\r\n") << row.headers;
    EXPECT_EQ(header_bytes, row.expected.size());
    EXPECT_TRUE(wire::looks_like_headers(body.substr(0, header_bytes)));
  }
}

TEST(UserInfo, tells_who_one_is_and_what_one_may) {
  Permissions permissions;
  permissions.publish.allow = {"foo", "bar.>"};
  permissions.publish.deny = {"bar.secret"};
  permissions.responses = ResponsePermission{.max = 3, .expires = 2s};
  UserInfo info{.server_name = "n",
                .server_id = "N1",
                .version = "2.10.29",
                .host = "h",
                .time = WallTime(1700000000s),
                .user = "kate",
                .account = "A",
                .permissions = nullptr};
  const std::string server =
      R"({"server":{"name":"n","host":"h","id":"N1","ver":"2.10.29","jetstream":false,"flags":0,"seq":0,)"
      R"("time":"2023-11-14T22:13:20.000Z"},)";
  EXPECT_EQ(user_info_json(info), server + R"("data":{"user":"kate","account":"A"}})");
  info.permissions = &permissions;
  EXPECT_EQ(user_info_json(info),
            server + R"("data":{"user":"kate","account":"A","permissions":{"publish":{"allow":["foo","bar.\u003e"],)"
                     R"("deny":["bar.secret"]},"subscribe":{},"responses":{"max":3,"ttl":2000000000}}}})");
}

}  // namespace
}  // namespace hawser::broker
