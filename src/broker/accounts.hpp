// Accounts at run time: each has a subject space of its own, which every thread routes by.
//
// An AccountState lives as long as the broker, once a client or the configuration has named it: routes and
// subscriptions point to it. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.hpp"
#include "broker/service_responses.hpp"
#include "routing/sublist.hpp"

namespace hawser::broker {

class ServiceImportSubscription;

struct AccountState {
  explicit AccountState(std::string account_name) : name(std::move(account_name)) {}
  AccountState(const AccountState&) = delete;
  AccountState& operator=(const AccountState&) = delete;

  const std::string name;
  routing::Sublist sublist;
  std::atomic<std::int64_t> connections{0};
  std::atomic<std::int64_t> subscriptions{0};
  metrics::Counter total_connections;
  metrics::Counter slow_consumers;
  ServiceResponses responses;  // that it owes to other accounts
  // What the broker itself listens for in it (account_services.hpp); of the thread that starts and reloads.
  std::vector<std::shared_ptr<ServiceImportSubscription>> service_imports;
  routing::SubscriptionPtr answers;
  routing::SubscriptionPtr user_info;
};

class Accounts {
 public:
  // Makes it when there is none.
  [[nodiscard]] AccountState& at(std::string_view name);
  [[nodiscard]] std::vector<AccountState*> all() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<AccountState>, std::less<>> accounts_;
};

}  // namespace hawser::broker
