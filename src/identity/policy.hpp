// What an operator's accounts and users are to be, as one file declares it (config/policy_file.hpp reads it).
//
// Plain values. What a policy does not speak of stays as it is: signing keys, revocations, mappings, JetStream's
// limits.
//
//   Policy policy = …;   Result<Plan> plan = make_plan(policy, holdings, ring, now, {});
#pragma once

#include <string>
#include <vector>

#include "identity/claims.hpp"
#include "identity/policy_expiry.hpp"

namespace hawser::identity {

struct PolicyExport {
  ShareKind kind = ShareKind::stream;
  std::string subject{};
  bool is_private = false;
  ResponseKind response = ResponseKind::singleton;
  std::string description{};
  std::string place{};  // "policy.yaml:12:5", as everywhere here
};

struct PolicyImport {
  ShareKind kind = ShareKind::stream;
  std::string account{};  // its name
  std::string subject{};
  std::string local_subject{};  // empty: the same
  bool share = false;
  std::string place{};
};

struct PolicyUser {
  std::string name{};
  UserLimits limits{};
  Expiry expiry{};
  std::vector<std::string> tags{};
  std::string place{};
};

struct PolicyAccount {
  std::string name{};
  std::string description{};
  AccountLimits limits{};
  ClaimPermissions default_permissions{};
  Expiry expiry{};
  std::vector<PolicyExport> exports{};
  std::vector<PolicyImport> imports{};
  std::vector<PolicyUser> users{};
  std::string place{};
};

struct Policy {
  std::string operator_name{};  // empty: the only one of the store
  std::vector<PolicyAccount> accounts{};
};

}  // namespace hawser::identity
