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
#include "routing/sublist.hpp"

namespace hawser::broker {

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
