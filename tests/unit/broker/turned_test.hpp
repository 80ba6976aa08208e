// What the tests of clients and workers share: a turned broker, clients that have said CONNECT, and what they read.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <string_view>

#include "broker/turned_broker.hpp"

namespace hawser::broker::test {

inline constexpr std::string_view kQuiet = R"({"verbose":false,"pedantic":false})";
inline constexpr std::string_view kModern =
    R"({"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"protocol":1})";

inline User plain_user(std::string name, std::string account = {}, std::optional<Permissions> permissions = {}) {
  User user;
  user.name = std::move(name);
  user.password = Secret(std::string_view("p"));
  user.account = std::move(account);
  user.permissions = std::move(permissions);
  return user;
}
inline std::string as(std::string_view user) {
  return R"({"verbose":false,"pedantic":false,"user":")" + std::string(user) + R"(","pass":"p"})";
}

inline std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) {
    ++found;
  }
  return found;
}

inline std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

struct Turned : ::testing::Test {
  static Settings two_threads() {
    Settings settings;
    settings.threads = 2;
    return settings;
  }

  void start(Settings settings = two_threads()) {
    auto made = TurnedBroker::make(std::move(settings));
    ASSERT_TRUE(made.has_value()) << made.error().message();
    broker = std::move(*made);
  }

  // Connected, greeted, and with a CONNECT behind it.
  [[nodiscard]] TurnedClient client(std::size_t worker, std::string_view json = kQuiet) {
    TurnedClient one = broker->connect(worker);
    one.send("CONNECT " + std::string(json) + "\r\n");
    broker->turn(3);
    one.receive();
    EXPECT_TRUE(one.take_received().starts_with("INFO "));
    ids.push_back(broker->hub().next_client);
    return one;
  }
  // All of it, with turns in between so that the broker takes it.
  void say(TurnedClient& one, std::string_view text) {
    ASSERT_TRUE(broker->until([&] {
      text.remove_prefix(one.send(text));
      return text.empty();
    }));
    broker->turn(2);
  }
  std::string heard(TurnedClient& one, int turns = 3) {
    broker->turn(turns);
    one.receive();
    return one.take_received();
  }
  // Until what it read ends like this.
  ::testing::AssertionResult hears(TurnedClient& one, std::string_view end) {
    const bool came = broker->until([&] {
      one.receive();
      return one.received().ends_with(end) || one.ended();
    });
    return came && one.received().ends_with(end)
               ? ::testing::AssertionSuccess()
               : ::testing::AssertionFailure() << one.received().substr(0, 2000) << (one.ended() ? " (ended)" : "");
  }
  ::testing::AssertionResult ends(TurnedClient& one) {
    return broker->until([&] {
      one.receive();
      return one.ended();
    })
               ? ::testing::AssertionSuccess()
               : ::testing::AssertionFailure() << one.received().substr(0, 2000);
  }
  Client& inside(const TurnedClient& one, std::uint64_t id) { return *broker->worker(one.worker()).find(id); }
  [[nodiscard]] CloseReason last_reason() { return broker->hub().closed.list().back().reason; }

  std::unique_ptr<TurnedBroker> broker;
  std::vector<std::uint64_t> ids;  // of the clients, in the order of client()
};

}  // namespace hawser::broker::test
