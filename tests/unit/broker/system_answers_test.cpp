#include "broker/system_answers.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "broker/monitor_source.hpp"

namespace hawser::broker {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using test::account;
using test::connection;

class SystemAnswersTest : public testing::Test {
 protected:
  SystemAnswersTest() {
    source_.server_now.id = "NSELF";
    source_.server_now.name = "north-1";
    source_.server_now.host = "0.0.0.0";
    source_.server_now.version = "2.10.29-x";
    source_.accounts_now = {account("$G", 0), account("A", 1, 2), account("B", 0), account("$SYS", 1)};
    ConnectionFacts in_a = connection(1);
    in_a.account = "A";
    in_a.authorized_user = "kate";
    source_.open = {in_a, connection(2)};
    source_.all_subscriptions = {test::subscription("A", "a", 1), test::subscription("$G", "g", 2)};
  }

  std::optional<json::value> ask(std::string subject, std::string payload = {}, std::string asking = {}) {
    const auto text = answers_.answer({std::move(subject), std::move(payload), std::move(asking)});
    return text ? std::optional(json::parse(*text)) : std::nullopt;
  }
  json::value data(std::string subject, std::string payload = {}, std::string asking = {}) {
    const auto answer = ask(subject, std::move(payload), std::move(asking));
    if (!answer || !answer->as_object().contains("data")) {
      ADD_FAILURE() << subject << ": " << (answer ? json::serialize(*answer) : "silence");
      return json::object();
    }
    return answer->at("data");
  }

  test::MadeUpSource source_;
  MonitorViews views_{source_};
  SystemAnswers answers_{views_};
};

TEST_F(SystemAnswersTest, answers_every_name_to_all_and_to_its_own_id) {
  struct Case {
    std::string name, member;
  };
  for (const Case& c : {Case{"VARZ", "max_payload"}, Case{"CONNZ", "connections"}, Case{"SUBSZ", "num_subscriptions"},
                        Case{"ACCOUNTZ", "accounts"}, Case{"HEALTHZ", "status"}, Case{"ROUTEZ", "routes"},
                        Case{"GATEWAYZ", "inbound_gateways"}, Case{"LEAFZ", "leafs"}}) {
    EXPECT_TRUE(data("$SYS.REQ.SERVER.PING." + c.name).as_object().contains(c.member)) << c.name;
    EXPECT_TRUE(data("$SYS.REQ.SERVER.NSELF." + c.name).as_object().contains(c.member)) << c.name;
  }
  for (const std::string subject :
       {"$SYS.REQ.SERVER.PING", "$SYS.REQ.SERVER.PING.STATSZ", "$SYS.REQ.SERVER.NSELF.STATSZ"}) {
    const auto answer = ask(subject);
    ASSERT_TRUE(answer) << subject;
    EXPECT_EQ(answer->at("statsz").at("active_accounts").to_number<int>(), 2);
    EXPECT_EQ(answer->at("server").at("id").as_string(), "NSELF");
  }
}

TEST_F(SystemAnswersTest, says_who_it_is_and_counts_what_it_says) {
  const json::value first = ask("$SYS.REQ.SERVER.PING.VARZ")->at("server");
  const json::value second = ask("$SYS.REQ.SERVER.PING.VARZ")->at("server");
  EXPECT_EQ(first.at("name").as_string(), "north-1");
  EXPECT_EQ(first.at("ver").as_string(), "2.10.29-x");
  EXPECT_FALSE(first.at("jetstream").as_bool());
  EXPECT_EQ(first.at("seq").to_number<int>() + 1, second.at("seq").to_number<int>());
}

TEST_F(SystemAnswersTest, is_silent_when_another_server_is_meant) {
  for (const char* subject : {"$SYS.REQ.SERVER.NOTHER.VARZ", "$SYS.REQ.SERVER.PING.NOTHING", "$SYS.REQ.SERVER.PING.A.B",
                              "$SYS.REQ.SERVER", "$SYS.REQ.ACCOUNT.A", "$SYS.REQ.ACCOUNT.A.B.CONNZ", "other"}) {
    EXPECT_FALSE(ask(subject)) << subject;
  }
  for (const char* filter : {R"({"server_name":"south"})", R"({"host":"10.0.0.1"})", R"({"cluster":"c"})",
                             R"({"tags":["t"]})", R"({"domain":"d"})"}) {
    EXPECT_FALSE(ask("$SYS.REQ.SERVER.PING.VARZ", filter)) << filter;
    EXPECT_FALSE(ask("$SYS.REQ.SERVER.PING", filter)) << filter;
    EXPECT_FALSE(ask("$SYS.REQ.ACCOUNT.A.CONNZ", filter)) << filter;
  }
  EXPECT_TRUE(ask("$SYS.REQ.SERVER.PING.VARZ", R"({"server_name":"north","tags":[],"cluster":null})"));
}

TEST_F(SystemAnswersTest, takes_the_options_of_a_request) {
  const auto connections = [this](std::string payload) {
    return data("$SYS.REQ.SERVER.PING.CONNZ", std::move(payload)).at("connections").as_array();
  };
  EXPECT_EQ(connections("").size(), 2U);
  EXPECT_EQ(connections(R"({"limit":1})").size(), 1U);
  EXPECT_EQ(connections(R"({"offset":1,"sort":"cid"})").at(0).at("cid").to_number<int>(), 2);
  EXPECT_EQ(connections(R"({"acc":"A","auth":true})").at(0).at("authorized_user").as_string(), "kate");
  EXPECT_EQ(connections(R"({"state":1})").size(), 0U);
  EXPECT_EQ(connections(R"({"cid":2})").at(0).at("cid").to_number<int>(), 2);
  EXPECT_EQ(data("$SYS.REQ.SERVER.PING.SUBSZ", R"({"subscriptions":true,"account":"A"})")
                .at("subscriptions_list")
                .as_array()
                .size(),
            1U);
  EXPECT_EQ(
      data("$SYS.REQ.SERVER.PING.ACCOUNTZ", R"({"account":"A"})").at("account_detail").at("account_name").as_string(),
      "A");
}

TEST_F(SystemAnswersTest, answers_a_wrong_request_with_an_error) {
  struct Case {
    std::string subject, payload;
    int code;
    std::string_view part;
  };
  for (const Case& c :
       {Case{"$SYS.REQ.SERVER.PING.VARZ", "{", 400, "not JSON"}, Case{"$SYS.REQ.SERVER.PING.VARZ", "[]", 400, "object"},
        Case{"$SYS.REQ.SERVER.PING.VARZ", R"({"server_name":1})", 400, "server_name"},
        Case{"$SYS.REQ.SERVER.PING.CONNZ", R"({"limit":"x"})", 500, "limit"},
        Case{"$SYS.REQ.SERVER.PING.CONNZ", R"({"sort":"bogus"})", 500, "invalid sorting option: bogus"},
        Case{"$SYS.REQ.SERVER.PING.CONNZ", R"({"sort":"stop"})", 500, "sort by stop"},
        Case{"$SYS.REQ.SERVER.PING.SUBSZ", R"({"test":"a.*"})", 500, "invalid test subject"},
        Case{"$SYS.REQ.SERVER.PING.ACCOUNTZ", R"({"account":"NO"})", 500, "Account NO does not exist"},
        Case{"$SYS.REQ.ACCOUNT.NO.INFO", "", 500, "Account NO does not exist"},
        Case{"$SYS.REQ.ACCOUNT.A.STATZ", R"({"accounts":[1]})", 400, "accounts"},
        Case{"$SYS.REQ.SERVER.PING.VARZ", std::string(60'000, '['), 400, "not JSON"}}) {
    const auto answer = ask(c.subject, c.payload);
    ASSERT_TRUE(answer) << c.payload;
    EXPECT_EQ(answer->at("error").at("code").to_number<int>(), c.code) << c.payload;
    EXPECT_NE(std::string(answer->at("error").at("description").as_string()).find(c.part), std::string::npos)
        << json::serialize(*answer);
  }
}

TEST_F(SystemAnswersTest, kicks_a_client_when_it_is_asked_itself) {
  std::vector<std::uint64_t> kicked;
  SystemAnswers answers(views_, [&kicked](std::uint64_t cid) {
    kicked.push_back(cid);
    return cid == 7;
  });
  const auto said = [&answers](std::string subject, std::string payload) {
    return answers.answer({std::move(subject), std::move(payload), {}}).value_or("silence");
  };
  EXPECT_EQ(said("$SYS.REQ.SERVER.NSELF.KICK", R"({"cid":7})").find("error"), std::string::npos);
  EXPECT_NE(said("$SYS.REQ.SERVER.NSELF.KICK", R"({"cid":8})").find("no such client or leafnode id"),
            std::string::npos);
  EXPECT_EQ(kicked, (std::vector<std::uint64_t>{7, 8}));
  EXPECT_NE(said("$SYS.REQ.SERVER.NSELF.KICK", R"({"cid":"7"})").find("400"), std::string::npos);
  EXPECT_EQ(said("$SYS.REQ.SERVER.PING.KICK", R"({"cid":7})"), "silence");
  EXPECT_EQ(said("$SYS.REQ.SERVER.NOTHER.KICK", R"({"cid":7})"), "silence");
  EXPECT_EQ(kicked.size(), 2U);
}

TEST_F(SystemAnswersTest, keeps_an_account_to_its_own_affairs) {
  const json::value own = data("$SYS.REQ.ACCOUNT.PING.CONNZ", R"({"auth":true,"acc":"$G"})", "A");
  ASSERT_EQ(own.at("connections").as_array().size(), 1U);
  EXPECT_EQ(own.at("connections").at(0).at("account").as_string(), "A");
  EXPECT_EQ(data("$SYS.REQ.SERVER.PING.CONNZ", "", "B").at("connections").as_array().size(), 0U);
  const json::value statz = data("$SYS.REQ.ACCOUNT.PING.STATZ", R"({"accounts":["$SYS"]})", "A").at("account_statz");
  ASSERT_EQ(statz.as_array().size(), 1U);
  EXPECT_EQ(statz.at(0).at("acc").as_string(), "A");
  EXPECT_FALSE(ask("$SYS.REQ.ACCOUNT.PING.STATZ", "", "B")) << "an unused account";
  EXPECT_TRUE(ask("$SYS.REQ.ACCOUNT.PING.STATZ", R"({"include_unused":true})", "B"));
}

TEST_F(SystemAnswersTest, tells_the_system_account_about_any_account) {
  EXPECT_EQ(data("$SYS.REQ.ACCOUNT.A.CONNZ").at("connections").as_array().size(), 1U);
  EXPECT_EQ(data("$SYS.REQ.ACCOUNT.A.SUBSZ").at("subscriptions_list").as_array().size(), 1U);
  EXPECT_EQ(data("$SYS.REQ.ACCOUNT.A.INFO").at("account_name").as_string(), "A");
  EXPECT_EQ(data("$SYS.REQ.ACCOUNT.A.STATZ").at("account_statz").at(0).at("acc").as_string(), "A");
  EXPECT_EQ(data("$SYS.REQ.ACCOUNT.PING.STATZ").at("account_statz").as_array().size(), 2U) << "those in use";
}

TEST_F(SystemAnswersTest, tells_of_clients_that_come_and_go) {
  ConnectionFacts client = connection(7);
  client.account = "A";
  client.authorized_user = "kate";
  client.name = "a \"name\"";
  const json::value came = json::parse(answers_.connected(client));
  EXPECT_EQ(came.at("type").as_string(), "io.nats.server.advisory.v1.client_connect");
  EXPECT_EQ(came.at("id").as_string().size(), 22U);
  EXPECT_EQ(came.at("client").at("name").as_string(), "a \"name\"");
  EXPECT_FALSE(came.as_object().contains("reason"));
  client.stop = wall_now();
  client.reason = CloseReason::stale_connection;
  client.rtt = 3ms;
  client.traffic = {1, 2, 3, 4};
  const json::value went = json::parse(answers_.disconnected(client));
  EXPECT_EQ(went.at("type").as_string(), "io.nats.server.advisory.v1.client_disconnect");
  EXPECT_EQ(went.at("reason").as_string(), "Stale Connection");
  EXPECT_EQ(json::serialize(went.at("sent")), R"({"msgs":1,"bytes":2})");
  EXPECT_EQ(json::serialize(went.at("received")), R"({"msgs":3,"bytes":4})");
  EXPECT_EQ(went.at("client").at("rtt").to_number<int>(), 3'000'000);
  EXPECT_NE(went.at("id"), came.at("id"));
}

}  // namespace
}  // namespace hawser::broker
