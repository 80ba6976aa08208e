// Clients that come with JWTs, from CONNECT to the moment when their accounts change.
#include <gtest/gtest.h>

#include "broker/operator_world.hpp"
#include "broker/turned_test.hpp"

namespace hawser::broker {
namespace {

using namespace test;

std::chrono::sys_seconds today() { return std::chrono::floor<std::chrono::seconds>(wall_now()); }

struct ClientOperator : Turned {
  static Settings with(const identity::AccountClaims& claims) {
    Settings settings = two_threads();
    settings.operator_mode = trusting();
    settings.operator_mode->preload.push_back({claims.subject, signed_by(operator_key(), claims, today()), ""});
    return settings;
  }

  // What it hears after its CONNECT, up to the PONG or the end.
  TurnedClient come(const identity::UserClaims& claims, std::size_t worker = 0, std::string_view more = "") {
    TurnedClient one = broker->connect(worker);
    broker->turn(2);
    one.receive();
    const std::string info = one.take_received();
    constexpr std::string_view kNonce = "\"nonce\":\"";
    const std::size_t at = info.find(kNonce);
    EXPECT_NE(at, std::string::npos) << info;
    const std::string nonce = info.substr(at + kNonce.size(), 15);
    one.send(R"(CONNECT {"verbose":false,"pedantic":false,"protocol":1,"jwt":")" +
             signed_by(account_key('a'), claims, today()) + R"(","sig":")" + *user_key('k').sign_nonce(nonce) +
             "\"}\r\n" + std::string(more) + "PING\r\n");
    return one;
  }
};

TEST_F(ClientOperator, is_let_in_with_its_limits_and_told_of_them) {
  start(with(account('a')));
  identity::UserClaims claims = user('k');
  claims.payload = 10;
  claims.subscriptions = 1;
  TurnedClient one = come(claims);
  ASSERT_TRUE(hears(one, "PONG\r\n"));
  EXPECT_NE(one.take_received().find("\"max_payload\":10,"), std::string::npos);
  say(one, "SUB a 1\r\nSUB b 2\r\nPING\r\n");
  ASSERT_TRUE(hears(one, "PONG\r\n"));
  EXPECT_EQ(one.take_received(), "-ERR 'maximum subscriptions exceeded'\r\nPONG\r\n");
  say(one, "PUB a 11\r\n12345678901\r\n");
  ASSERT_TRUE(ends(one));
  EXPECT_EQ(one.received(), "-ERR 'Maximum Payload Violation'\r\n");
}

TEST_F(ClientOperator, that_may_have_no_subscription_at_all_is_let_go) {
  start(with(account('a')));
  identity::UserClaims claims = user('k');
  claims.subscriptions = 0;
  TurnedClient one = come(claims);
  ASSERT_TRUE(ends(one));
  EXPECT_EQ(last_reason(), CloseReason::max_subscriptions_exceeded);
}

TEST_F(ClientOperator, of_either_thread_is_turned_out_when_its_account_revokes_it) {
  identity::AccountClaims app = account('a');
  start(with(app));
  TurnedClient one = come(user('k'), 0);
  TurnedClient two = come(user('k'), 1);
  ASSERT_TRUE(hears(one, "PONG\r\n"));
  ASSERT_TRUE(hears(two, "PONG\r\n"));
  app.revocations["*"] = today() + 1s;
  ASSERT_TRUE(broker->reload(with(app)));
  for (TurnedClient* client : {&one, &two}) {
    ASSERT_TRUE(ends(*client));
    EXPECT_TRUE(client->received().ends_with("-ERR 'User Authentication Revoked'\r\n")) << client->received();
  }
  EXPECT_EQ(last_reason(), CloseReason::credentials_revoked);
}

TEST_F(ClientOperator, loses_what_its_account_does_not_allow_any_more_and_stays) {
  identity::AccountClaims app = account('a');
  start(with(app));
  TurnedClient one = come(user('k'), 0, "SUB a 1\r\nSUB b 2\r\n");
  ASSERT_TRUE(hears(one, "PONG\r\n"));
  std::ignore = one.take_received();
  app.default_permissions.subscribe.allow = {"a"};
  ASSERT_TRUE(broker->reload(with(app)));
  ASSERT_TRUE(hears(one, "-ERR 'Permissions Violation for Subscription to \"b\" (sid \"2\")'\r\n"));
  std::ignore = one.take_received();
  say(one, "PUB b 1\r\nx\r\nPUB a 1\r\nx\r\n");
  ASSERT_TRUE(hears(one, "MSG a 1 1\r\nx\r\n"));
  EXPECT_EQ(one.received().find("MSG b"), std::string::npos);
}

TEST_F(ClientOperator, without_a_jwt_hears_no_more_than_that_it_may_not) {
  start(with(account('a')));
  TurnedClient one = broker->connect();
  one.send("CONNECT {\"user\":\"a\",\"pass\":\"b\"}\r\n");
  ASSERT_TRUE(ends(one));
  EXPECT_TRUE(one.received().ends_with("-ERR 'Authorization Violation'\r\n"));
  EXPECT_EQ(last_reason(), CloseReason::authentication_failure);
}

}  // namespace
}  // namespace hawser::broker
