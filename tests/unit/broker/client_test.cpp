// One client's connection: what it may say when, what it costs, and how it ends.
#include "broker/client.hpp"

#include "broker/turned_test.hpp"

namespace hawser::broker {
namespace {

using namespace test;

struct ClientTest : Turned {
  static Settings with_users() {
    Settings settings = two_threads();
    settings.authorization.users.push_back(plain_user("u"));
    return settings;
  }
};

TEST_F(ClientTest, every_operation_is_confirmed_to_the_verbose) {
  start();
  TurnedClient one = client(0, R"({"verbose":true})");
  say(one, "SUB a 1\r\nPUB a 1\r\nx\r\nUNSUB 1\r\nPING\r\n");
  EXPECT_EQ(heard(one), "+OK\r\n+OK\r\nMSG a 1 1\r\nx\r\n+OK\r\nPONG\r\n") << "confirmed before it is delivered";
}

TEST_F(ClientTest, subjects_of_the_pedantic_are_checked_when_they_publish) {
  start();
  TurnedClient strict = client(0, R"({"verbose":false,"pedantic":true})");
  TurnedClient lax = client(1);
  for (TurnedClient* one : {&strict, &lax}) {
    say(*one, "SUB > 1\r\nPUB a..b 1\r\nx\r\nPUB a.* 1\r\ny\r\nSUB a..b 2\r\n");
  }
  const std::string told = heard(strict);
  EXPECT_EQ(count(told, "-ERR 'Invalid Publish Subject'\r\n"), 2U);
  EXPECT_EQ(count(told, "MSG a.* 1 1\r\ny\r\n"), 2U) << "its own and the other's: it is a complaint, no refusal";
  const std::string read = heard(lax);
  EXPECT_EQ(count(read, "Publish Subject"), 0U);
  EXPECT_EQ(count(read, "-ERR 'Invalid Subject'\r\n"), 1U);
  EXPECT_EQ(count(read, "MSG a.* 1 1\r\ny\r\n"), 1U);
}

TEST_F(ClientTest, no_responders_are_told_on_the_subscription_that_listens_and_not_to_a_group) {
  start();
  TurnedClient one = client(0, kModern);
  say(one, "SUB r g 1\r\nPUB nobody r 0\r\n\r\nPING\r\n");
  EXPECT_EQ(heard(one), "PONG\r\n");
  say(one, "SUB *.x 2\r\nSUB r.x 3\r\nUNSUB 3 1\r\nUNSUB 2\r\nPUB nobody r.x 0\r\n\r\nPUB nobody r.x 0\r\n\r\n");
  EXPECT_EQ(heard(one), "HMSG r.x 3 16 16\r\nNATS/1.0 503\r\n\r\n\r\n") << "its last one";
}

TEST_F(ClientTest, nothing_but_connect_is_read_of_those_who_must_say_who_they_are) {
  start(with_users());
  for (const std::string_view first : {"P", "PUB a 1000000\r\n", "\r", "INFO {}\r\n", "GET / HTTP/1.1\r\n", "\x16"}) {
    TurnedClient one = broker->connect(0);
    one.send(first);
    EXPECT_TRUE(ends(one)) << first;
    EXPECT_TRUE(one.received().ends_with("-ERR 'Authorization Violation'\r\n")) << first << one.received();
  }
  EXPECT_EQ(broker->hub().counters.auth_failures.value(), 6U);
}

TEST_F(ClientTest, a_connect_is_a_control_line_and_has_its_limit) {
  start();
  const auto connect_of = [](std::size_t bytes) {
    const std::string begin = R"({"verbose":true,"name":")";
    return begin + std::string(bytes - begin.size() - 2, 'n') + "\"}";
  };
  TurnedClient fits = broker->connect(0);
  fits.send("CONNECT " + connect_of(4096) + "\r\n");
  EXPECT_TRUE(hears(fits, "+OK\r\n"));
  TurnedClient too_long = broker->connect(0);
  too_long.send("CONNECT " + connect_of(4097) + "\r\n");
  EXPECT_TRUE(ends(too_long));
  EXPECT_TRUE(too_long.received().ends_with("-ERR 'maximum control line exceeded'\r\n")) << too_long.received();
  TurnedClient without_end = broker->connect(0);
  without_end.send("CONNECT " + std::string(5000, ' '));
  EXPECT_TRUE(ends(without_end)) << "nor is it waited for";
}

TEST_F(ClientTest, answers_that_nobody_reads_are_not_piled_up) {
  start();
  TurnedClient flooder = client(0);
  const std::string pings = repeated("PING\r\n", 10'000);
  std::size_t sent = 0;
  for (int i = 0; i < 3000; ++i) {
    sent += flooder.send(pings);
    broker->turn();
    ASSERT_LT(inside(flooder, ids[0]).basic_facts().pending_bytes, 512UL << 10U);
  }
  EXPECT_TRUE(inside(flooder, ids[0]).held());
  EXPECT_LT(sent, 4UL << 20U) << "its input is not read either";
  flooder.send(std::string_view("PING\r\n").substr(sent % 6));
  std::size_t answered = 0;
  EXPECT_TRUE(broker->until([&] {
    flooder.receive();
    answered += flooder.take_received().size();
    return answered >= sent / 6 * 6;
  })) << "every one is answered once it reads";
  broker->turn(2);
  EXPECT_FALSE(inside(flooder, ids[0]).held());
}

TEST_F(ClientTest, one_who_reads_late_may_go_on_while_its_messages_are_unread) {
  Settings settings = two_threads();
  start(std::move(settings));
  TurnedClient reader = client(0);
  TurnedClient publisher = client(0);
  reader.send("SUB b 1\r\n");
  broker->turn(2);
  say(publisher, repeated("PUB b 60000\r\n" + std::string(60000, 'x') + "\r\n", 30));
  say(reader, "PING\r\nPUB other 0\r\n\r\nUNSUB 1\r\n");
  EXPECT_FALSE(inside(reader, ids[0]).held());
  EXPECT_EQ(broker->hub().accounts.at(kGlobalAccount).sublist.stats().count, 0U);
}

TEST_F(ClientTest, a_client_may_end_in_the_middle_of_its_own_delivery) {
  Settings settings = two_threads();
  settings.limits.max_pending = 20'000;
  settings.limits.max_payload = 16384;
  start(std::move(settings));
  for (const std::string_view json : {kQuiet, std::string_view(R"({"verbose":true})"), kModern}) {
    TurnedClient one = client(0, json);
    say(one, "SUB own 1\r\nSUB own 2\r\nSUB own g 3\r\n");
    const std::string flood = repeated("PUB own own 2000\r\n" + std::string(2000, 'x') + "\r\n", 60);
    for (int i = 0; i < 20; ++i) {
      one.send(flood);
      broker->turn();
    }
    EXPECT_TRUE(ends(one));
    EXPECT_EQ(last_reason(), CloseReason::slow_consumer_pending_bytes);
  }
  EXPECT_TRUE(broker->until([&] { return broker->hub().clients == 0; }));
  EXPECT_EQ(broker->hub().accounts.at(kGlobalAccount).connections, 0);
  EXPECT_EQ(broker->hub().accounts.at(kGlobalAccount).sublist.stats().count, 0U);
}

TEST_F(ClientTest, one_that_never_says_a_word_is_asked_whether_it_is_there) {
  Settings settings = two_threads();
  settings.limits.ping_interval = std::chrono::milliseconds(40);
  settings.limits.ping_max = 1;
  start(std::move(settings));
  TurnedClient silent = broker->connect(0);
  EXPECT_TRUE(ends(silent));
  EXPECT_TRUE(silent.received().ends_with("PING\r\n-ERR 'Stale Connection'\r\n")) << silent.received();
  EXPECT_EQ(last_reason(), CloseReason::stale_connection);
}

TEST_F(ClientTest, a_second_connect_leads_to_another_account_without_the_subscriptions) {
  Settings settings = two_threads();
  for (const char* name : {"A", "B"}) {
    Account account;
    account.name = name;
    account.max_connections = 1;
    account.max_subscriptions = 2;
    settings.accounts.push_back(std::move(account));
    settings.authorization.users.push_back(plain_user(name == std::string_view("A") ? "a" : "b", name));
  }
  start(std::move(settings));
  TurnedClient mover = client(0, as("a"));
  say(mover, "SUB s 1\r\nSUB s 2\r\nSUB s 3\r\n");
  EXPECT_EQ(heard(mover), "-ERR 'maximum subscriptions exceeded'\r\n");
  say(mover, "CONNECT " + as("b") + "\r\nPUB s 0\r\n\r\nPING\r\n");
  EXPECT_EQ(heard(mover), "PONG\r\n");
  const AccountState& a = broker->hub().accounts.at("A");
  const AccountState& b = broker->hub().accounts.at("B");
  EXPECT_EQ(a.connections, 0);
  EXPECT_EQ(a.subscriptions, 0);
  EXPECT_EQ(b.connections, 1);
  TurnedClient second = broker->connect(1);
  second.send("CONNECT " + as("b") + "\r\n");
  EXPECT_TRUE(ends(second));
  EXPECT_TRUE(second.received().ends_with("-ERR 'maximum account active connections exceeded'\r\n"));
  EXPECT_EQ(b.connections, 1);
  mover.close();
  EXPECT_TRUE(broker->until([&] { return b.connections == 0; }));
}

TEST_F(ClientTest, frames_may_be_cut_anywhere) {
  start();
  const std::string_view words =
      "CONNECT {\"verbose\":false,\"headers\":true}\r\nSUB a 1\r\nHPUB a r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPING\r\n";
  for (std::size_t cut = 1; cut < words.size(); ++cut) {
    TurnedClient one = broker->connect(cut % 2);
    one.send(words.substr(0, cut));
    broker->turn(3);
    one.send(words.substr(cut));
    ASSERT_TRUE(hears(one, "HMSG a 1 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPONG\r\n")) << cut;
  }
}

TEST_F(ClientTest, who_hangs_up_half_way_leaves_nothing_behind) {
  start();
  for (const std::string_view words : {"", "CONN", "SUB a 1\r\nPUB a 10\r\nabc", "SUB a 1\r\nSUB b", "PING\r\nPI"}) {
    TurnedClient one = broker->connect(0);
    broker->turn(2);
    one.send(words);
    broker->turn(2);
    one.receive();  // a close with unread bytes would be a reset
    one.close();
    EXPECT_TRUE(broker->until([&] { return broker->hub().clients == 0; })) << words;
    EXPECT_EQ(last_reason(), CloseReason::client_closed);
  }
  EXPECT_EQ(broker->hub().accounts.at(kGlobalAccount).sublist.stats().count, 0U);
}

TEST_F(ClientTest, a_hundred_thousand_subscriptions_are_forgotten_without_holding_up_anybody) {
  start();
  TurnedClient crowd = client(0, kModern);
  std::string subs;
  constexpr int kSubscriptions = 100'000;
  for (int i = 0; i < kSubscriptions; ++i) {
    subs += "SUB c." + std::to_string(i % 1000) + (i % 2 == 0 ? " q " : " ") + std::to_string(i) + "\r\n";
  }
  say(crowd, subs);
  const AccountState& account = broker->hub().accounts.at(kGlobalAccount);
  ASSERT_TRUE(broker->until([&] { return account.sublist.stats().count == kSubscriptions; }));
  TurnedClient good = client(0, kModern);
  good.send("SUB _R 1\r\n");
  crowd.close();
  ASSERT_TRUE(broker->until([&] { return account.connections == 1; }));
  EXPECT_GT(account.sublist.stats().count, 50'000U) << "it takes more than a turn";
  good.send("PUB c.1 _R 0\r\n\r\n");
  EXPECT_TRUE(hears(good, "NATS/1.0 503\r\n\r\n\r\n")) << "none of them takes a message";
  EXPECT_TRUE(broker->until([&] { return account.sublist.stats().count == 1; }));
  EXPECT_EQ(account.subscriptions, 1);
  good.close();
  EXPECT_TRUE(broker->until([&] { return account.subscriptions == 0; }));
}

TEST_F(ClientTest, closed_connections_are_remembered_as_configured_and_what_they_said_of_themselves_is_cut) {
  Settings settings = two_threads();
  settings.max_closed_clients = 3;
  start(std::move(settings));
  for (int i = 0; i < 5; ++i) {
    TurnedClient one = client(0, R"({"verbose":false,"name":")" + std::string(3000, 'n') + "\"}");
    one.close();
    EXPECT_TRUE(broker->until([&] { return broker->hub().clients == 0; }));
  }
  const auto closed = broker->hub().closed.list();
  ASSERT_EQ(closed.size(), 3U);
  EXPECT_EQ(closed.front().cid, 3U);
  EXPECT_EQ(closed.front().name.size(), ClosedConnections::kMostText);
}

}  // namespace
}  // namespace hawser::broker
