#include "net/resolver.hpp"

#include <atomic>
#include <future>
#include <vector>

#include "net/loop.hpp"

namespace hawser::net {
namespace {

using namespace test;
using Found = Result<std::vector<Address>>;

// A look-up that waits until it is let go.
class Gate {
 public:
  Resolver::LookUp look_up() {
    return [this](const std::string& host, std::uint16_t port) -> Found {
      ++asked;
      entered.store(true);
      open_.wait(false);
      if (host == "unknown") {
        return fail(Errc::resolve_failed, "\"unknown\"");
      }
      return std::vector<Address>{*Address::literal("192.0.2.1", port)};
    };
  }
  void open() {
    open_.store(true);
    open_.notify_all();
  }
  void await_entered() const {
    while (!entered) {
      std::this_thread::yield();
    }
  }
  std::atomic<int> asked = 0;
  std::atomic<bool> entered = false;

 private:
  std::atomic<bool> open_ = false;
};

TEST(Resolver, literal_addresses_need_no_look_up_and_answer_in_a_later_turn) {
  auto reactor = must(Reactor::create());
  Resolver resolver([](const std::string&, std::uint16_t) -> Found { return fail(Errc::internal_error, "asked"); });
  for (const char* ip : {"127.0.0.1", "::1"}) {
    std::optional<Found> found;
    const auto query = resolver.resolve(*reactor, ip, 4222, [&](Found answer) { found = std::move(answer); });
    EXPECT_FALSE(found);
    ASSERT_TRUE(until(*reactor, [&] { return found.has_value(); }));
    ASSERT_TRUE(found->has_value());
    EXPECT_TRUE((*found)->front() == *Address::literal(ip, 4222));
  }
}

TEST(Resolver, the_system_knows_localhost) {
  auto reactor = must(Reactor::create());
  Resolver resolver;
  std::optional<Found> found;
  const auto query = resolver.resolve(*reactor, "localhost", 4222, [&](Found answer) { found = std::move(answer); });
  ASSERT_TRUE(until(*reactor, [&] { return found.has_value(); }));
  ASSERT_TRUE(found->has_value()) << found->error().message();
  for (const Address& address : **found) {
    EXPECT_TRUE(address.is_loopback()) << address.text();
    EXPECT_EQ(address.port(), 4222);
  }
}

TEST(Resolver, a_name_that_cannot_be_is_an_error_with_the_name) {
  auto reactor = must(Reactor::create());
  Resolver resolver;
  std::optional<Found> found;
  // An empty label: refused without asking a server.
  const auto query = resolver.resolve(*reactor, "a..b", 4222, [&](Found answer) { found = std::move(answer); });
  ASSERT_TRUE(until(*reactor, [&] { return found.has_value(); }));
  ASSERT_FALSE(found->has_value());
  EXPECT_EQ(found->error().code, Errc::resolve_failed);
  EXPECT_NE(found->error().doing.find("a..b"), std::string::npos);
}

TEST(Resolver, asks_once_for_all_who_wait_for_the_same_name) {
  auto reactor = must(Reactor::create());
  Gate gate;
  Resolver resolver(gate.look_up());
  int answers = 0;
  std::vector<Resolver::Query> queries;
  for (int i = 0; i < 500; ++i) {
    queries.push_back(resolver.resolve(*reactor, "one", 4222, [&](Found found) { answers += found.has_value(); }));
  }
  int others = 0;
  queries.push_back(resolver.resolve(*reactor, "one", 4333, [&](Found found) {
    others += found.has_value() && found->front().port() == 4333;
  }));
  queries.push_back(resolver.resolve(*reactor, "unknown", 4222, [&](Found found) { others += !found.has_value(); }));
  gate.open();
  ASSERT_TRUE(until(*reactor, [&] { return answers == 500 && others == 2; }));
  EXPECT_LE(gate.asked, 4) << "one name, asked for at most twice, and two others";
}

TEST(Resolver, an_answer_that_nobody_wants_any_more_is_dropped) {
  auto reactor = must(Reactor::create());
  Gate gate;
  Resolver resolver(gate.look_up());
  auto query = resolver.resolve(*reactor, "one", 1, [&](Found) { ADD_FAILURE() << "not wanted"; });
  gate.await_entered();
  query.reset();
  bool answered = false;
  const auto second = resolver.resolve(*reactor, "two", 1, [&](Found) { answered = true; });
  gate.open();
  EXPECT_TRUE(until(*reactor, [&] { return answered; }));
}

TEST(Resolver, stop_drops_what_waits_and_posts_nothing_more) {
  auto reactor = must(Reactor::create());
  Gate gate;
  Resolver resolver(gate.look_up());
  const auto running = resolver.resolve(*reactor, "one", 1, [&](Found) { ADD_FAILURE() << "after stop"; });
  const auto waiting = resolver.resolve(*reactor, "two", 1, [&](Found) { ADD_FAILURE() << "after stop"; });
  gate.await_entered();
  auto stopped = std::async(std::launch::async, [&] { resolver.stop(); });
  while (!resolver.stopping()) {
    std::this_thread::yield();
  }
  EXPECT_EQ(stopped.wait_for(1ms), std::future_status::timeout) << "did not wait for the one that runs";
  gate.open();
  stopped.get();
  reactor->turn(0ms);
  EXPECT_EQ(gate.asked, 1);
  reactor.reset();
}

}  // namespace
}  // namespace hawser::net
