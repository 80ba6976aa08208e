#include "session/server_pool.hpp"

#include <gtest/gtest.h>

namespace hawser::session {
namespace {

using namespace std::chrono_literals;
using Failure = Backoff::Failure;

const RandomBits kZero = [] { return std::uint64_t{0}; };
const Time kNow{1h};

Server server(std::string host, bool tls = true) {
  return {.host = std::move(host), .port = 4222, .tls = tls, .server_name = {}};
}

ServerPool pool_of(std::vector<Server> servers, bool randomize = false, const RandomBits& random = kZero) {
  ServerPoolOptions options;
  options.backoff = {.wait = 1s, .max_wait = 8s, .denied_wait = 4s, .denied_max_wait = 1min};
  options.randomize = randomize;
  options.max_gossiped = 4;
  auto pool = ServerPool::make(std::move(servers), options, random);
  EXPECT_TRUE(pool);
  return std::move(*pool);
}

std::string host_of(const ServerPool& pool, Time now = kNow) { return pool.server(pool.next(now).id)->host; }

TEST(ServerPool, refuses_to_be_empty) {
  const auto pool = ServerPool::make({}, {}, kZero);
  ASSERT_FALSE(pool);
  EXPECT_EQ(pool.error().code, Errc::no_servers);
}

TEST(ServerPool, tries_the_configured_ones_in_their_order_and_each_once) {
  ServerPool pool = pool_of({server("a"), server("b"), server("a"), server("c")});
  EXPECT_EQ(pool.size(), 3U);
  for (const char* const host : {"a", "b", "c"}) {
    const ServerPool::Attempt attempt = pool.next(kNow);
    EXPECT_EQ(pool.server(attempt.id)->host, host);
    EXPECT_EQ(attempt.at, kNow);
    pool.failed(attempt.id, Failure::denied, kNow);
  }
}

TEST(ServerPool, tries_them_in_a_random_order_when_asked) {
  std::uint64_t state = 3;
  const RandomBits random = [&state] { return (state = state * 6364136223846793005U + 1) >> 33U; };
  std::array<int, 3> firsts{};
  for (int i = 0; i < 300; ++i) {
    const ServerPool pool = pool_of({server("a"), server("b"), server("c")}, true, random);
    ++firsts[static_cast<std::size_t>(host_of(pool)[0] - 'a')];
  }
  for (const int count : firsts) EXPECT_GT(count, 50);
}

TEST(ServerPool, waits_for_the_one_that_is_ready_first_when_all_have_failed) {
  ServerPool pool = pool_of({server("a"), server("b")});
  const ServerPool::Id a = pool.next(kNow).id;
  pool.failed(a, Failure::denied, kNow);  // at least 2 s
  const ServerPool::Id b = pool.next(kNow).id;
  ASSERT_NE(a, b);
  pool.failed(b, Failure::denied, kNow + 1s);
  const ServerPool::Attempt attempt = pool.next(kNow + 1s);
  EXPECT_EQ(attempt.id, a);
  EXPECT_EQ(attempt.at, kNow + 2s);
}

TEST(ServerPool, prefers_the_last_good_one_and_above_it_the_one_that_is_asked_for) {
  ServerPool pool = pool_of({server("a"), server("b"), server("c")});
  const ServerPool::Id a = pool.next(kNow).id;
  pool.failed(a, Failure::unreachable, kNow);
  pool.connected(pool.next(kNow).id);
  EXPECT_EQ(host_of(pool), "b");
  EXPECT_EQ(pool.next(kNow, a).id, a);
}

TEST(ServerPool, tries_a_lame_duck_last_until_its_time_is_over) {
  ServerPool pool = pool_of({server("a"), server("b")});
  const ServerPool::Id a = pool.next(kNow).id;
  pool.connected(a);
  pool.lame_duck(a, kNow);
  EXPECT_EQ(host_of(pool), "b");
  EXPECT_EQ(pool.server(pool.next(kNow, a).id)->host, "b") << "even if it is preferred";
  EXPECT_EQ(host_of(pool, kNow + 3min), "a");
}

TEST(ServerPool, may_try_all_at_once_when_inputs_have_changed) {
  ServerPool pool = pool_of({server("a")});
  const ServerPool::Id a = pool.next(kNow).id;
  for (int i = 0; i < 5; ++i) pool.failed(a, Failure::denied, kNow);
  EXPECT_GT(pool.next(kNow).at, kNow);
  pool.inputs_changed();
  EXPECT_EQ(pool.next(kNow).at, kNow);
}

TEST(ServerPool, never_drops_tls_on_the_way) {
  const ServerPool mixed = pool_of({server("a", false), server("b", true)});
  EXPECT_TRUE(mixed.tls());
  EXPECT_TRUE(mixed.server(mixed.next(kNow).id)->tls);

  ServerPool pool = pool_of({server("a")});
  const ServerPool::Id a = pool.next(kNow).id;
  EXPECT_EQ(pool.gossip(std::vector<std::string>{"b:4222"}, a), 0U);
  pool.failed(a, Failure::denied, kNow);
  const Server* const gossiped = pool.server(pool.next(kNow).id);
  EXPECT_EQ(gossiped->host, "b");
  EXPECT_TRUE(gossiped->tls);
  EXPECT_TRUE(gossiped->gossiped);
}

TEST(ServerPool, asks_a_gossiped_server_for_the_right_name) {
  struct Row {
    const char* configured;
    const char* fixed_name;
    const char* gossiped;
    const char* expected;
  };
  const Row rows[] = {
      {"nats.example.com", "", "other.example.com:4222", "other.example.com"},
      {"nats.example.com", "", "10.0.0.7:4222", "nats.example.com"},
      {"nats.example.com", "", "[fd00::7]:4222", "nats.example.com"},
      {"10.0.0.1", "", "10.0.0.7:4222", "10.0.0.7"},
      {"10.0.0.1", "nats.example.com", "10.0.0.7:4222", "nats.example.com"},
      {"a.example.com", "nats.example.com", "b.example.com:4222", "nats.example.com"},
  };
  for (const Row& row : rows) {
    Server first = server(row.configured);
    first.server_name = row.fixed_name;
    first.name_is_fixed = !first.server_name.empty();
    ServerPool pool = pool_of({first});
    const ServerPool::Id id = pool.next(kNow).id;
    EXPECT_EQ(pool.gossip(std::vector<std::string>{row.gossiped}, id), 0U);
    pool.failed(id, Failure::denied, kNow);
    EXPECT_EQ(pool.server(pool.next(kNow).id)->server_name, row.expected) << row.gossiped;
  }
}

TEST(ServerPool, leaves_out_gossip_that_is_no_address_or_too_much) {
  ServerPool pool = pool_of({server("a")});
  const ServerPool::Id a = pool.next(kNow).id;
  const std::vector<std::string> hostile = {"",
                                            "b",
                                            ":4222",
                                            "b:",
                                            "b:0",
                                            "b:65536",
                                            "b:-1",
                                            "b:42x",
                                            "b c:4222",
                                            "b\r\nPUB:4222",
                                            "::1:4222",
                                            "[::1:4222",
                                            "tls://b:4222",
                                            "user@b:4222",
                                            "[]:4222",
                                            std::string(300, 'b') + ":4222"};
  EXPECT_EQ(pool.gossip(hostile, a), hostile.size());
  EXPECT_EQ(pool.size(), 1U);
  EXPECT_EQ(pool.gossip(std::vector<std::string>{"b:1", "b:1", "b:2", "b:3", "b:4", "b:5", "b:6"}, a), 2U);
  EXPECT_EQ(pool.size(), 5U);
}

TEST(ServerPool, forgets_what_is_not_gossiped_any_more_but_not_the_one_it_is_on) {
  ServerPool pool = pool_of({server("a")});
  const ServerPool::Id a = pool.next(kNow).id;
  pool.gossip(std::vector<std::string>{"a:4222", "b:4222", "c:4222"}, a);
  EXPECT_EQ(pool.size(), 3U);
  pool.failed(a, Failure::denied, kNow);
  const ServerPool::Id b = pool.next(kNow).id;
  ASSERT_EQ(pool.server(b)->host, "b");
  pool.connected(b);
  pool.gossip(std::vector<std::string>{"d:4222"}, b);
  EXPECT_EQ(pool.size(), 3U) << "a was configured, b is the one it is on, d is new";
  EXPECT_EQ(host_of(pool), "b");
}

TEST(ServerPool, writes_addresses_as_nats_does) {
  EXPECT_EQ(server("nats.example.com").text(), "nats.example.com:4222");
  EXPECT_EQ(server("fd00::7").text(), "[fd00::7]:4222");
}

}  // namespace
}  // namespace hawser::session
