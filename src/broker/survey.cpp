#include "broker/survey.hpp"

#include <algorithm>
#include <functional>

#include "wire/subject.hpp"

namespace hawser::broker {
namespace {

constexpr std::size_t kPiece = 2000;  // subscriptions that are looked at in one visit

SubscriptionFacts facts_of(const Subscription& subscription, std::uint64_t client) {
  return {.account = subscription.account->name,
          .subject = subscription.subject,
          .queue = subscription.queue,
          .sid = subscription.sid,
          .delivered = subscription.delivered,
          .max = subscription.max,
          .cid = client};
}

// Goes through the clients' subscriptions visit by visit, until `look` has seen enough.
void walk(Worker& worker, const std::vector<std::uint64_t>& clients,
          const std::function<bool(const Subscription&, std::uint64_t client)>& look) {
  std::size_t at = 0;
  std::size_t bucket = 0;
  bool go_on = true;
  while (at < clients.size() && go_on) {
    const bool answered = worker.inspect([&](Worker& here) {
      for (std::size_t left = kPiece; left > 0 && at < clients.size() && go_on;) {
        const Client* client = here.find(clients[at]);
        bucket = client == nullptr || client->ended()
                     ? 0
                     : client->visit_subscriptions(
                           bucket, left, [&](const Subscription& one) { go_on = go_on && look(one, clients[at]); });
        left -= left > 0 ? 1 : 0;
        at += bucket == 0 ? 1 : 0;
      }
    });
    go_on = go_on && answered;
  }
}

}  // namespace

void survey(Worker& worker, const SubscriptionQuery& query, std::vector<SubscriptionFacts>& all) {
  std::vector<std::uint64_t> clients;
  worker.inspect([&](Worker& here) {
    for (const auto& [id, client] : here.all()) {
      if (client->view() != nullptr && (query.account.empty() || client->view()->account.name == query.account)) {
        clients.push_back(id);
      }
    }
  });
  std::ranges::sort(clients);
  walk(worker, clients, [&](const Subscription& one, std::uint64_t client) {
    if (all.size() < query.most && (query.test.empty() || wire::matches(one.subject, query.test))) {
      all.push_back(facts_of(one, client));
    }
    return all.size() < query.most;
  });
}

void survey(Worker& worker, std::uint64_t client, std::vector<SubscriptionFacts>& all) {
  walk(worker, {client}, [&](const Subscription& one, std::uint64_t) {
    all.push_back(facts_of(one, client));
    return true;
  });
}

}  // namespace hawser::broker
