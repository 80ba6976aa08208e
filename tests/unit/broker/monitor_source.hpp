// A source of made-up snapshots for the tests of the monitoring.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/monitor.hpp"
#include "wire/subject.hpp"

namespace hawser::broker::test {

class MadeUpSource final : public MonitorSource {
 public:
  std::shared_ptr<Settings> settings_now = std::make_shared<Settings>();
  ServerFacts server_now;
  std::vector<ConnectionFacts> open;
  ClosedConnections gone{100};
  std::vector<AccountFacts> accounts_now;
  std::vector<SubscriptionFacts> all_subscriptions;
  std::string trouble_now;

  std::shared_ptr<const Settings> settings() override { return settings_now; }
  ServerFacts identity() override { return server_now; }
  std::vector<ConnectionFacts> connections(const ConnectionQuery& query) override {
    std::vector<ConnectionFacts> found;
    for (const ConnectionFacts& each : open) {
      if (query.cid == 0 || query.cid == each.cid) {
        found.push_back(each);
        if (!query.subscriptions) {
          found.back().subscriptions_list.clear();
        }
      }
    }
    return found;
  }
  const ClosedConnections& closed() override { return gone; }
  std::vector<AccountFacts> accounts() override { return accounts_now; }
  std::vector<SubscriptionFacts> subscriptions(const SubscriptionQuery& query) override {
    std::vector<SubscriptionFacts> found;
    for (const SubscriptionFacts& each : all_subscriptions) {
      const bool asked = (query.account.empty() || query.account == each.account) &&
                         (query.test.empty() || wire::matches(each.subject, query.test));
      if (asked && found.size() < query.most) {
        found.push_back(each);
      }
    }
    return found;
  }
  std::string trouble() override { return trouble_now; }
};

inline ConnectionFacts connection(std::uint64_t cid, std::chrono::seconds age = std::chrono::seconds(100)) {
  ConnectionFacts facts;
  facts.cid = cid;
  facts.ip = "127.0.0.1";
  facts.port = static_cast<std::uint16_t>(40000 + cid);
  facts.start = wall_now() - age;
  facts.last_activity = facts.start + std::chrono::seconds(1);
  facts.account = kGlobalAccount;
  return facts;
}

inline SubscriptionFacts subscription(std::string account, std::string subject, std::uint64_t cid,
                                      std::string queue = {}) {
  SubscriptionFacts facts;
  facts.account = std::move(account);
  facts.subject = std::move(subject);
  facts.queue = std::move(queue);
  facts.sid = "1";
  facts.cid = cid;
  return facts;
}

inline AccountFacts account(std::string name, std::uint64_t connections, std::uint64_t subscriptions = 0) {
  AccountFacts facts;
  facts.name = std::move(name);
  facts.connections = connections;
  facts.sublist.subscriptions = subscriptions;
  return facts;
}

}  // namespace hawser::broker::test
