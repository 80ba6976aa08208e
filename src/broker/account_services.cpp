#include "broker/account_services.hpp"

#include <algorithm>
#include <utility>

#include "broker/service_imports.hpp"

namespace hawser::broker {
namespace {

bool contains(const std::vector<ServiceImportPtr>& services, const ServiceImport& wanted) {
  return std::ranges::any_of(services, [&](const ServiceImportPtr& one) { return *one == wanted; });
}

void apply_imports(Accounts& accounts, AccountState& account, const std::vector<ServiceImportPtr>& wanted) {
  auto& present = account.service_imports;
  std::erase_if(present, [&](const auto& subscription) {
    const bool gone = !contains(wanted, subscription->import());
    if (gone) {
      account.sublist.remove(subscription);
    }
    return gone;
  });
  for (const ServiceImportPtr& import : wanted) {
    if (std::ranges::any_of(present, [&](const auto& one) { return one->import() == *import; })) {
      continue;
    }
    present.push_back(std::make_shared<ServiceImportSubscription>(import, account, accounts.at(import->exporter)));
    account.sublist.insert(present.back());
  }
}

template <class T>
void keep(AccountState& account, routing::SubscriptionPtr& place, bool wanted) {
  if (wanted && place == nullptr) {
    place = std::make_shared<T>(account);
    account.sublist.insert(place);
  } else if (!wanted && place != nullptr) {
    account.sublist.remove(place);
    place.reset();
  }
}

}  // namespace

void apply_services(Accounts& accounts, const AccountRuleSet& rules, UserInfo user_info) {
  for (AccountState* account : accounts.all()) {
    const AccountRules& own = rules.of(account->name);
    keep<ServiceResponseSubscription>(*account, account->answers, own.responds);
    keep<UserInfoSubscription>(*account, account->user_info, user_info == UserInfo::answered);
    apply_imports(accounts, *account, own.services);
    account->responses.keep_only(
        [&](const ServiceImport& import) { return contains(rules.of(import.importer).services, import); });
  }
}

}  // namespace hawser::broker
