// One local client, spoken to as raw bytes, in front of a scripted server.
#include "agent/client.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "session/driven_session.hpp"

namespace hawser::agent {
namespace {

using namespace session::test;
using net::test::receive_some;
using net::test::send_some;
using Strings = std::vector<std::string>;

struct LocalClient : ::testing::Test {
  std::unique_ptr<net::Reactor> reactor = must(net::Reactor::create());
  net::Resolver resolver;
  metrics::Registry registry;
  Metrics metrics{registry};
  session::SessionOptions options = quick_options();
  ClientLimits limits;
  ScriptedServer server{*reactor};
  std::vector<wire::ServerInfo> heard_of;
  std::size_t gone = 0;
  std::vector<std::unique_ptr<Client>> clients;
  WorkerContext worker{.reactor = *reactor,
                       .resolver = resolver,
                       .metrics = metrics,
                       .access = {},
                       .upstream = {},
                       .session_options = options,
                       .limits = limits,
                       .greeting = {.agent_id = "NAGENT",
                                    .client_id = 0,
                                    .client_ip = {},
                                    .host = "127.0.0.1",
                                    .port = 4222,
                                    .max_payload = 0,
                                    .added = 0},
                       .outage = nullptr,
                       .number = 0,
                       .message_ids = {},
                       .gone = [this](Client& client) { remove(client); },
                       .await_queue = [](Client&) {},
                       .heard_of_upstream = [this](const wire::ServerInfo& info) { heard_of.push_back(info); }};
  net::Fd wire;
  std::string said;  // by the agent, that no test has looked at yet
  bool ended = false;

  LocalClient() { limits.leave_within = 5s; }
  ~LocalClient() override {
    for (auto& client : clients) {
      reactor->retire(std::move(client));
    }
    clients.clear();
    reactor->turn(0ms);
    resolver.stop();
  }

  void remove(Client& client) {
    ++gone;
    const auto at = std::ranges::find(clients, &client, &std::unique_ptr<Client>::get);
    ASSERT_NE(at, clients.end()) << "gone twice";
    reactor->retire(std::move(*at));
    clients.erase(at);
  }
  // A client that has read the greeting.
  Client& arrive() {
    worker.access = make_access({server.port()}, false);
    worker.upstream = std::make_shared<const wire::ServerInfo>(server.info);
    worker.greeting.max_payload = limits.max_payload;
    auto [near, far] = net::test::socket_pair();
    wire = std::move(far);
    clients.push_back(std::make_unique<Client>(worker, clients.size() + 1, "127.0.0.1"));
    reactor->turn(0ms);
    EXPECT_TRUE(clients.back()->adopt(std::move(near)).has_value());
    EXPECT_TRUE(hears("INFO {"));
    said.clear();
    return *clients.back();
  }
  void say(std::string_view bytes) {
    while (!bytes.empty()) {
      bytes.remove_prefix(send_some(wire.value(), bytes));
      listen();
      reactor->turn(0ms);
    }
  }
  void listen() {
    const auto piece = receive_some(wire.value());
    said += piece.bytes;
    ended = ended || piece.ended || piece.error != 0;
  }
  bool until(const std::function<bool()>& condition) {
    return net::test::until(*reactor, [&] {
      listen();
      return condition();
    });
  }
  bool hears(std::string_view text) {
    return until([&] { return said.find(text) != std::string::npos; });
  }
  // The client is told nothing more than this, and then the connection ends.
  void expect_refusal(const std::string& words) {
    ASSERT_TRUE(until([&] { return ended; }));
    EXPECT_EQ(said, words);
    wire.reset();
    EXPECT_TRUE(until([&] { return gone == 1; }));
  }
  // A default client, connected to the server.
  ScriptedServer::Connection* connect(std::string_view json = R"({"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"protocol":1,"name":"kate"})") {
    arrive();
    say("CONNECT " + std::string(json) + "\r\n");
    EXPECT_TRUE(until([&] { return clients.back()->session() != nullptr && clients.back()->session()->up(); }));
    say("PING\r\n");
    EXPECT_TRUE(hears("PONG\r\n"));
    said.clear();
    return server.newest();
  }
};

// ---- CONNECT --------------------------------------------------------------------------------------------------------

TEST_F(LocalClient, is_greeted_with_the_agents_own_info) {
  arrive();
  EXPECT_EQ(server.count(), 0U) << "a session before CONNECT";
}

TEST_F(LocalClient, its_connect_options_reach_the_server_and_its_credentials_do_not) {
  auto* link = connect(
      R"({"verbose":false,"pedantic":true,"echo":false,"headers":true,"no_responders":true,"protocol":1,"name":"kate","lang":"go","version":"1.0","user":"me","pass":"mine","auth_token":"t","jwt":"j"})");
  ASSERT_NE(link, nullptr);
  EXPECT_TRUE(link->connect->pedantic);
  EXPECT_FALSE(link->connect->verbose);
  EXPECT_FALSE(link->connect->echo);
  EXPECT_TRUE(link->connect->headers);
  EXPECT_TRUE(link->connect->no_responders);
  EXPECT_EQ(link->connect->name, "kate");
  EXPECT_EQ(link->connect->lang, "go");
  EXPECT_EQ(link->connect->user, "");
  EXPECT_TRUE(link->connect->pass.empty());
  EXPECT_TRUE(link->connect->auth_token.empty());
  EXPECT_TRUE(link->connect->jwt.empty());
  EXPECT_EQ(heard_of.size(), 1U);
}

TEST_F(LocalClient, verbose_gets_an_ok_for_each_verb_and_the_server_is_not_asked_for_it) {
  arrive();
  say("CONNECT {\"verbose\":true}\r\nSUB a 1\r\nPUB b 2\r\nhi\r\nUNSUB 1\r\nPUB b 1\r\nx\r\nPING\r\n");
  ASSERT_TRUE(hears("PONG\r\n"));
  EXPECT_EQ(said, "+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\nPONG\r\n");
  EXPECT_FALSE(server.newest()->connect->verbose);
}

TEST_F(LocalClient, a_second_connect_changes_what_is_the_clients_own) {
  connect();
  say("CONNECT {\"verbose\":true,\"headers\":true}\r\nPUB a 1\r\nx\r\n");
  ASSERT_TRUE(hears("+OK\r\n+OK\r\n"));
  EXPECT_EQ(server.count(), 1U);
}

TEST_F(LocalClient, verbs_without_connect_are_served) {
  arrive();
  say("PING\r\n");
  ASSERT_TRUE(hears("PONG\r\n"));
  say("SUB a 1\r\nPUB b 2\r\nhi\r\nPING\r\n");
  ASSERT_TRUE(until([&] { return server.newest() != nullptr && server.newest()->pubs.size() == 1; }));
  EXPECT_EQ(server.newest()->subs, (Strings{"SUB a 1"}));
}

TEST_F(LocalClient, a_connect_that_makes_no_sense_is_refused_with_nats_servers_words) {
  struct Row {
    const char* line;
    const char* words;
  };
  const Row rows[] = {
      {"CONNECT {\"protocol\":7}\r\n", "-ERR 'invalid client protocol'\r\n"},
      {"CONNECT {\"no_responders\":true,\"headers\":false}\r\n", "-ERR 'no responders requires headers support'\r\n"},
      {"CONNECT {\"verbose\":\r\n", ""},
      {"CONNECT nonsense\r\n", ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.line);
    said.clear();
    ended = false;
    gone = 0;
    arrive();
    say(row.line);
    expect_refusal(row.words);
  }
}

// ---- frames ---------------------------------------------------------------------------------------------------------

TEST_F(LocalClient, publishes_arrive_as_they_came_however_they_are_split) {
  auto* link = connect();
  std::string bytes;
  for (int i = 0; i < 20; ++i) {
    const std::string payload(static_cast<std::size_t>(i) * 7, 'x');
    bytes += i % 3 == 0 ? "HPUB a 12 " + std::to_string(payload.size() + 12) + "\r\nNATS/1.0\r\n\r\n" + payload + "\r\n"
                        : "PUB a reply " + std::to_string(payload.size()) + "\r\n" + payload + "\r\n";
  }
  for (const char c : bytes) {
    say({&c, 1});
  }
  ASSERT_TRUE(until([&] { return link->pubs.size() == 20; }));
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(link->pubs[i], std::string(i * 7, 'x'));
  }
}

TEST_F(LocalClient, rubbish_is_refused_with_nats_servers_words_and_nobody_else_is_touched) {
  struct Row {
    const char* bytes;
    const char* words;
  };
  const Row rows[] = {
      {"RUBBISH\r\n", "-ERR 'Unknown Protocol Operation'\r\n"},
      {"MSG a 1 2\r\nhi\r\n", "-ERR 'Unknown Protocol Operation'\r\n"},
      {"PUB a 2\r\nhi!!", "-ERR 'Unknown Protocol Operation'\r\n"},
      {"PUB a notanumber\r\n", ""},
      {"PUB a -1\r\n", ""},
      {"PUB a 99999999999\r\n", ""},
      {"PUB a 2000\r\n", "-ERR 'Maximum Payload Violation'\r\n"},
      {"\r\n\r\n", "-ERR 'Unknown Protocol Operation'\r\n"},
  };
  server.info.max_payload = 1000;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.bytes);
    said.clear();
    ended = false;
    gone = 0;
    auto* link = connect();
    say(std::string("PUB before 2\r\nok\r\n") + row.bytes);
    ASSERT_TRUE(until([&] { return ended; }));
    EXPECT_EQ(said, row.words);
    EXPECT_TRUE(until([&] { return link->pubs.size() == 1; })) << "what came before it is lost";
    wire.reset();
    EXPECT_TRUE(until([&] { return gone == 1; }));
  }
}

TEST_F(LocalClient, headers_need_headers_in_connect) {
  arrive();
  say("CONNECT {\"verbose\":false,\"headers\":false}\r\nHPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
  expect_refusal("");
  EXPECT_TRUE(server.published.empty());
}

TEST_F(LocalClient, a_subject_that_is_none_is_an_error_and_not_the_end) {
  auto* link = connect();
  for (const char* line : {"SUB a..b 1\r\n", "SUB .a 1\r\n", "SUB a.>.b 1\r\n"}) {
    SCOPED_TRACE(line);
    said.clear();
    say(line);
    EXPECT_TRUE(hears("-ERR 'Invalid Subject'\r\n"));
  }
  say("SUB fine 2\r\n");
  EXPECT_TRUE(until([&] { return link->subs.size() == 1; }));
  EXPECT_EQ(link->subs[0], "SUB fine 2");
}

TEST_F(LocalClient, messages_and_the_servers_errors_about_them_pass) {
  auto* link = connect();
  say("SUB a 1\r\n");
  ASSERT_TRUE(until([&] { return link->subs.size() == 1; }));
  link->message("a", "1", "hello");
  link->say("-ERR 'Permissions Violation for Subscription to \"b\"'\r\n");
  ASSERT_TRUE(hears("'\r\n"));
  EXPECT_EQ(said, "MSG a 1 5\r\nhello\r\n-ERR 'Permissions Violation for Subscription to \"b\"'\r\n");
}

TEST_F(LocalClient, a_pong_means_that_the_server_has_everything_before) {
  auto* link = connect();
  link->keep_pongs = true;
  say("PUB a 1\r\nx\r\nPING\r\n");
  ASSERT_TRUE(until([&] { return link->unanswered >= 1; }));
  spin(*reactor, 10);
  listen();
  EXPECT_EQ(said, "");
  link->keep_pongs = false;
  link->answer_pings();
  EXPECT_TRUE(hears("PONG\r\n"));
}

TEST_F(LocalClient, every_ping_has_its_pong) {
  connect();
  std::string pings;
  for (int i = 0; i < 500; ++i) {
    pings += i % 5 == 0 ? "PING\r\nPUB a 1\r\nx\r\n" : "PING\r\n";
  }
  say(pings);
  ASSERT_TRUE(until([&] { return said.size() >= 500 * 6; }));
  spin(*reactor, 10);
  listen();
  EXPECT_EQ(said.size(), 500U * 6);
  EXPECT_LT(server.newest()->pings, 300U) << "one PONG answers the PINGs that stand at one place";
}

// ---- ends -----------------------------------------------------------------------------------------------------------

TEST_F(LocalClient, a_death_in_mid_frame_harms_nobody_and_loses_nothing_whole) {
  auto* link = connect();
  say("PUB a 3\r\none\r\nPUB a 3\r\ntwo\r\nPUB a 1000\r\nhalf of it");
  wire.reset();
  ASSERT_TRUE(until([&] { return gone == 1; }));
  EXPECT_EQ(link->pubs, (Strings{"one", "two"}));
  EXPECT_FALSE(link->broken);
}

TEST_F(LocalClient, what_a_dead_client_published_is_seen_through_a_reconnect) {
  auto* link = connect();
  link->keep_pongs = true;
  say("SUB a 1\r\nPUB a 3\r\none\r\n");
  ASSERT_TRUE(until([&] { return link->pubs.size() == 1; }));
  wire.reset();
  spin(*reactor, 20);
  EXPECT_EQ(gone, 0U) << "it was not confirmed";
  link->drop();
  ASSERT_TRUE(net::test::until(*reactor, [&] { return gone == 1; }));
  EXPECT_EQ(server.newest()->pubs, (Strings{"one"}));
  EXPECT_TRUE(server.newest()->subs.empty()) << "subscribed for a user who is gone";
}

TEST_F(LocalClient, a_dead_client_is_not_waited_for_for_ever) {
  limits.leave_within = 20ms;
  auto* link = connect();
  link->keep_pongs = true;
  say("PUB a 3\r\none\r\n");
  ASSERT_TRUE(until([&] { return link->pubs.size() == 1; }));
  wire.reset();
  EXPECT_TRUE(net::test::until(*reactor, [&] { return gone == 1; }));
}

TEST_F(LocalClient, stopping_gently_confirms_what_was_published_and_then_closes) {
  auto* link = connect();
  link->keep_pongs = true;
  say("PUB a 3\r\none\r\n");
  ASSERT_TRUE(until([&] { return link->pubs.size() == 1; }));
  clients.front()->stop_gently();
  ASSERT_TRUE(until([&] { return ended; }));
  wire.reset();
  spin(*reactor, 10);
  EXPECT_EQ(gone, 0U);
  link->keep_pongs = false;
  link->answer_pings();
  EXPECT_TRUE(net::test::until(*reactor, [&] { return gone == 1; }));
}

// ---- the server away ------------------------------------------------------------------------------------------------

TEST_F(LocalClient, stays_connected_while_the_server_is_away_and_goes_on_after) {
  auto* link = connect();
  say("SUB a 1\r\n");
  ASSERT_TRUE(until([&] { return link->subs.size() == 1; }));
  server.close();
  link->drop();
  say("PUB b 4\r\nkept\r\n");
  spin(*reactor, 20);
  EXPECT_FALSE(ended);
  server.reopen();
  ASSERT_TRUE(until([&] { return server.count() == 2 && server.newest()->pubs.size() == 1; }));
  server.newest()->message("a", "1", "back");
  EXPECT_TRUE(hears("back"));
  EXPECT_EQ(said, "MSG a 1 4\r\nback\r\n");
}

TEST_F(LocalClient, a_full_window_is_back_pressure_then_an_error_and_no_flush_covers_what_was_rejected) {
  options.window_bytes = 2000;
  limits.reject_after = 30ms;
  auto* link = connect();
  server.close();
  link->drop();
  const std::string frame = "PUB b 100\r\n" + std::string(100, 'x') + "\r\n";
  for (int i = 0; i < 100; ++i) {
    say(frame);
  }
  ASSERT_TRUE(hears("-ERR 'Permissions Violation for Publish to \"b\""));
  EXPECT_GT(metrics.publishes_rejected.value(), 0U);
  EXPECT_FALSE(ended);
  said.clear();
  say("PUB c 1\r\nx\r\nPING\r\n");  // within the same second: told because of the PING
  ASSERT_TRUE(hears("-ERR 'Permissions Violation for Publish to \"c\""));
  ASSERT_TRUE(until([&] { return ended; })) << "the flush has to fail";
  EXPECT_EQ(said.find("PONG"), std::string::npos) << "said safe what is rejected";
  server.reopen();
  ASSERT_TRUE(until([&] { return gone == 1; }));
  const std::size_t rescued = server.newest()->pubs.size();
  EXPECT_GE(rescued, 15U);
  EXPECT_LE(rescued, 25U) << "the window is not bounded";
}

TEST_F(LocalClient, publishes_are_taken_again_when_the_server_is_back) {
  options.window_bytes = 2000;
  limits.reject_after = 30ms;
  auto* link = connect();
  server.close();
  link->drop();
  const std::string frame = "PUB b 100\r\n" + std::string(100, 'x') + "\r\n";
  for (int i = 0; i < 100; ++i) {
    say(frame);
  }
  ASSERT_TRUE(hears("-ERR 'Permissions Violation for Publish to \"b\""));
  server.reopen();
  ASSERT_TRUE(until([&] { return server.count() == 2 && !server.newest()->pubs.empty(); }));
  ASSERT_TRUE(until([&] { return clients.front()->session()->unconfirmed_bytes() == 0; }));
  say("PUB b 5\r\nafter\r\n");
  ASSERT_TRUE(until([&] { return server.newest()->pubs.back() == "after"; }));
}

TEST_F(LocalClient, back_pressure_ends_with_the_confirmation_and_nothing_is_lost) {
  options.window_bytes = 2000;
  auto* link = connect();
  link->keep_pongs = true;
  for (int i = 0; i < 100; ++i) {
    const std::string payload = std::to_string(i) + std::string(100, 'x');
    say("PUB b " + std::to_string(payload.size()) + "\r\n" + payload + "\r\n");
  }
  spin(*reactor, 20);
  EXPECT_LE(link->pubs.size(), 25U) << "no back-pressure";
  link->keep_pongs = false;
  link->answer_pings();
  ASSERT_TRUE(until([&] { return link->pubs.size() == 100; }));
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_TRUE(link->pubs[i].starts_with(std::to_string(i)));
  }
}

// ---- slow and greedy clients ------------------------------------------------------------------------------------------

TEST_F(LocalClient, one_that_does_not_read_pushes_back_at_the_server_and_is_cut_off_in_the_end) {
  limits.write_deadline = 50ms;
  auto* link = connect();
  say("SUB a 1\r\n");
  ASSERT_TRUE(until([&] { return link->subs.size() == 1; }));
  const std::string payload(100000, 'x');
  for (int i = 0; i < 200; ++i) {  // 20 MB, and nobody reads
    link->message("a", "1", payload);
  }
  ASSERT_TRUE(net::test::until(*reactor, [&] { return gone == 1; }));
  EXPECT_EQ(metrics.slow_clients.value(), 1U);
}

TEST_F(LocalClient, one_that_reads_slowly_gets_everything) {
  auto* link = connect();
  say("SUB a 1\r\n");
  ASSERT_TRUE(until([&] { return link->subs.size() == 1; }));
  const std::string payload(100000, 'x');
  for (int i = 0; i < 100; ++i) {
    link->message("a", "1", payload);
  }
  spin(*reactor, 100);  // choked by now
  const std::size_t all = 100 * (payload.size() + std::string("MSG a 1 100000\r\n\r\n").size());
  EXPECT_TRUE(until([&] { return said.size() == all; })) << said.size() << " of " << all;
}

TEST_F(LocalClient, answers_that_are_not_read_stop_the_reading_of_questions) {
  limits.max_pending_bytes = 20000;
  limits.write_deadline = 10s;
  arrive();
  say("CONNECT {\"verbose\":true}\r\n");
  ASSERT_TRUE(hears("+OK\r\n"));
  const std::string questions = [] {
    std::string text;
    for (int i = 0; i < 10000; ++i) {
      text += "SUB a 1\r\n";
    }
    return text;
  }();
  std::size_t taken = 0;
  std::size_t last = 1;
  while (taken != last) {  // until it takes no more
    last = taken;
    for (int i = 0; i < 20; ++i) {
      taken += send_some(wire.value(), std::string_view(questions).substr(taken % 9));
      reactor->turn(0ms);
    }
    ASSERT_LT(taken, 64U << 20U) << "reads questions without end";
  }
  said.clear();
  ASSERT_TRUE(until([&] { return said.size() / 5 >= taken / 9; })) << "deaf for ever";
  EXPECT_EQ(said.size() / 5, taken / 9);
}

TEST_F(LocalClient, a_changed_max_payload_is_told_and_holds) {
  auto* link = connect();
  server.info.max_payload = 100;
  link->say_info();
  ASSERT_TRUE(hears("\r\n"));
  EXPECT_NE(said.find("\"max_payload\":100,"), std::string::npos) << said;
  said.clear();
  say("PUB a 101\r\n");
  expect_refusal("-ERR 'Maximum Payload Violation'\r\n");
}

}  // namespace
}  // namespace hawser::agent
