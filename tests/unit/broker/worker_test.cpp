// Messages between clients of two threads, turned by hand.
#include "broker/worker.hpp"

#include "broker/turned_test.hpp"

namespace hawser::broker {
namespace {

using namespace test;

struct WorkerTest : Turned {};

TEST_F(WorkerTest, keeps_a_publishers_order_across_threads) {
  start();
  TurnedClient near = client(0);
  TurnedClient far = client(1);
  TurnedClient publisher = client(0);
  near.send("SUB s.> 1\r\n");
  far.send("SUB s.> 1\r\n");
  broker->turn(2);
  std::string sent;
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    const std::string subject = "s." + std::to_string(i % 7);
    const std::string payload = std::to_string(i);
    sent += "PUB " + subject + " " + std::to_string(payload.size()) + "\r\n" + payload + "\r\n";
    expected += "MSG " + subject + " 1 " + std::to_string(payload.size()) + "\r\n" + payload + "\r\n";
  }
  say(publisher, sent);
  for (TurnedClient* one : {&near, &far}) {
    EXPECT_TRUE(broker->until([&] {
      one->receive();
      return one->received().size() >= expected.size();
    }));
    EXPECT_TRUE(one->received() == expected);
  }
}

TEST_F(WorkerTest, a_member_that_leaves_while_a_message_is_on_its_way_is_replaced) {
  start();
  TurnedClient publisher = client(0);
  TurnedClient same_thread = client(1);
  TurnedClient other_thread = client(0);
  same_thread.send("SUB q g 1\r\n");
  other_thread.send("SUB q g 1\r\n");
  broker->turn(2);
  constexpr int kRounds = 60;
  for (int i = 0; i < kRounds; ++i) {
    TurnedClient leaver = client(1);
    leaver.send("SUB q g 1\r\n");
    broker->turn(2);
    publisher.send("PUB q 1\r\nx\r\n");
    broker->worker(0).reactor().turn(Duration::zero());  // it may be on its way to the leaver now
    i % 2 == 0 ? leaver.close() : static_cast<void>(leaver.send("UNSUB 1\r\n"));
    broker->turn(4);
    leaver.receive();
    EXPECT_EQ(leaver.received(), "");
    leaver.close();
    broker->turn(2);
  }
  EXPECT_EQ(count(heard(same_thread) + heard(other_thread), "MSG q 1 1\r\nx\r\n"), static_cast<std::size_t>(kRounds));
}

TEST_F(WorkerTest, a_message_that_no_member_takes_does_not_go_round_for_ever) {
  Settings settings = two_threads();
  settings.threads = 3;
  const Permissions deaf_to_one{.publish = {}, .subscribe = {.allow = {}, .deny = {"q.denied"}}, .responses = {}};
  settings.authorization.users.push_back(plain_user("all"));
  settings.authorization.users.push_back(plain_user("some", {}, deaf_to_one));
  start(std::move(settings));
  TurnedClient publisher = client(0, as("all"));
  std::vector<TurnedClient> members;
  for (const std::size_t worker : {0U, 1U, 1U, 2U}) {
    members.push_back(client(worker, as("some")));
    members.back().send("SUB q.* g 1\r\n");
  }
  broker->turn(2);
  say(publisher, repeated("PUB q.denied 1\r\nx\r\n", 50));
  broker->turn(6);
  for (const std::size_t worker : {0U, 1U, 2U}) {
    EXPECT_EQ(broker->worker(worker).inbound_bytes(), 0U);
  }
  for (TurnedClient& member : members) {
    EXPECT_EQ(heard(member), "");
  }
}

TEST_F(WorkerTest, the_one_member_that_takes_a_message_gets_it_wherever_it_is) {
  Settings settings = two_threads();
  settings.threads = 3;
  const Permissions deaf_to_one{.publish = {}, .subscribe = {.allow = {}, .deny = {"q.denied"}}, .responses = {}};
  settings.authorization.users.push_back(plain_user("all"));
  settings.authorization.users.push_back(plain_user("some", {}, deaf_to_one));
  for (const std::size_t taker_at : {0U, 1U, 2U}) {
    Settings copy = two_threads();
    copy.threads = 3;
    copy.authorization.users.push_back(plain_user("all"));
    copy.authorization.users.push_back(plain_user("some", {}, deaf_to_one));
    start(std::move(copy));
    TurnedClient publisher = client(0, as("all"));
    std::vector<TurnedClient> refusing;
    for (const std::size_t worker : {0U, 1U, 2U}) {
      refusing.push_back(client(worker, as("some")));
      refusing.back().send("SUB q.* g 1\r\n");
    }
    TurnedClient taker = client(taker_at, as("all"));
    taker.send("SUB q.* g 9\r\n");
    broker->turn(2);
    say(publisher, repeated("PUB q.denied 1\r\nx\r\n", 40));
    EXPECT_EQ(count(heard(taker, 8), "MSG q.denied 9 1\r\n"), 40U) << taker_at;
  }
}

TEST_F(WorkerTest, a_maximum_of_deliveries_is_exact_across_threads) {
  start();
  TurnedClient subscriber = client(1);
  TurnedClient here = client(0);
  TurnedClient there = client(1);
  subscriber.send("SUB m 1\r\nUNSUB 1 5\r\nSUB m 2\r\n");
  broker->turn(2);
  const std::string burst = repeated("PUB m 1\r\nx\r\n", 10);
  here.send(burst);
  there.send(burst);
  broker->turn(3);
  const std::string read = heard(subscriber);
  EXPECT_EQ(count(read, "MSG m 1 1\r\n"), 5U);
  EXPECT_EQ(count(read, "MSG m 2 1\r\n"), 20U);
  EXPECT_EQ(broker->hub().accounts.at(kGlobalAccount).sublist.stats().count, 1U);
}

TEST_F(WorkerTest, a_clients_own_messages_do_not_come_back_without_echo) {
  start();
  TurnedClient silent = client(0, R"({"verbose":false,"echo":false})");
  TurnedClient other = client(1);
  silent.send("SUB e 1\r\nSUB e q 2\r\n");
  other.send("SUB e q 3\r\n");
  broker->turn(2);
  say(silent, repeated("PUB e 1\r\nx\r\n", 20));
  EXPECT_EQ(heard(silent), "");
  EXPECT_EQ(count(heard(other), "MSG e 3 1\r\n"), 20U) << "the group's member that takes them is on the other thread";
}

TEST_F(WorkerTest, headers_are_for_those_who_understand_them) {
  start();
  for (const std::size_t worker : {0U, 1U}) {
    TurnedClient old = client(worker);
    TurnedClient modern = client(worker, kModern);
    TurnedClient publisher = client(0, kModern);
    old.send("SUB h 1\r\n");
    modern.send("SUB h 1\r\n");
    broker->turn(2);
    say(publisher, "HPUB h r 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nxy\r\n");
    EXPECT_EQ(heard(old), "MSG h 1 r 2\r\nxy\r\n");
    EXPECT_EQ(heard(modern), "HMSG h 1 r 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nxy\r\n");
  }
}

TEST_F(WorkerTest, a_listener_on_another_thread_is_a_responder) {
  start();
  TurnedClient asker = client(0, kModern);
  TurnedClient service = client(1);
  service.send("SUB ask 1\r\n");
  asker.send("SUB _INBOX.> 5\r\n");
  broker->turn(2);
  say(asker, "PUB ask _INBOX.1 0\r\n\r\nPUB nobody _INBOX.2 0\r\n\r\n");
  EXPECT_EQ(heard(asker), "HMSG _INBOX.2 5 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
  EXPECT_EQ(heard(service), "MSG ask 1 _INBOX.1 0\r\n\r\n");
}

TEST_F(WorkerTest, a_publisher_rests_for_a_reader_of_another_thread_and_its_neighbours_do_not) {
  Settings settings = two_threads();
  settings.limits.max_pending = 2UL << 20U;
  settings.limits.max_payload = 16384;
  start(std::move(settings));
  TurnedClient publisher = client(0);
  TurnedClient beside_it = client(0);
  TurnedClient deaf = client(1);
  TurnedClient beside_deaf = client(1);
  deaf.send("SUB f 1\r\n");
  broker->turn(2);
  const std::string piece = "PUB f 1000\r\n" + std::string(1000, 'x') + "\r\n";
  const std::string flood = repeated(piece, 60);
  const auto held = [&](const TurnedClient& one, std::size_t n) { return inside(one, ids[n]).held(); };
  ASSERT_TRUE(broker->until([&] {
    publisher.send(flood);
    beside_it.send("PING\r\n");
    beside_deaf.send("PING\r\n");
    broker->turn();
    EXPECT_FALSE(held(beside_it, 1));
    EXPECT_FALSE(held(beside_deaf, 3));
    return held(publisher, 0);
  }));
  EXPECT_FALSE(inside(deaf, ids[2]).ended());
  EXPECT_TRUE(broker->until([&] { return !held(publisher, 0); })) << "for a moment only";
}

TEST_F(WorkerTest, what_is_on_its_way_to_a_busy_thread_is_bounded) {
  start();
  TurnedClient publisher = client(0);
  TurnedClient subscriber = client(1);
  subscriber.send("SUB b 1\r\n");
  broker->turn(2);
  const std::string piece = "PUB b 60000\r\n" + std::string(60000, 'x') + "\r\n";
  std::size_t sent = 0;
  std::size_t most = 0;
  for (int i = 0; i < 4000; ++i) {  // the second thread does not get to run
    sent += publisher.send(std::string_view(piece).substr(sent % piece.size()));
    broker->worker(0).reactor().turn(Duration::zero());
    most = std::max(most, broker->worker(1).inbound_bytes());
  }
  EXPECT_GT(most, 8UL << 20U);
  EXPECT_LT(most, 20UL << 20U);
  EXPECT_TRUE(inside(publisher, ids[0]).held());
  std::size_t read = 0;
  EXPECT_TRUE(broker->until([&] {
    subscriber.receive();
    read += subscriber.take_received().size();
    return read >= sent / piece.size() * (piece.size() + 2);  // "MSG b 1 60000"
  })) << "it goes on when the thread has caught up";
}

TEST_F(WorkerTest, a_burst_to_one_who_reads_does_not_make_it_slow) {
  Settings settings = two_threads();
  settings.limits.max_pending = 100'000;
  settings.limits.max_payload = 16384;
  start(std::move(settings));
  for (const std::size_t worker : {0U, 1U}) {
    TurnedClient publisher = client(0);
    TurnedClient subscriber = client(worker);
    subscriber.send("SUB b 1\r\n");
    broker->turn(2);
    publisher.send(repeated("PUB b 600\r\n" + std::string(600, 'x') + "\r\n", 195));  // one read, 117,000 bytes
    broker->turn(4);
    EXPECT_EQ(count(heard(subscriber), "MSG b 1 600\r\n"), 195U);
    EXPECT_FALSE(subscriber.ended());
  }
}

TEST_F(WorkerTest, one_who_does_not_read_is_cut_off_and_the_others_are_served) {
  Settings settings = two_threads();
  settings.limits.max_pending = 300'000;
  settings.limits.max_payload = 16384;
  start(std::move(settings));
  TurnedClient publisher = client(0);
  TurnedClient deaf_here = client(0);
  TurnedClient deaf_there = client(1);
  TurnedClient good_here = client(0);
  TurnedClient good_there = client(1);
  for (TurnedClient* one : {&deaf_here, &deaf_there, &good_here, &good_there}) {
    one->send("SUB f 1\r\n");
  }
  broker->turn(2);
  const std::string piece = "PUB f 1000\r\n" + std::string(1000, 'x') + "\r\n";
  const std::size_t frame = std::string_view("MSG f 1 1000\r\n").size() + 1002;
  std::string rest;
  std::size_t sent = 0;
  std::size_t read_here = 0;
  std::size_t read_there = 0;
  ASSERT_TRUE(broker->until([&] {
    if (sent < 3000) {
      rest.append(rest.size() < 100'000 ? piece : "");
      const std::size_t taken = publisher.send(rest);
      rest.erase(0, taken);
      sent += rest.size() < 100'000 ? 1U : 0U;
    } else {
      rest.erase(0, publisher.send(rest));
    }
    for (TurnedClient* one : {&good_here, &good_there}) {
      one->receive();
    }
    read_here += good_here.take_received().size();
    read_there += good_there.take_received().size();
    return rest.empty() && sent >= 3000 && read_here >= 3000 * frame && read_there >= 3000 * frame;
  }));
  EXPECT_TRUE(ends(deaf_here));
  EXPECT_TRUE(ends(deaf_there));
  EXPECT_EQ(broker->hub().counters.slow_pending.value(), 2U);
  EXPECT_EQ(broker->hub().accounts.at(kGlobalAccount).sublist.stats().count, 2U);
}

TEST_F(WorkerTest, a_costly_publisher_leaves_the_others_their_turn) {
  Settings settings = two_threads();
  settings.threads = 1;
  start(std::move(settings));
  TurnedClient crowd = client(0);
  std::string subs;
  for (int i = 0; i < 20'000; ++i) {
    subs += "SUB c q" + std::to_string(i) + " " + std::to_string(i) + "\r\n";
  }
  say(crowd, subs);
  TurnedClient costly = client(0);
  TurnedClient good = client(0);
  good.send("PING\r\n");
  costly.send(repeated("PUB c 0\r\n\r\n", 5000));
  broker->turn();
  EXPECT_LT(inside(costly, ids[1]).basic_facts().traffic.in_msgs, 2000U);
  good.receive();
  EXPECT_EQ(good.received(), "PONG\r\n");
}

TEST_F(WorkerTest, lame_duck_tells_everybody_and_closes_them_one_after_the_other) {
  start();
  std::vector<TurnedClient> clients;
  for (std::size_t i = 0; i < 20; ++i) {
    clients.push_back(client(i % 2, kModern));
  }
  TurnedClient old = client(0);
  int done = 0;
  broker->hub().lame_duck = true;
  for (const std::size_t worker : {0U, 1U}) {
    broker->worker(worker).lame_duck(std::chrono::milliseconds(1), std::chrono::milliseconds(200), [&] { ++done; });
  }
  broker->turn(2);
  std::size_t told = 0;
  for (TurnedClient& one : clients) {
    one.receive();
    told += count(one.received(), "\"ldm\":true");
  }
  EXPECT_EQ(told, clients.size());
  ASSERT_TRUE(broker->until([&] {
    for (TurnedClient& one : clients) {
      one.receive();
      if (one.ended()) {
        one.close();
      }
    }
    old.receive();
    if (old.ended()) {
      old.close();
    }
    return done == 2;
  }));
  EXPECT_EQ(broker->hub().clients, 0U);
  EXPECT_EQ(count(old.received(), "ldm"), 0U) << "it did not say that it understands another INFO";
}

TEST_F(WorkerTest, a_reload_while_messages_are_on_their_way_changes_what_arrives_and_loses_no_count) {
  const auto settings_with = [](std::optional<Permissions> permissions) {
    Settings settings = two_threads();
    settings.authorization.users.push_back(plain_user("pub"));
    settings.authorization.users.push_back(plain_user("sub", {}, std::move(permissions)));
    return settings;
  };
  const Permissions fewer{.publish = {}, .subscribe = {.allow = {{"kept.>"}}, .deny = {}}, .responses = {}};
  start(settings_with(std::nullopt));
  TurnedClient publisher = client(0, as("pub"));
  TurnedClient subscriber = client(1, as("sub"));
  subscriber.send("SUB kept.> 1\r\nSUB gone 2\r\nSUB gone g 3\r\n");
  broker->turn(2);
  publisher.send("PUB kept.a 1\r\nx\r\nPUB gone 1\r\ny\r\n");
  broker->worker(0).reactor().turn(Duration::zero());
  ASSERT_TRUE(broker->reload(settings_with(fewer)).has_value());
  broker->turn(3);
  const std::string before = heard(subscriber);
  EXPECT_EQ(count(before, "MSG kept.a 1 1\r\n"), 1U);
  EXPECT_EQ(count(before, "-ERR 'Permissions Violation for Subscription to \"gone\" (sid \"2\")'\r\n"), 1U);
  EXPECT_EQ(count(before, "using queue \"g\" (sid \"3\")'\r\n"), 1U);
  say(publisher, "PUB kept.a 1\r\nx\r\nPUB gone 1\r\ny\r\n");
  EXPECT_EQ(heard(subscriber), "MSG kept.a 1 1\r\nx\r\n");
  const AccountState& account = broker->hub().accounts.at(kGlobalAccount);
  EXPECT_EQ(account.subscriptions, 1);
  EXPECT_EQ(account.connections, 2);
  EXPECT_EQ(account.sublist.stats().count, 1U);
}

}  // namespace
}  // namespace hawser::broker
