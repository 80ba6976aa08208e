// Requests to services of other accounts, and their answers, on their way through the broker; and the one service that
// every account has, $SYS.REQ.USER.INFO.
//
//   requestor's account  "ask.me"  ──ServiceImportSubscription──►  exporter's account "req.me", reply "_R_.…"
//          its inbox     ◄──ServiceResponseSubscription──  the service answers to "_R_.…"
#pragma once

#include "broker/accounts.hpp"
#include "broker/service_subscription.hpp"

namespace hawser::broker {

// How a message came from another account; on the stack while it is routed. A chain of imports has several.
struct ServiceHop {
  const ServiceImport* import = nullptr;
  const ServiceHop* before = nullptr;
};

class ServiceImportSubscription final : public ServiceSubscription {
 public:
  // In the requestor's table; the exporter's account is one that stays.
  ServiceImportSubscription(ServiceImportPtr import, AccountState& requestor, AccountState& exporter);
  bool take(Worker& worker, const Message& message) override;

  [[nodiscard]] const ServiceImport& import() const noexcept { return *import_; }

 private:
  std::string describe_client(Worker& worker, const Message& message) const;

  ServiceImportPtr import_;
  AccountState& requestor_;
  AccountState& exporter_;
};

class ServiceResponseSubscription final : public ServiceSubscription {
 public:
  explicit ServiceResponseSubscription(AccountState& exporter);
  bool take(Worker& worker, const Message& message) override;

 private:
  AccountState& exporter_;
};

class UserInfoSubscription final : public ServiceSubscription {
 public:
  explicit UserInfoSubscription(AccountState& account);
  bool take(Worker& worker, const Message& message) override;

 private:
  AccountState& account_;
};

}  // namespace hawser::broker
