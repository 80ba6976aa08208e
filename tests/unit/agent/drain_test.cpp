// The agent's own session drains the queue to a scripted server: what leaves the queue, and what goes to the dead
// letters.
#include "agent/drain.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "agent/control.hpp"
#include "session/driven_session.hpp"

namespace hawser::agent {
namespace {

using namespace session::test;
using Strings = std::vector<std::string>;

struct DrainTest : ::testing::Test {
  std::filesystem::path directory;
  std::unique_ptr<net::Reactor> reactor = must(net::Reactor::create());
  net::Resolver resolver;
  metrics::Registry registry;
  Metrics metrics{registry};
  session::SessionOptions options = quick_options();
  ScriptedServer server{*reactor};
  std::unique_ptr<store::DiskQueue> queue;
  std::unique_ptr<Outage> outage;
  std::unique_ptr<Control> control;

  DrainTest() {
    std::string name = std::filesystem::temp_directory_path() / "hawser-drain-XXXXXX";
    directory = ::mkdtemp(name.data());
    store::QueueOptions queue_options;
    queue_options.directory = directory / "queue";
    queue = must(store::DiskQueue::open(queue_options, [] {}));
    outage = std::make_unique<Outage>(Fallback{}, queue.get(), "NAGENT");
    server.info.max_payload = 1000;
  }
  ~DrainTest() override {
    control.reset();
    reactor->turn(std::chrono::milliseconds(0));
    resolver.stop();
    queue.reset();
    std::filesystem::remove_all(directory);
  }
  void enqueue(std::string_view subject, std::string_view payload) {
    std::string frame;
    wire::append_pub(frame, subject, {}, payload);
    const auto ticket = queue->append({.client = 1,
                                       .arrived_ms = 1,
                                       .count = 1,
                                       .largest_payload = static_cast<std::uint32_t>(payload.size()),
                                       .frames = frame});
    ASSERT_TRUE(ticket);
    ASSERT_TRUE(until([&] { return queue->committed() >= *ticket; }));
  }
  void start() {
    control =
        std::make_unique<Control>(*reactor, resolver, options, metrics, outage.get(), Control::Events{.heard = [](const wire::ServerInfo&) {}});
    reactor->turn(std::chrono::milliseconds(0));
    control->start(make_access({server.port()}, false));
  }
  bool until(const std::function<bool()>& condition) {
    return net::test::until(*reactor, [&] {
      if (control) {
        control->queue_progressed();
      }
      return condition();
    });
  }
  bool drained() {
    return until([&] { return queue->drained() == queue->last(); });
  }
  std::uint64_t dead() {
    EXPECT_TRUE(until([&] { return queue->stats().messages == 0; }));
    return queue->stats().dead_letters;
  }
};

TEST_F(DrainTest, brings_what_is_queued_to_the_server_oldest_first) {
  for (const char* payload : {"1", "2", "3"}) {
    enqueue("a", payload);
  }
  start();
  ASSERT_TRUE(drained());
  EXPECT_EQ(server.published, (Strings{"1", "2", "3"}));
  EXPECT_EQ(metrics.queue_drained.value(), 3U);
  EXPECT_EQ(dead(), 0U);
}

TEST_F(DrainTest, with_a_delay_the_server_has_been_there_for_so_long_before_it_is_given_anything) {
  constexpr Duration kDelay = std::chrono::milliseconds(300);
  outage = std::make_unique<Outage>(Fallback{.drain_delay = kDelay}, queue.get(), "NAGENT");
  enqueue("a", "1");
  start();
  const Time began = now();
  ASSERT_TRUE(drained());
  EXPECT_GE(now() - began, kDelay);
  EXPECT_EQ(server.published, (Strings{"1"}));
}

TEST_F(DrainTest, nothing_leaves_the_queue_before_the_server_has_confirmed_it) {
  enqueue("a", "1");
  server.on_ping = [this](ScriptedServer::Connection& connection) {
    return connection.pings > 1 && server.count() == 1;  // the first connection confirms nothing
  };
  start();
  ASSERT_TRUE(until([&] { return server.published.size() == 1; }));
  EXPECT_LT(queue->drained(), queue->last());
  server.newest()->drop();
  ASSERT_TRUE(drained());
  EXPECT_EQ(server.published, (Strings{"1", "1"})) << "sent again on the next connection";
}

TEST_F(DrainTest, what_the_server_does_not_permit_goes_to_the_dead_letters_with_its_words) {
  enqueue("good", "1");
  enqueue("bad", "2");
  enqueue("good", "3");
  server.on_ping = [](ScriptedServer::Connection& connection) {
    if (std::ranges::find(connection.pubs, "2") != connection.pubs.end()) {
      connection.say("-ERR 'Permissions Violation for Publish to \"bad\"'\r\n");
    }
    return false;
  };
  start();
  ASSERT_TRUE(drained());
  EXPECT_EQ(dead(), 1U);
  EXPECT_EQ(server.published, (Strings{"1", "2", "3"}));
}

TEST_F(DrainTest, what_is_too_large_for_the_server_is_not_sent_to_it) {
  enqueue("a", "1");
  enqueue("a", std::string(2000, 'x'));
  enqueue("a", "3");
  start();
  ASSERT_TRUE(drained());
  EXPECT_EQ(dead(), 1U);
  EXPECT_EQ(server.published, (Strings{"1", "3"}));
}

TEST_F(DrainTest, a_message_over_which_the_server_ends_the_connection_does_not_hold_up_the_others) {
  enqueue("a", "1");
  enqueue("a", "poison");
  enqueue("a", "3");
  server.on_ping = [](ScriptedServer::Connection& connection) {
    if (std::ranges::find(connection.pubs, "poison") != connection.pubs.end()) {
      connection.say("-ERR 'Unknown Protocol Operation'\r\n");
      connection.end();
      return true;
    }
    return false;
  };
  start();
  ASSERT_TRUE(drained());
  EXPECT_EQ(dead(), 1U);
  EXPECT_EQ(server.published.back(), "3");
}

TEST_F(DrainTest, waits_a_moment_for_local_clients_to_be_back) {
  metrics.clients.add();  // and its session is not up
  enqueue("a", "1");
  start();
  ASSERT_TRUE(until([&] { return control->up(); }));
  spin(*reactor);
  EXPECT_TRUE(server.published.empty());
  metrics.session.sessions_up.add();
  ASSERT_TRUE(drained());
}

TEST_F(DrainTest, the_breaker_tells_its_state_and_the_reason) {
  server.close();
  start();
  ASSERT_TRUE(until([&] { return control->breaker().find("NET-302") != std::string::npos; }));
  EXPECT_FALSE(control->up());
  server.reopen();
  ASSERT_TRUE(until([&] { return control->up(); }));
  EXPECT_EQ(control->breaker(), "closed");
  EXPECT_EQ(metrics.breaker.value(), 0);
}

}  // namespace
}  // namespace hawser::agent
