#include "identity/policy_plan.hpp"

#include <algorithm>

#include "identity/findings.hpp"
#include "identity/policy_sharing.hpp"
#include "identity/store_issue.hpp"
#include "identity/token.hpp"

namespace hawser::identity {
namespace {

template <class List>
auto find_named(List& list, std::string_view name) -> decltype(&list.front()) {
  const auto found = std::find_if(list.begin(), list.end(), [name](const auto& one) { return one.name == name; });
  return found == list.end() ? nullptr : &*found;
}

// One account on its way: what it says now, and what it will.
struct Draft {
  const PolicyAccount* wanted;
  const StoredAccount* before;  // null: it is new
  AccountClaims claims;
};

class Planner {
 public:
  Planner(const Policy& policy, const Holdings& holdings, KeyRing& ring, std::chrono::sys_seconds now,
          const PlanOptions& options)
      : policy_(policy), holdings_(holdings), ring_(ring), issuer_(ring, now), now_(now), options_(options) {}

  Result<Plan> make();

 private:
  Result<void> draft_accounts();
  Result<void> plan_users(Draft& draft);
  Result<void> plan_user(Draft& draft, const PolicyUser& wanted);
  void plan_removals(Draft& draft);
  Result<void> add_imports(Draft& draft);
  Result<ImportClaim> import_of(Draft& draft, const PolicyImport& wanted, const AccountClaims& exporter);
  Result<void> sign_account(const Draft& draft);
  void plan_accounts_beside();

  [[nodiscard]] const AccountClaims* exporter(std::string_view name) const;
  [[nodiscard]] ExportClaim export_of(const Draft& draft, const PolicyExport& wanted) const;
  Result<std::string> key_for(KeyKind kind);
  void check(const Claims& claims, const std::string& place, const std::string& what);
  void mistake(const std::string& place, const std::string& what) {
    mistakes_ += (mistakes_.empty() ? "" : "\n") + place + (place.empty() ? "" : ": ") + what;
  }

  const Policy& policy_;
  const Holdings& holdings_;
  KeyRing& ring_;
  Issuer issuer_;
  std::chrono::sys_seconds now_;
  PlanOptions options_;
  std::vector<Draft> drafts_;
  std::vector<PlanStep> account_steps_;
  std::vector<PlanStep> user_steps_;
  std::string mistakes_;
  Plan plan_;
};

Result<std::string> Planner::key_for(KeyKind kind) {
  auto key = KeyPair::create(kind);
  auto second = key ? copy_of(*key) : std::unexpected(key.error());
  if (!second) {
    return std::unexpected(std::move(second.error()));
  }
  std::string text = key->public_key().text();
  ring_.lend(std::move(*second));
  plan_.keys.push_back(std::move(*key));
  return text;
}

void Planner::check(const Claims& claims, const std::string& place, const std::string& what) {
  for (const ClaimFinding& finding : findings(claims, now_)) {
    if (finding.severity == ClaimFinding::Severity::error) {
      mistake(place, what + ": " + finding.member + ": " + finding.message);
    }
  }
}

// ---- accounts, but for their imports
// ----------------------------------------------------------------------------------

ExportClaim Planner::export_of(const Draft& draft, const PolicyExport& wanted) const {
  ExportClaim made;
  if (draft.before != nullptr) {  // its revocations, latency and the like stay
    for (const ExportClaim& one : draft.before->claims.exports) {
      if (one.subject == wanted.subject && one.kind == wanted.kind) {
        made = one;
      }
    }
  }
  made.subject = wanted.subject;
  made.kind = wanted.kind;
  made.name = made.name.empty() ? wanted.subject : made.name;
  made.token_required = wanted.is_private;
  made.response = wanted.response;
  made.description = wanted.description;
  return made;
}

Result<void> Planner::draft_accounts() {
  for (const PolicyAccount& wanted : policy_.accounts) {
    Draft draft{.wanted = &wanted, .before = holdings_.account(wanted.name), .claims = {}};
    if (draft.before != nullptr) {
      draft.claims = draft.before->claims;
    } else {
      auto key = key_for(KeyKind::account);
      if (!key) {
        return std::unexpected(std::move(key.error()));
      }
      draft.claims.subject = std::move(*key);
    }
    AccountClaims& claims = draft.claims;
    claims.name = wanted.name;
    claims.description = wanted.description;
    const std::string kept = claims.limits.unknown;
    claims.limits = wanted.limits;
    claims.limits.unknown = kept;
    claims.default_permissions = wanted.default_permissions;
    claims.expires = wanted.expiry.keeping(claims.expires, now_);
    claims.exports.clear();
    for (const PolicyExport& one : wanted.exports) {
      claims.exports.push_back(export_of(draft, one));
    }
    drafts_.push_back(std::move(draft));
  }
  return {};
}

// ---- users
// ------------------------------------------------------------------------------------------------------------

Result<void> Planner::plan_user(Draft& draft, const PolicyUser& wanted) {
  const StoredUser* before = holdings_.user(draft.wanted->name, wanted.name);
  UserClaims claims;
  if (before != nullptr) {
    claims = before->claims;
    if (revoked(draft.claims.revocations, claims.subject, claims.issued_at)) {
      plan_.notes.push_back("user " + draft.wanted->name + "/" + wanted.name + " is revoked, and stays so");
      return {};
    }
    if (const SigningKey* by = draft.claims.signing_key(claims.issuer); by != nullptr && by->scoped) {
      mistake(wanted.place, "the user " + wanted.name + " has the role " + by->role + ", whose permissions it has");
      return {};
    }
  } else {
    auto key = key_for(KeyKind::user);
    if (!key) {
      return std::unexpected(std::move(key.error()));
    }
    claims.subject = std::move(*key);
  }
  claims.name = wanted.name;
  claims.tags = wanted.tags;
  static_cast<UserLimits&>(claims) = wanted.limits;
  claims.expires = wanted.expiry.keeping(claims.expires, now_);
  check(Claims(claims), wanted.place, "the user " + wanted.name);
  auto token = issuer_.user(draft.claims, claims);
  if (!token) {
    return std::unexpected(std::move(token.error()));
  }
  std::vector<std::string> details =
      before == nullptr ? std::vector<std::string>() : differences(before->token, *token);
  if (before != nullptr && before->claims.issuer != draft.claims.subject &&
      draft.claims.signing_key(before->claims.issuer) == nullptr) {
    details.push_back("signed by another key: " + before->claims.issuer + " may not sign for the account");
  }
  if (before != nullptr && details.empty()) {
    return {};
  }
  if (before != nullptr && options_.revoke_old) {
    draft.claims.revocations[claims.subject] = now_;
    token = issuer_.user(draft.claims, claims);  // of a second later
    if (!token) {
      return std::unexpected(std::move(token.error()));
    }
  }
  user_steps_.push_back({.kind = before == nullptr ? PlanStep::Kind::create : PlanStep::Kind::change,
                         .account = draft.wanted->name,
                         .user = wanted.name,
                         .key = claims.subject,
                         .token = std::move(*token),
                         .details = std::move(details)});
  return {};
}

// Users whom the policy does not name: revoked, since their tokens would be good until they expire.
void Planner::plan_removals(Draft& draft) {
  const auto held = holdings_.users.find(draft.wanted->name);
  if (held == holdings_.users.end()) {
    return;
  }
  for (const StoredUser& user : held->second) {
    if (find_named(draft.wanted->users, user.name) != nullptr) {
      continue;
    }
    if (!options_.prune) {
      plan_.notes.push_back("user " + draft.wanted->name + "/" + user.name +
                            " is not in the policy; --prune removes it");
      continue;
    }
    draft.claims.revocations[user.claims.subject] = now_;
    user_steps_.push_back(
        {.kind = PlanStep::Kind::remove, .account = draft.wanted->name, .user = user.name, .key = user.claims.subject});
  }
}

Result<void> Planner::plan_users(Draft& draft) {
  for (const PolicyUser& wanted : draft.wanted->users) {
    if (auto done = plan_user(draft, wanted); !done) {
      return done;
    }
  }
  plan_removals(draft);
  return {};
}

// ---- imports, once every export is known
// --------------------------------------------------------------------------------

const AccountClaims* Planner::exporter(std::string_view name) const {
  for (const Draft& draft : drafts_) {
    if (draft.wanted->name == name) {
      return &draft.claims;
    }
  }
  const StoredAccount* held = holdings_.account(name);
  return held == nullptr ? nullptr : &held->claims;
}

Result<ImportClaim> Planner::import_of(Draft& draft, const PolicyImport& wanted, const AccountClaims& from) {
  ImportClaim made;
  if (draft.before != nullptr) {
    for (const ImportClaim& one : draft.before->claims.imports) {
      if (one.account == from.subject && one.subject == wanted.subject && one.kind == wanted.kind) {
        made = one;
      }
    }
  }
  made.account = from.subject;
  made.subject = wanted.subject;
  made.kind = wanted.kind;
  made.name = made.name.empty() ? wanted.subject : made.name;
  made.local_subject = wanted.local_subject;
  made.to.clear();
  made.share = wanted.share;
  if (!export_for(from, wanted.subject, wanted.kind)->token_required) {
    made.token.clear();
  } else if (!activation_holds(made, draft.claims.subject, from, now_)) {
    auto token = issuer_.activation(from, made, draft.claims.subject);
    if (!token) {
      return std::unexpected(std::move(token.error()));
    }
    made.token = std::move(*token);
  }
  return made;
}

Result<void> Planner::add_imports(Draft& draft) {
  std::vector<ImportClaim> imports;
  for (const PolicyImport& wanted : draft.wanted->imports) {
    const AccountClaims* from = exporter(wanted.account);
    if (from == nullptr) {
      mistake(wanted.place, "there is no account \"" + wanted.account + "\", neither here nor in the store");
      continue;
    }
    if (export_for(*from, wanted.subject, wanted.kind) == nullptr) {
      mistake(wanted.place, "the account " + wanted.account + " does not export the " +
                                (wanted.kind == ShareKind::service ? "service " : "stream ") + wanted.subject);
      continue;
    }
    auto made = import_of(draft, wanted, *from);
    if (!made) {
      return std::unexpected(std::move(made.error()));
    }
    imports.push_back(std::move(*made));
  }
  draft.claims.imports = std::move(imports);
  return {};
}

Result<void> Planner::sign_account(const Draft& draft) {
  auto token = issuer_.account(holdings_.op.claims, draft.claims);
  if (!token) {
    return std::unexpected(std::move(token.error()));
  }
  std::vector<std::string> details =
      draft.before == nullptr ? std::vector<std::string>() : differences(draft.before->token, *token);
  const std::vector<std::string> trusted = holdings_.op.claims.trusted_keys();
  if (draft.before != nullptr &&
      std::find(trusted.begin(), trusted.end(), draft.before->claims.issuer) == trusted.end()) {
    details.push_back("signed by another key: " + draft.before->claims.issuer + " may not sign for the operator");
  }
  if (draft.before != nullptr && details.empty()) {
    return {};
  }
  account_steps_.push_back({.kind = draft.before == nullptr ? PlanStep::Kind::create : PlanStep::Kind::change,
                            .account = draft.wanted->name,
                            .key = draft.claims.subject,
                            .token = std::move(*token),
                            .details = std::move(details)});
  return {};
}

void Planner::plan_accounts_beside() {
  for (const StoredAccount& held : holdings_.accounts) {
    if (find_named(policy_.accounts, held.name) != nullptr ||
        held.claims.subject == holdings_.op.claims.system_account) {
      continue;
    }
    if (!options_.prune) {
      plan_.notes.push_back("account " + held.name + " is not in the policy; --prune removes it");
      continue;
    }
    user_steps_.push_back({.kind = PlanStep::Kind::remove, .account = held.name, .key = held.claims.subject});
  }
}

Result<Plan> Planner::make() {
  if (auto done = draft_accounts(); !done) {
    return std::unexpected(std::move(done.error()));
  }
  for (Draft& draft : drafts_) {
    auto done = plan_users(draft);
    if (done) {
      done = add_imports(draft);
    }
    if (!done) {
      return std::unexpected(std::move(done.error()));
    }
    check(Claims(draft.claims), draft.wanted->place, "the account " + draft.wanted->name);
  }
  if (!mistakes_.empty()) {
    return fail(Errc::policy_invalid, mistakes_);
  }
  for (const Draft& draft : drafts_) {
    if (auto done = sign_account(draft); !done) {
      return std::unexpected(std::move(done.error()));
    }
  }
  plan_accounts_beside();
  plan_.steps = std::move(account_steps_);
  plan_.steps.insert(plan_.steps.end(), std::make_move_iterator(user_steps_.begin()),
                     std::make_move_iterator(user_steps_.end()));
  return std::move(plan_);
}

Result<void> carry_out_step(const PlanStep& step, const Store& store, const KeyRing& ring) {
  if (step.kind == PlanStep::Kind::remove) {
    return step.user.empty() ? store.erase_account(step.account) : store.erase_user(step.account, step.user);
  }
  if (step.user.empty()) {
    return store.put_account(step.account, step.token);
  }
  if (auto put = store.put_user(step.account, step.user, step.token); !put) {
    return put;
  }
  const auto key = ring.find(step.key);
  if (!key) {  // made elsewhere; then its creds are, too
    return key.error().code == Errc::id_key_missing ? Result<void>() : std::unexpected(key.error());
  }
  const auto creds = store.put_creds(step.account, step.user, step.token, *key);
  return creds ? Result<void>() : std::unexpected(creds.error());
}

}  // namespace

const StoredAccount* Holdings::account(std::string_view name) const { return find_named(accounts, name); }

const StoredUser* Holdings::user(std::string_view account, std::string_view name) const {
  const auto held = users.find(account);
  return held == users.end() ? nullptr : find_named(held->second, name);
}

Result<Holdings> read_holdings(const Store& store) {
  auto op = store.read_operator();
  auto accounts = op ? store.accounts() : std::unexpected(op.error());
  if (!accounts) {
    return std::unexpected(std::move(accounts.error()));
  }
  Holdings holdings{.op = std::move(*op), .accounts = std::move(*accounts)};
  for (const StoredAccount& account : holdings.accounts) {
    auto users = store.users(account.name);
    if (!users) {
      return std::unexpected(std::move(users.error()));
    }
    holdings.users.emplace(account.name, std::move(*users));
  }
  return holdings;
}

Result<Plan> make_plan(const Policy& policy, const Holdings& holdings, KeyRing& ring, std::chrono::sys_seconds now,
                       const PlanOptions& options) {
  return Planner(policy, holdings, ring, now, options).make();
}

Result<void> carry_out(const Plan& plan, const Store& store, const KeyRing& ring) {
  for (const KeyPair& key : plan.keys) {
    if (auto saved = ring.save(key); !saved) {
      return saved;
    }
  }
  for (const PlanStep& step : plan.steps) {
    if (auto done = carry_out_step(step, store, ring); !done) {
      return done;
    }
  }
  return {};
}

}  // namespace hawser::identity
