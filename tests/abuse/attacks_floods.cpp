// Too much of what is allowed: subscriptions, churn, pings, messages, and readers who do not read.
#include <array>
#include <string>

#include "swarm.hpp"

namespace abuse {
namespace {

using namespace std::string_view_literals;

// Deep subjects, wildcards in every combination, and members of one huge queue group.
std::string subscriptions(Swarm& swarm, std::size_t first_sid, std::size_t count) {
  static constexpr std::array kTokens = {"a"sv, "b"sv, "*"sv, "*"sv};
  std::string text;
  for (std::size_t sid = first_sid; sid < first_sid + count; ++sid) {
    text += "SUB x";
    switch (swarm.any(4)) {
      case 0: text += repeated(".deep", 1 + swarm.any(200)); break;
      case 1: text += "." + std::to_string(swarm.any(100'000)); break;
      default:
        for (int i = 0; i < 12; ++i) {
          text.append(".").append(swarm.any_of(kTokens));
        }
        text += swarm.any(3) == 0 ? ".>" : ".end";
    }
    text += swarm.any(3) == 0 ? " group " : " ";
    text += std::to_string(sid) + "\r\n";
  }
  return text;
}

void subscription_flood(Swarm& swarm) {
  constexpr std::size_t kStep = 500;
  constexpr std::size_t kMost = 20'000;
  swarm.add({.name = "subscription-flood",
             .wanted = 4,
             .births_a_second = 4,
             .open =
                 [](Connection& c) {
                   c.send(login("evil"));
                   c.wake_in(Milliseconds(10));
                 },
             .time =
                 [&swarm](Connection& c) {
                   if (c.stage < kMost) {
                     c.send(subscriptions(swarm, c.stage, kStep));
                   } else if (c.stage < kMost + 40 * kStep) {
                     for (int i = 0; i < 4; ++i) {  // each takes another way through the wildcards
                       c.send("PUB x" + repeated(swarm.any(2) == 0 ? ".a" : ".b", 12) + "." +
                              std::to_string(swarm.any(1000)) + " 1\r\nx\r\n");
                     }
                     c.send("UNSUB " + std::to_string(swarm.any(kMost)) + "\r\n");
                   } else {
                     c.reset();
                   }
                   c.stage += kStep;
                   c.wake_in(Milliseconds(c.unsent() > (1UL << 20U) ? 500 : 40));
                 }});
}

void subscription_churn(Swarm& swarm) {
  static const std::string churn =
      repeated("SUB > 1\r\nUNSUB 1\r\nSUB *.> q 2\r\nUNSUB 2\r\nSUB good.* 3\r\nUNSUB 3 1\r\n", 20);
  swarm.add({.name = "subscription-churn",
             .wanted = 4,
             .births_a_second = 4,
             .open =
                 [](Connection& c) {
                   c.send(login("evil"));
                   c.wake_in(Milliseconds(10));
                 },
             .time =
                 [](Connection& c) {
                   if (c.unsent() == 0) {
                     c.send(churn);
                   }
                   c.wake_in(Milliseconds(10));
                 }});
}

// Members come and go in the middle of messages to their group.
void queue_churn(Swarm& swarm) {
  swarm.add({.name = "queue-churn",
             .wanted = 24,
             .births_a_second = 24,
             .open =
                 [](Connection& c) {
                   c.send(login("evil") + "SUB churned g 1\r\n");
                   c.wake_in(Milliseconds(10));
                 },
             .time =
                 [&swarm](Connection& c) {
                   c.send(repeated("PUB churned r 2\r\nhi\r\n", 1 + swarm.any(30)));
                   c.send("UNSUB 1\r\nSUB churned g 1\r\n");
                   swarm.any(40) == 0 ? c.reset() : c.wake_in(Milliseconds(20 + swarm.any(30)));
                 }});
}

void deaf_pings(Swarm& swarm) {
  static const std::string pings = repeated("PING\r\n", 5000);
  static const std::string errors = repeated("SUB a..b 1\r\n", 2500);
  static const std::string nobody = "SUB _R 1\r\n" + repeated("PUB nobody _R 0\r\n\r\n", 1500);
  swarm.add({.name = "deaf-askers",
             .wanted = 30,
             .births_a_second = 10,
             .open =
                 [](Connection& c) {
                   c.read(false);
                   c.send(login("evil"));
                   c.wake_in(Milliseconds(20));
                 },
             .time =
                 [&swarm](Connection& c) {
                   if (c.unsent() == 0) {
                     c.send(swarm.any_of(std::array{pings, errors, nobody}));
                   }
                   ++c.stage > 200 ? c.reset() : c.wake_in(Milliseconds(50));
                 }});
}

// Deaf readers of a flood, and those who let it flow.
void slow_consumers(Swarm& swarm) {
  swarm.add({.name = "slow-consumers",
             .wanted = 10,
             .births_a_second = 4,
             .open =
                 [](Connection& c) {
                   c.read(false);
                   c.send(login("evil") + "SUB flood.> 1\r\n");
                   c.wake_in(Milliseconds(15'000));
                 },
             .time = [](Connection& c) { c.reset(); }});
  static const std::string small = repeated("PUB flood.a 16\r\n0123456789abcdef\r\n", 300);
  static const std::string large = "PUB flood.b 65536\r\n" + std::string(65536, 'L') + "\r\n";
  swarm.add({.name = "flood",
             .wanted = 4,
             .births_a_second = 4,
             .open =
                 [](Connection& c) {
                   c.send(login("evil"));
                   c.wake_in(Milliseconds(10));
                 },
             .time =
                 [&swarm](Connection& c) {
                   if (c.unsent() == 0) {
                     c.send(swarm.any(4) == 0 ? large : small);
                   }
                   c.wake_in(Milliseconds(10));
                 }});
}

// What they may not do, again and again.
void violations(Swarm& swarm) {
  static const std::string denied = repeated("PUB secret 1\r\nx\r\nSUB secret.> 1\r\nPUB ok _R_.x 0\r\n\r\n", 20);
  swarm.add({.name = "violations",
             .wanted = 10,
             .births_a_second = 10,
             .open =
                 [](Connection& c) {
                   c.send(login("narrow"));
                   c.wake_in(Milliseconds(20));
                 },
             .time =
                 [](Connection& c) {
                   c.send(denied);
                   c.wake_in(Milliseconds(50));
                 }});
}

// Many accounts, on whichever thread; each talks to itself.
void accounts(Swarm& swarm) {
  constexpr std::size_t kAccounts = 300;  // as many as `run` configures
  swarm.add({.name = "accounts",
             .wanted = 600,
             .births_a_second = 200,
             .open =
                 [](Connection& c) {
                   c.send(login("a" + std::to_string(c.id() % kAccounts)) +
                          "SUB talk 1\r\nSUB ask q 2\r\nSUB _R.> 3\r\n");
                   c.wake_in(Milliseconds(50));
                 },
             .time =
                 [&swarm](Connection& c) {
                   c.send("PUB talk 5\r\nhello\r\nPUB ask _R.1 0\r\n\r\nPUB nobody _R.2 0\r\n\r\nPING\r\n");
                   swarm.any(100) == 0 ? c.close() : c.wake_in(Milliseconds(200 + swarm.any(400)));
                 }});
}

}  // namespace

void add_flood_attacks(Swarm& swarm) {
  subscription_flood(swarm);
  subscription_churn(swarm);
  queue_churn(swarm);
  deaf_pings(swarm);
  slow_consumers(swarm);
  violations(swarm);
  accounts(swarm);
}

}  // namespace abuse
