#include "broker/closed_connections.hpp"

#include <gtest/gtest.h>
#include <set>
#include <thread>

#include "broker/monitor_source.hpp"

namespace hawser::broker {
namespace {

std::vector<std::uint64_t> ids(const ClosedConnections& closed) {
  std::vector<std::uint64_t> all;
  for (const ConnectionFacts& each : closed.list()) {
    all.push_back(each.cid);
  }
  return all;
}

TEST(ClosedConnections, keeps_the_newest_in_their_order) {
  ClosedConnections closed(3);
  EXPECT_TRUE(closed.list().empty());
  for (std::uint64_t cid = 1; cid <= 2; ++cid) {
    closed.add(test::connection(cid));
  }
  EXPECT_EQ(ids(closed), (std::vector<std::uint64_t>{1, 2}));
  for (std::uint64_t cid = 3; cid <= 8; ++cid) {
    closed.add(test::connection(cid));
  }
  EXPECT_EQ(ids(closed), (std::vector<std::uint64_t>{6, 7, 8}));
  EXPECT_EQ(closed.total(), 8U);
  EXPECT_TRUE(closed.find(7));
  EXPECT_FALSE(closed.find(5));
}

TEST(ClosedConnections, keeps_more_or_fewer_when_told_so) {
  ClosedConnections closed(3);
  for (std::uint64_t cid = 1; cid <= 5; ++cid) {
    closed.add(test::connection(cid));
  }
  closed.keep(5);
  closed.add(test::connection(6));
  EXPECT_EQ(ids(closed), (std::vector<std::uint64_t>{3, 4, 5, 6}));
  closed.keep(2);
  EXPECT_EQ(ids(closed), (std::vector<std::uint64_t>{5, 6}));
  closed.add(test::connection(7));
  EXPECT_EQ(ids(closed), (std::vector<std::uint64_t>{6, 7}));
  closed.keep(0);
  closed.add(test::connection(8));
  EXPECT_TRUE(closed.list().empty());
  EXPECT_EQ(closed.total(), 8U);
}

TEST(ClosedConnections, drops_what_only_a_live_connection_tells) {
  ClosedConnections closed(3);
  ConnectionFacts facts = test::connection(1);
  facts.subscriptions = 1;
  facts.subscriptions_list = {test::subscription("A", "foo", 1)};
  facts.tls_peer_certs = {{"CN=leaf", "a", "b"}, {"CN=ca", "c", "d"}};
  closed.add(std::move(facts));
  const auto kept = closed.find(1);
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->subscriptions_list.empty());
  EXPECT_EQ(kept->subscriptions, 1U);
  ASSERT_EQ(kept->tls_peer_certs.size(), 1U);
  EXPECT_EQ(kept->tls_peer_certs[0].subject, "CN=leaf");
}

TEST(ClosedConnections, may_keep_none) {
  ClosedConnections closed(0);
  closed.add(test::connection(1));
  EXPECT_TRUE(closed.list().empty());
  EXPECT_EQ(closed.total(), 1U);
}

TEST(ClosedConnections, takes_from_several_threads_while_it_is_read) {
  ClosedConnections closed(64);
  std::vector<std::thread> adding;
  for (std::uint64_t t = 0; t < 4; ++t) {
    adding.emplace_back([&closed, t] {
      for (std::uint64_t i = 0; i < 500; ++i) {
        closed.add(test::connection(t * 1000 + i + 1));
      }
    });
  }
  while (closed.total() < 2000) {
    const auto seen = ids(closed);
    EXPECT_LE(seen.size(), 64U);
    EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), seen.size());
  }
  for (std::thread& each : adding) {
    each.join();
  }
  EXPECT_EQ(closed.list().size(), 64U);
}

TEST(CloseReasons, each_have_a_text_of_their_own) {
  std::set<std::string_view> texts;
  for (int i = 0; i <= static_cast<int>(CloseReason::message_header_violation); ++i) {
    const std::string_view text = to_string(static_cast<CloseReason>(i));
    EXPECT_TRUE(texts.insert(text).second) << text;
    EXPECT_NE(text, "Unknown State") << i;
  }
  EXPECT_EQ(to_string(CloseReason::slow_consumer_pending_bytes), "Slow Consumer (Pending Bytes)");
}

}  // namespace
}  // namespace hawser::broker
