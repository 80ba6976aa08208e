// `hawser id rotate`: new keys, while the old ones stay good for a while.
#include "cli/id_rotate.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <memory>

#include "base/clock.hpp"
#include "base/file.hpp"
#include "base/quantity.hpp"
#include "cli/connection.hpp"
#include "identity/creds_text.hpp"
#include "identity/store_retiring.hpp"
#include "identity/token.hpp"

namespace hawser::cli {
namespace {

namespace json = boost::json;
using identity::KeyKind;
using identity::RetiringKey;
using identity::Store;
using identity::StoredAccount;

struct RotateOptions {
  StoreFlags store;
  std::string account;
  std::string name;
  std::string role;
  std::string overlap = "24h";
  std::string out;
  bool all = false;
};

struct Rotated {
  std::string what{};
  std::string old_key{};  // empty: there was none to replace
  std::string new_key{};
  std::chrono::sys_seconds until{};
  std::vector<std::string> signed_anew{};
  std::string creds{};
};

void tell(const Rotated& done, const IdStore& id, bool as_json) {
  const bool at_once = done.until <= id.now;
  if (as_json) {
    json::object facts{{"rotated", done.what},
                       {"old_key", done.old_key},
                       {"new_key", done.new_key},
                       {"signed_anew", json::value_from(done.signed_anew)},
                       {"old_until", to_rfc3339(done.until)}};
    if (!done.creds.empty()) {
      facts["creds"] = done.creds;
    }
    fmt::print("{}\n", json::serialize(facts));
    return;
  }
  fmt::print("rotated {}\n  new key      {}\n", done.what, done.new_key);
  if (!done.old_key.empty()) {
    fmt::print("  old key      {}, {}\n", done.old_key,
               at_once ? "no longer good" : "good until " + when_text(done.until, id.now));
  }
  for (const std::string& one : done.signed_anew) {
    fmt::print("  signed anew  {}\n", one);
  }
  if (!done.creds.empty()) {
    fmt::print("  creds        {}\n", done.creds);
  }
  print_notice(at_once ? "`hawser id push` brings it to servers"
                       : "hand out what is new; `hawser id push` after that time ends the old key",
               false);
}

Result<std::chrono::sys_seconds> end_of_overlap(const RotateOptions& options, const IdStore& id) {
  const auto overlap = parse_duration(options.overlap);
  if (!overlap) {
    return fail(Errc::bad_quantity, "--overlap " + options.overlap);
  }
  return id.now + std::chrono::floor<std::chrono::seconds>(*overlap);
}

Result<void> remember(const IdStore& id, RetiringKey key) {
  auto keys = identity::read_retiring(id.store);
  if (!keys) {
    return std::unexpected(std::move(keys.error()));
  }
  keys->push_back(std::move(key));
  return identity::write_retiring(id.store, *keys);
}

// ---- users
// --------------------------------------------------------------------------------------------------------------

Result<void> rotate_user(const RotateOptions& options, bool as_json) {
  auto id = open_id_store(options.store, Store::Access::write);
  auto account = id ? chosen_account(*id, options.account) : std::unexpected(id.error());
  auto user = account ? id->store.user(account->name, options.name) : std::unexpected(account.error());
  const auto until = user ? end_of_overlap(options, *id) : std::unexpected(user.error());
  if (!until) {
    return std::unexpected(until.error());
  }
  const auto key = new_key(*id, KeyKind::user);
  if (!key) {
    return std::unexpected(key.error());
  }
  const std::string old = std::exchange(user->claims.subject, key->public_key().text());
  // Remembered first: a key that is forgotten would stay good for ever.
  if (auto kept = remember(*id, {.key = old, .account = account->name, .user = options.name, .until = *until}); !kept) {
    return kept;
  }
  const auto token = put_user(*id, account->claims, account->name, options.name, user->claims);
  if (!token) {
    return std::unexpected(token.error());
  }
  const auto creds = id->store.put_creds(account->name, options.name, *token, *key);
  if (!creds) {
    return std::unexpected(creds.error());
  }
  if (!options.out.empty()) {
    const Secret text = identity::creds_text(*token, *key);
    if (auto written = write_file_atomically(options.out, text.reveal(), FileMode::owner_only); !written) {
      return written;
    }
  }
  if (*until <= id->now) {
    if (auto done = retire_due(*id, Due::by_now); !done) {
      return std::unexpected(std::move(done.error()));
    }
  }
  tell({.what = fmt::format("the user {} of {}", options.name, account->name),
        .old_key = old,
        .new_key = user->claims.subject,
        .until = *until,
        .creds = options.out.empty() ? creds->string() : options.out},
       *id, as_json);
  return {};
}

// ---- signing keys
// -------------------------------------------------------------------------------------------------------

// The signing key to replace: that of the role, else the first one without a scope; null when there is none.
identity::SigningKey* replaced_key(identity::AccountClaims& claims, const std::string& role) {
  const auto found = std::find_if(claims.signing_keys.begin(), claims.signing_keys.end(), [&role](const auto& one) {
    return role.empty() ? !one.scoped : one.scoped && one.role == role;
  });
  return found == claims.signing_keys.end() ? nullptr : &*found;
}

Result<std::vector<std::string>> replace_account_key(IdStore& id, StoredAccount& account, const std::string& old,
                                                     const std::string& role) {
  if (auto put = put_account(id, account.name, account.claims); !put) {
    return std::unexpected(std::move(put.error()));
  }
  const std::string before = old.empty() ? account.claims.subject : old;
  auto names = sign_users_anew(id, account, before, role);
  const auto more = names ? sign_activations_anew(id, account, before) : std::unexpected(names.error());
  if (!more) {
    return std::unexpected(more.error());
  }
  names->insert(names->end(), more->begin(), more->end());
  return names;
}

Result<void> rotate_account(const RotateOptions& options, bool as_json) {
  auto id = open_id_store(options.store, Store::Access::write);
  auto account = id ? chosen_account(*id, options.name) : std::unexpected(id.error());
  const auto until = account ? end_of_overlap(options, *id) : std::unexpected(account.error());
  if (!until) {
    return std::unexpected(until.error());
  }
  identity::SigningKey* replaced = replaced_key(account->claims, options.role);
  if (replaced == nullptr && !options.role.empty()) {
    return fail(Errc::id_not_found, "looking for the role \"" + options.role + "\" in " + account->name);
  }
  const auto key = new_key(*id, KeyKind::account);
  if (!key) {
    return std::unexpected(key.error());
  }
  const std::string old = replaced == nullptr ? std::string() : replaced->key;
  identity::SigningKey fresh = replaced == nullptr ? identity::SigningKey{} : *replaced;  // with its scope
  fresh.key = key->public_key().text();
  account->claims.signing_keys.insert(account->claims.signing_keys.begin(), fresh);  // in front: the next to sign
  if (!old.empty()) {
    if (auto kept = remember(*id, {.key = old, .account = account->name, .until = *until}); !kept) {
      return kept;
    }
  }
  auto signed_anew = replace_account_key(*id, *account, old, options.role);
  if (!signed_anew) {
    return std::unexpected(std::move(signed_anew.error()));
  }
  if (!old.empty() && *until <= id->now) {
    if (auto done = retire_due(*id, Due::by_now); !done) {
      return std::unexpected(std::move(done.error()));
    }
  }
  tell({.what = "the signing key of " + account->name,
        .old_key = old,
        .new_key = fresh.key,
        .until = *until,
        .signed_anew = *signed_anew},
       *id, as_json);
  return {};
}

Result<void> rotate_operator(const RotateOptions& options, bool as_json) {
  auto id = open_id_store(options.store, Store::Access::write);
  const auto until = id ? end_of_overlap(options, *id) : std::unexpected(id.error());
  if (!until) {
    return std::unexpected(until.error());
  }
  const auto key = new_key(*id, KeyKind::operator_key);
  if (!key) {
    return std::unexpected(key.error());
  }
  identity::OperatorClaims claims = id->op.claims;
  const std::string old = claims.signing_keys.empty() ? std::string() : claims.signing_keys.front();
  claims.signing_keys.insert(claims.signing_keys.begin(), key->public_key().text());
  if (!old.empty()) {
    if (auto kept = remember(*id, {.key = old, .until = *until}); !kept) {
      return kept;
    }
  }
  if (auto put = put_operator(*id, std::move(claims)); !put) {
    return put;
  }
  const auto signed_anew = sign_accounts_anew(*id, old.empty() ? id->op.claims.subject : old);
  if (!signed_anew) {
    return std::unexpected(signed_anew.error());
  }
  if (!old.empty() && *until <= id->now) {
    if (auto done = retire_due(*id, Due::by_now); !done) {
      return std::unexpected(std::move(done.error()));
    }
  }
  tell({.what = "the signing key of the operator " + id->op.name,
        .old_key = old,
        .new_key = key->public_key().text(),
        .until = *until,
        .signed_anew = *signed_anew},
       *id, as_json);
  print_notice(
      "servers have to trust the new key before accounts that it signed are pushed: give them the operator's new JWT "
      "first "
      "(`hawser id server-config`)",
      as_json);
  return {};
}

// ---- what is due
// --------------------------------------------------------------------------------------------------------

Result<void> due(const RotateOptions& options, bool as_json) {
  auto id = open_id_store(options.store, Store::Access::write);
  const auto done = id ? retire_due(*id, options.all ? Due::all : Due::by_now) : std::unexpected(id.error());
  if (!done) {
    return std::unexpected(done.error());
  }
  if (as_json) {
    fmt::print("{}\n", json::serialize(json::object{{"done", json::value_from(*done)}}));
    return {};
  }
  for (const std::string& line : *done) {
    fmt::print("{}\n", line);
  }
  if (done->empty()) {
    fmt::print("nothing is due\n");
  } else {
    print_notice("`hawser id push` brings it to servers", false);
  }
  return {};
}

CLI::App* add_kind(CLI::App& parent, const char* kind, const char* summary, const char* examples,
                   RotateOptions& options, Exit& exit) {
  CLI::App* command = add_command(parent, kind, summary, examples);
  command->add_option("--overlap", options.overlap, "For how long the old key stays good; 0: not at all")
      ->capture_default_str()
      ->type_name("DURATION");
  add_store_flags(*command, options.store);
  add_json_flag(*command, exit);
  return command;
}

}  // namespace

void add_id_rotate(CLI::App& id, Exit& exit) {
  CLI::App* parent =
      add_command(id, "rotate", "New keys, while the old ones stay good for a while",
                  "hawser id rotate user agent-kate --account nexo-prod --overlap 24h -o secrets/agent-kate.nkey\n"
                  "hawser id rotate account nexo-prod --overlap 7d\n"
                  "hawser id rotate due");
  parent->require_subcommand(1);

  auto user = std::make_shared<RotateOptions>();
  CLI::App* command = add_kind(
      *parent, "user", "A new key and new creds for a user",
      "hawser id rotate user agent-kate --account nexo-prod --overlap 24h -o secrets/agent-kate.nkey", *user, exit);
  add_name(*command, user->name, "Which")->required();
  add_account_flag(*command, user->account);
  command->add_option("-o,--out", user->out, "Write the new creds here, too; 0600")->type_name("FILE");
  command->callback([user, &exit] { exit = rotate_user(*user, exit.json); });

  auto account = std::make_shared<RotateOptions>();
  command =
      add_kind(*parent, "account", "A new signing key for an account; what the old one signed is signed anew",
               "hawser id rotate account nexo-prod --overlap 7d\nhawser id rotate account nexo-prod --role reader",
               *account, exit);
  add_name(*command, account->name, "Which; not needed when there is one");
  command->add_option("--role", account->role, "The key of this role")->type_name("ROLE");
  command->callback([account, &exit] { exit = rotate_account(*account, exit.json); });

  auto op = std::make_shared<RotateOptions>();
  command = add_kind(*parent, "operator", "A new signing key for the operator; accounts are signed anew",
                     "hawser id rotate operator --overlap 7d", *op, exit);
  command->callback([op, &exit] { exit = rotate_operator(*op, exit.json); });

  auto finishing = std::make_shared<RotateOptions>();
  command = add_command(*parent, "due", "End the old keys whose time has come",
                        "hawser id rotate due\nhawser id rotate due --all");
  command->add_flag("--all", finishing->all, "Those, too, whose time has not come");
  add_store_flags(*command, finishing->store);
  add_json_flag(*command, exit);
  command->callback([finishing, &exit] { exit = due(*finishing, exit.json); });
}

}  // namespace hawser::cli
