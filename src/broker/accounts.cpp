#include "broker/accounts.hpp"

namespace hawser::broker {

AccountState& Accounts::at(std::string_view name) {
  const std::lock_guard lock(mutex_);
  auto at = accounts_.find(name);
  if (at == accounts_.end()) {
    at = accounts_.emplace(std::string(name), std::make_unique<AccountState>(std::string(name))).first;
  }
  return *at->second;
}

std::vector<AccountState*> Accounts::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<AccountState*> accounts;
  accounts.reserve(accounts_.size());
  for (const auto& [name, account] : accounts_) {
    accounts.push_back(account.get());
  }
  return accounts;
}

}  // namespace hawser::broker
