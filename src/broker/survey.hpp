// The subscriptions of a worker's clients, for monitoring: a piece at a time, so that the worker serves its clients in
// between, however many there are.
//
// Called on any thread but a worker's. What changes meanwhile may be there or not.
//
//   for (const auto& worker : workers) survey(*worker, query, all);
#pragma once

#include <vector>

#include "broker/facts.hpp"
#include "broker/worker.hpp"

namespace hawser::broker {

// Adds those that the query asks for, until there are `query.most`. Client by client, in an order that stays while
// nothing changes.
void survey(Worker& worker, const SubscriptionQuery& query, std::vector<SubscriptionFacts>& all);

// Adds the subscriptions of one client.
void survey(Worker& worker, std::uint64_t client, std::vector<SubscriptionFacts>& all);

}  // namespace hawser::broker
