// What flows between accounts, compiled: exports, imports and mappings of Settings::accounts, checked against each
// other with nats-server's words.
//
// Immutable, shared between threads as a pointer to const; one configuration, one AccountRuleSet. Pure.
//
//   std::vector<Error> mistakes;
//   AccountRuleSetPtr rules = compile_accounts(settings.accounts, mistakes);   // null with mistakes
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "broker/settings.hpp"
#include "routing/subject_transform.hpp"
#include "routing/weighted_mapping.hpp"

namespace hawser::broker {

// What one account's clients hear of what is published in another.
struct StreamImport {
  std::string exporter;
  std::string from;                                // a pattern in the exporter's account
  std::string to;                                  // the same, as a pattern in the importer's
  std::optional<routing::SubjectTransform> there;  // from `from` to `to`; none: the subject stays, or `to` is literal
  std::optional<routing::SubjectTransform> back;

  // Where the exporter's messages are to be listened for, so that a subscription of the importer gets exactly those
  // that it matches; nothing if none can.
  [[nodiscard]] std::optional<std::string> listen_for(std::string_view subscribed) const;
  // The subject that the importer hears; `scratch` may hold it.
  [[nodiscard]] std::string_view heard_as(std::string_view published, std::string& scratch) const;
  bool operator==(const StreamImport& other) const;
};
using StreamImportPtr = std::shared_ptr<const StreamImport>;

// Requests that one account's clients make of another.
struct ServiceImport {
  std::string importer;
  std::string exporter;
  std::string from;                                // a pattern in the importer's account
  std::string to;                                  // a pattern in the exporter's
  std::optional<routing::SubjectTransform> there;  // from `from` to `to`; none: the subject stays, or `to` is literal
  bool share = false;
  std::string exported;  // the export that allows it
  ResponseType response = ResponseType::singleton;
  Duration response_threshold{};

  [[nodiscard]] std::string_view asked_as(std::string_view published, std::string& scratch) const;
  bool operator==(const ServiceImport& other) const;
};
using ServiceImportPtr = std::shared_ptr<const ServiceImport>;

struct AccountRules {
  std::vector<StreamImportPtr> streams;
  std::vector<ServiceImportPtr> services;
  routing::SubjectMappings mappings;  // of what its clients publish, and of requests from other accounts
  std::int64_t max_connections = -1;  // negative: no limit
  std::int64_t max_subscriptions = -1;
  std::int64_t max_payload = -1;
  bool responds = false;  // somebody imports a service of it, or it imports one: answers go through it
};

class AccountRuleSet {
 public:
  // Of an account that has none: empty ones.
  [[nodiscard]] const AccountRules& of(std::string_view account) const;
  [[nodiscard]] const std::map<std::string, AccountRules, std::less<>>& all() const noexcept { return accounts_; }

 private:
  friend class AccountCompiler;
  std::map<std::string, AccountRules, std::less<>> accounts_;
};
using AccountRuleSetPtr = std::shared_ptr<const AccountRuleSet>;

// All mistakes are added, each with its place.
[[nodiscard]] AccountRuleSetPtr compile_accounts(const std::vector<Account>& accounts, std::vector<Error>& mistakes);
// The same without what is mistaken, for accounts that others write: one that errs must not stop the rest. Never null.
[[nodiscard]] AccountRuleSetPtr compile_what_fits(const std::vector<Account>& accounts, std::vector<Error>& mistakes);

}  // namespace hawser::broker
