// From what a store holds to what a policy declares: the steps, each with what it changes, and the JWTs that make it
// so.
//
// make_plan() writes nothing; it draws keys for what is new and signs, so that a plan that can be made can be carried
// out. Applied twice, the second plan is empty. Not synchronised.
//
//   Result<Plan> plan = make_plan(policy, *read_holdings(store), ring, now, {});   carry_out(*plan, store, ring);
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "identity/policy.hpp"
#include "identity/store.hpp"
#include "identity/store_keys.hpp"

namespace hawser::identity {

// All that a store has of one operator.
struct Holdings {
  StoredOperator op{};
  std::vector<StoredAccount> accounts{};
  std::map<std::string, std::vector<StoredUser>, std::less<>> users{};  // by their account's name

  [[nodiscard]] const StoredAccount* account(std::string_view name) const;
  [[nodiscard]] const StoredUser* user(std::string_view account, std::string_view name) const;
};
[[nodiscard]] Result<Holdings> read_holdings(const Store& store);

struct PlanStep {
  enum class Kind : std::uint8_t { create, change, remove };
  Kind kind = Kind::create;
  std::string account{};
  std::string user{};                  // empty: the account itself
  std::string key{};                   // its public key
  std::string token{};                 // empty when it is removed
  std::vector<std::string> details{};  // "pub.allow: [a] -> [a, b]"
};

struct Plan {
  std::vector<PlanStep> steps{};
  std::vector<std::string> notes{};  // what the store has beside the policy, and what the policy cannot change
  std::vector<KeyPair> keys{};       // of what is new
};

struct PlanOptions {
  bool prune = false;       // remove what the policy does not name; never the system account
  bool revoke_old = false;  // what was issued before to users that change is void
};

// `ring` is lent the new keys. Errors: policy_invalid with every mistake, a line each; id_key_missing and the others of
// Issuer.
[[nodiscard]] Result<Plan> make_plan(const Policy& policy, const Holdings& holdings, KeyRing& ring,
                                     std::chrono::sys_seconds now, const PlanOptions& options);

// Keys first, then accounts, then users with their creds. Errors: those of Store and KeyRing; what is done stays, and a
// new plan goes on.
[[nodiscard]] Result<void> carry_out(const Plan& plan, const Store& store, const KeyRing& ring);

// What two tokens say differently, apart from who signed them and when; a line each.
[[nodiscard]] std::vector<std::string> differences(std::string_view before, std::string_view after);

}  // namespace hawser::identity
