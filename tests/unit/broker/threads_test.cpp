// Two workers on threads of their own, for ThreadSanitizer most of all.
#include <atomic>
#include <gtest/gtest.h>
#include <poll.h>
#include <string>
#include <thread>

#include "broker/survey.hpp"
#include "broker/turned_test.hpp"

namespace hawser::broker {
namespace {

using namespace test;

constexpr int kPatienceMs = 20'000;  // that only a defect needs

// A hub whose workers run, and blocking clients.
struct Threads : ::testing::Test {
  void start(Settings settings) {
    auto made = TurnedBroker::make(std::move(settings), TurnedBroker::Turning::by_threads);
    ASSERT_TRUE(made.has_value()) << made.error().message();
    broker = std::move(*made);
  }
  void TearDown() override {
    for (std::size_t i = 0; i < broker->workers(); ++i) {
      broker->worker(i).stop();
    }
  }

  std::unique_ptr<TurnedBroker> broker;
};

bool wait_for(const TurnedClient& client, short events) {
  pollfd wait{.fd = client.fd(), .events = events, .revents = 0};
  return ::poll(&wait, 1, kPatienceMs) == 1;
}

void say(TurnedClient& client, std::string_view text) {
  while (!text.empty() && !client.ended()) {
    const std::size_t taken = client.send(text);
    text.remove_prefix(taken);
    if (taken == 0) {
      client.receive();  // so that nobody waits for the other
      if (!text.empty() && !wait_for(client, POLLOUT)) {
        ADD_FAILURE() << "the broker does not read";
        return;
      }
    }
  }
}

bool hear(TurnedClient& client, const std::function<bool(const std::string&)>& enough) {
  while (!enough(client.received())) {
    if (client.ended() || !wait_for(client, POLLIN)) {
      return false;
    }
    client.receive();
  }
  return true;
}

// Connected, and its CONNECT taken.
TurnedClient join(TurnedBroker& broker, std::size_t worker, std::string_view json = kQuiet) {
  TurnedClient client = broker.connect(worker);
  say(client, "CONNECT " + std::string(json) + "\r\nPING\r\n");
  EXPECT_TRUE(hear(client, [](const std::string& all) { return all.ends_with("PONG\r\n"); }));
  std::ignore = client.take_received();
  return client;
}

void subscribe(TurnedClient& client, const std::string& line) {
  say(client, line + "\r\nPING\r\n");
  EXPECT_TRUE(hear(client, [](const std::string& all) { return all.ends_with("PONG\r\n"); }));
  std::ignore = client.take_received();
}

TEST_F(Threads, everything_arrives_in_order_while_others_come_and_go_and_reloads_happen) {
  const auto settings = [](int version) {
    Settings made;
    made.threads = 2;
    made.authorization.users.push_back(plain_user("u"));
    if (version % 2 == 1) {
      made.authorization.users.push_back(plain_user("extra"));
    }
    return made;
  };
  start(settings(0));
  constexpr int kMessages = 3000;
  std::atomic<bool> over{false};
  std::vector<std::thread> readers;
  std::vector<TurnedClient> subscribers;
  for (std::size_t i = 0; i < 4; ++i) {
    subscribers.push_back(join(*broker, i % 2, as("u")));
    subscribe(subscribers.back(), "SUB from.* 1");
  }
  TurnedClient publishers[] = {join(*broker, 0, as("u")), join(*broker, 1, as("u"))};
  for (TurnedClient& subscriber : subscribers) {
    readers.emplace_back([&subscriber] {
      EXPECT_TRUE(hear(subscriber, [](const std::string& all) { return count(all, " end\r\n") == 2; }));
    });
  }
  std::thread churner([&] {
    while (!over) {
      for (const std::size_t worker : {0U, 1U}) {
        TurnedClient brief = broker->connect(worker);
        say(brief, "CONNECT " + as("u") + "\r\nSUB from.> 1\r\nSUB from.a q 2\r\nUNSUB 1 3\r\nPING\r\n");
        hear(brief, [](const std::string& all) { return all.find("PONG") != std::string::npos; });
      }
    }
  });
  std::vector<std::thread> writers;
  for (const std::size_t which : {0U, 1U}) {
    writers.emplace_back([&, which] {
      const std::string subject = which == 0 ? "from.a" : "from.b";
      for (int i = 0; i < kMessages; ++i) {
        const std::string text = std::to_string(i) + (i + 1 == kMessages ? " end" : "");
        say(publishers[which], "PUB " + subject + " " + std::to_string(text.size()) + "\r\n" + text + "\r\n");
      }
    });
  }
  for (int version = 1; version <= 20; ++version) {
    ASSERT_TRUE(broker->reload(settings(version)).has_value());
    std::this_thread::yield();
  }
  for (std::thread& writer : writers) {
    writer.join();
  }
  for (std::thread& reader : readers) {
    reader.join();
  }
  over = true;
  churner.join();
  for (const TurnedClient& subscriber : subscribers) {
    for (const std::string_view subject : {"from.a", "from.b"}) {
      std::size_t at = 0;
      for (int i = 0; i < kMessages; ++i) {
        const std::string text = std::to_string(i) + (i + 1 == kMessages ? " end" : "");
        const std::string frame =
            "MSG " + std::string(subject) + " 1 " + std::to_string(text.size()) + "\r\n" + text + "\r\n";
        at = subscriber.received().find(frame, at);
        ASSERT_NE(at, std::string::npos) << frame;
      }
    }
  }
}

TEST_F(Threads, a_queue_group_whose_members_leave_loses_nothing_of_what_they_had_not_got) {
  Settings settings;
  settings.threads = 2;
  start(std::move(settings));
  constexpr std::size_t kMessages = 4000;
  TurnedClient publisher = join(*broker, 0);
  TurnedClient stays[] = {join(*broker, 0), join(*broker, 1)};
  for (TurnedClient& one : stays) {
    subscribe(one, "SUB q g 1");
  }
  std::atomic<bool> over{false};
  std::atomic<std::size_t> elsewhere{0};
  std::thread leavers([&] {
    while (!over) {
      TurnedClient one = join(*broker, 1);
      say(one, "SUB q g 1\r\nPING\r\n");
      EXPECT_TRUE(hear(one, [](const std::string& all) { return all.find("PONG\r\n") != std::string::npos; }));
      say(one, "UNSUB 1\r\nPING\r\n");
      EXPECT_TRUE(hear(one, [](const std::string& all) { return count(all, "PONG\r\n") == 2; }));
      elsewhere += count(one.received(), "MSG q 1 1\r\n");
    }
  });
  const std::string burst = repeated("PUB q 1\r\nx\r\n", 50);
  for (std::size_t sent = 0; sent < kMessages; sent += 50) {
    say(publisher, burst);
    std::this_thread::yield();
  }
  say(publisher, "PING\r\n");
  EXPECT_TRUE(hear(publisher, [](const std::string& all) { return all.ends_with("PONG\r\n"); }));
  over = true;
  leavers.join();
  const auto arrived = [&] {
    std::size_t all = elsewhere;
    for (TurnedClient& one : stays) {
      one.receive();
      all += count(one.received(), "MSG q 1 1\r\n");
    }
    return all;
  };
  const Time end = hawser::now() + std::chrono::seconds(20);
  while (arrived() < kMessages && hawser::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_EQ(arrived(), kMessages);
}

TEST_F(Threads, one_who_does_not_read_is_cut_off_on_another_thread) {
  Settings settings;
  settings.threads = 2;
  settings.limits.max_pending = 16UL << 20U;
  start(std::move(settings));
  TurnedClient deaf = join(*broker, 1);
  TurnedClient good = join(*broker, 1);
  TurnedClient publisher = join(*broker, 0);
  subscribe(deaf, "SUB f 1");
  subscribe(good, "SUB f 1");
  constexpr std::size_t kMessages = 20'000;
  constexpr std::size_t kFrame = std::string_view("MSG f 1 1000\r\n").size() + 1002;
  std::atomic<std::size_t> read{0};
  std::thread reader([&] {
    EXPECT_TRUE(hear(good, [&](const std::string& all) {
      read = all.size();
      read.notify_all();
      return all.size() >= kMessages * kFrame;
    }));
    read = kMessages * kFrame;
    read.notify_all();
  });
  const std::string piece = repeated("PUB f 1000\r\n" + std::string(1000, 'x') + "\r\n", 1000);
  for (std::size_t sent = 0; sent < kMessages; sent += 1000) {
    say(publisher, piece);
    for (std::size_t now = read; now + 2000 * kFrame < sent * kFrame; now = read) {
      read.wait(now);  // the good one has a machine to share, and is not to be taken for slow
    }
  }
  reader.join();
  const Time end = hawser::now() + std::chrono::seconds(20);
  while (!deaf.ended() && hawser::now() < end) {
    deaf.receive();
  }
  EXPECT_TRUE(deaf.ended());
}

TEST_F(Threads, a_survey_lists_thousands_of_subscriptions_in_pieces_and_each_of_them_once) {
  Settings settings;
  settings.threads = 2;
  start(std::move(settings));
  TurnedClient many = join(*broker, 0);
  TurnedClient few = join(*broker, 0);
  constexpr std::size_t kMany = 9000;
  std::string lines;
  for (std::size_t i = 0; i < kMany; ++i) {
    lines += "SUB many." + std::to_string(i) + " " + std::to_string(i) + "\r\n";
  }
  lines += "PING\r\n";
  say(many, lines);
  EXPECT_TRUE(hear(many, [](const std::string& all) { return all.ends_with("PONG\r\n"); }));
  subscribe(few, "SUB few.* q 1");
  std::vector<SubscriptionFacts> all;
  survey(broker->worker(0), {.account = {}, .test = {}, .most = 100'000}, all);
  std::set<std::string> subjects;
  for (const SubscriptionFacts& one : all) {
    subjects.insert(one.subject);
  }
  EXPECT_EQ(all.size(), kMany + 1);
  EXPECT_EQ(subjects.size(), kMany + 1);
  all.clear();
  survey(broker->worker(0), {.account = {}, .test = {}, .most = 5000}, all);
  EXPECT_EQ(all.size(), 5000U);
  all.clear();
  survey(broker->worker(0), {.account = kGlobalAccount, .test = "few.x", .most = 10}, all);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all.front().queue, "q");
  all.clear();
  survey(broker->worker(0), 1, all);
  EXPECT_EQ(all.size(), kMany);
  all.clear();
  survey(broker->worker(1), {.account = {}, .test = {}, .most = 10}, all);
  EXPECT_TRUE(all.empty());
}

}  // namespace
}  // namespace hawser::broker
