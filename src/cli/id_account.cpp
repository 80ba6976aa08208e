// `hawser id account`: whose users hear each other, and what accounts share.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <memory>

#include "cli/connection.hpp"
#include "cli/id.hpp"
#include "cli/id_flags.hpp"
#include "cli/id_sharing.hpp"
#include "identity/token.hpp"

namespace hawser::cli {
namespace {

namespace json = boost::json;
using identity::AccountClaims;
using identity::KeyKind;
using identity::Store;

struct AccountOptions {
  StoreFlags store;
  CommonFlags common;
  SharingFlags sharing;
  LimitFlags role_limits;  // with --role
  std::string name;
  std::string description, info_url;
  std::string connections, leafs, subscriptions, payload, data, exports, imports;
  std::string wildcard_exports, disallow_bearer;
  Words signing_keys, rm_signing_keys;
  std::string role;
  bool token = false;
  bool yes = false;
};

Result<void> change_limits(identity::AccountLimits& limits, const AccountOptions& options) {
  for (const auto& [text, name, unit, into] :
       {std::tuple{&options.connections, "--conns", LimitUnit::count, &limits.connections},
        std::tuple{&options.leafs, "--leaf-conns", LimitUnit::count, &limits.leaf_connections},
        std::tuple{&options.subscriptions, "--max-subs", LimitUnit::count, &limits.subscriptions},
        std::tuple{&options.payload, "--max-payload", LimitUnit::bytes, &limits.payload},
        std::tuple{&options.data, "--max-data", LimitUnit::bytes, &limits.data},
        std::tuple{&options.exports, "--exports", LimitUnit::count, &limits.exports},
        std::tuple{&options.imports, "--imports", LimitUnit::count, &limits.imports}}) {
    if (auto done = take_limit(*text, name, unit, *into); !done) {
      return done;
    }
  }
  if (auto done = take_boolean(options.wildcard_exports, "--wildcard-exports", limits.wildcard_exports); !done) {
    return done;
  }
  return take_boolean(options.disallow_bearer, "--disallow-bearer", limits.disallow_bearer);
}

// Plain keys, or with --role one that stands for what its users may do.
Result<void> add_signing_keys(const IdStore& id, AccountClaims& claims, const AccountOptions& options) {
  if (!options.role.empty() && options.signing_keys.size() > 1) {
    return fail(Errc::bad_usage, "--role takes one --signing-key");
  }
  if (options.role.empty() && options.role_limits.any()) {
    return fail(Errc::bad_usage, "permissions belong to users, or to a role: --role NAME");
  }
  if (identity::SigningKey* of_role = nullptr; !options.role.empty()) {
    for (identity::SigningKey& one : claims.signing_keys) {
      of_role = one.scoped && one.role == options.role ? &one : of_role;
    }
    if (of_role != nullptr && options.signing_keys.empty()) {
      return change(of_role->limits, options.role_limits);  // what it stands for changes for all whom it signed
    }
    if (of_role != nullptr) {
      return fail(Errc::id_exists, "adding the role \"" + options.role + "\": it has the key " + of_role->key);
    }
    if (options.signing_keys.empty()) {
      return fail(Errc::id_not_found, "changing the role \"" + options.role + "\": add it with --signing-key generate");
    }
  }
  for (const std::string& wanted : options.signing_keys) {
    const auto key = signing_key(id, wanted, KeyKind::account);
    if (!key) {
      return std::unexpected(key.error());
    }
    if (claims.signing_key(*key) != nullptr) {
      return fail(Errc::id_exists, "adding the signing key " + *key);
    }
    identity::SigningKey one{.key = *key, .scoped = !options.role.empty(), .role = options.role};
    if (auto done = change(one.limits, options.role_limits); !done) {
      return done;
    }
    claims.signing_keys.push_back(std::move(one));
  }
  return {};
}

Result<void> remove_signing_keys(const IdStore& id, const std::string& account, AccountClaims& claims,
                                 const Words& keys) {
  if (keys.empty()) {
    return {};
  }
  const auto users = id.store.users(account);
  if (!users) {
    return std::unexpected(users.error());
  }
  for (const std::string& key : keys) {
    if (claims.signing_key(key) == nullptr) {
      return fail(Errc::id_not_found, "removing the signing key " + key);
    }
    const auto user =
        std::find_if(users->begin(), users->end(), [&](const auto& one) { return one.claims.issuer == key; });
    if (user != users->end()) {
      return fail(Errc::bad_usage,
                  fmt::format("removing {}: the user {} is signed by it; `hawser id rotate account {}` signs anew", key,
                              user->name, account));
    }
    std::erase_if(claims.signing_keys, [&key](const auto& one) { return one.key == key; });
  }
  return {};
}

Result<void> change_claims(const IdStore& id, AccountClaims& claims, const std::string& name,
                           const AccountOptions& options) {
  if (auto done = change(claims, options.common, id.now); !done) {
    return done;
  }
  if (auto done = change_limits(claims.limits, options); !done) {
    return done;
  }
  if (!options.description.empty()) {
    claims.description = options.description;
  }
  if (!options.info_url.empty()) {
    claims.info_url = options.info_url;
  }
  if (auto done = add_signing_keys(id, claims, options); !done) {
    return done;
  }
  if (auto done = remove_signing_keys(id, name, claims, options.rm_signing_keys); !done) {
    return done;
  }
  return change_sharing(id, claims, options.sharing);
}

void tell(const IdStore& id, std::string_view verb, const std::string& name, const AccountClaims& claims,
          bool as_json) {
  if (as_json) {
    json::array keys;
    for (const identity::SigningKey& one : claims.signing_keys) {
      keys.push_back({{"key", one.key}, {"role", one.role}});
    }
    fmt::print("{}\n", json::serialize(json::object{
                           {"account", name}, {"key", claims.subject}, {"signing_keys", std::move(keys)}}));
  } else {
    fmt::print("{} the account {}\n{}", verb, name, describe(claims, id.now));
  }
}

Result<void> add(const AccountOptions& options, bool as_json) {
  auto id = open_id_store(options.store, Store::Access::write);
  if (!id) {
    return std::unexpected(id.error());
  }
  if (auto good = identity::check_store_name("account", options.name); !good) {
    return good;
  }
  if (id->store.has_account(options.name)) {
    return fail(Errc::id_exists, "adding the account \"" + options.name + "\"");
  }
  const auto key = new_key(*id, KeyKind::account);
  if (!key) {
    return std::unexpected(key.error());
  }
  AccountClaims claims;
  claims.subject = key->public_key().text();
  claims.name = options.name;
  if (auto done = change_claims(*id, claims, options.name, options); !done) {
    return done;
  }
  if (auto put = put_account(*id, options.name, claims); !put) {
    return std::unexpected(std::move(put.error()));
  }
  tell(*id, "added", options.name, claims, as_json);
  return {};
}

Result<void> edit(const AccountOptions& options, bool as_json) {
  auto id = open_id_store(options.store, Store::Access::write);
  if (!id) {
    return std::unexpected(id.error());
  }
  auto account = chosen_account(*id, options.name);
  if (!account) {
    return std::unexpected(std::move(account.error()));
  }
  if (auto done = change_claims(*id, account->claims, account->name, options); !done) {
    return done;
  }
  if (auto put = put_account(*id, account->name, account->claims); !put) {
    return std::unexpected(std::move(put.error()));
  }
  tell(*id, "changed", account->name, account->claims, as_json);
  print_notice("`hawser id push` brings it to servers with a resolver", as_json);
  return {};
}

Result<void> list(const AccountOptions& options, bool as_json) {
  const auto id = open_id_store(options.store, Store::Access::read);
  const auto accounts = id ? id->store.accounts() : std::unexpected(id.error());
  if (!accounts) {
    return std::unexpected(accounts.error());
  }
  json::array rows;
  for (const auto& account : *accounts) {
    const auto users = id->store.user_names(account.name);
    if (!users) {
      return std::unexpected(users.error());
    }
    const bool system = account.claims.subject == id->op.claims.system_account;
    if (as_json) {
      rows.push_back(
          {{"account", account.name}, {"key", account.claims.subject}, {"users", users->size()}, {"system", system}});
    } else {
      fmt::print("{:<24} {}  {} user{}{}\n", account.name, account.claims.subject, users->size(),
                 users->size() == 1 ? "" : "s", system ? "  (system account)" : "");
    }
  }
  if (as_json) {
    fmt::print("{}\n", json::serialize(rows));
  }
  return {};
}

Result<void> show(const AccountOptions& options, bool as_json) {
  const auto id = open_id_store(options.store, Store::Access::read);
  const auto account = id ? chosen_account(*id, options.name) : std::unexpected(id.error());
  if (!account) {
    return std::unexpected(account.error());
  }
  if (options.token) {
    fmt::print("{}\n", account->token);
    return {};
  }
  if (as_json) {
    const auto payload = identity::payload_json(account->token, true);
    return payload ? (fmt::print("{}\n", *payload), Result<void>()) : std::unexpected(payload.error());
  }
  fmt::print("{}", describe(account->claims, id->now));
  return {};
}

Result<void> erase(const AccountOptions& options, bool as_json) {
  const auto id = open_id_store(options.store, Store::Access::write);
  if (!id) {
    return std::unexpected(id.error());
  }
  const auto account = id->store.account(options.name);
  const auto users = account ? id->store.user_names(options.name) : std::unexpected(account.error());
  if (!users) {
    return std::unexpected(users.error());
  }
  if (account->claims.subject == id->op.claims.system_account) {
    return fail(Errc::bad_usage, "deleting " + options.name + ": it is the system account");
  }
  if (!users->empty() && !options.yes) {
    return fail(Errc::bad_usage, fmt::format("deleting {} with {} user{}: say --yes", options.name, users->size(),
                                             users->size() == 1 ? "" : "s"));
  }
  if (auto gone = id->store.erase_account(options.name); !gone) {
    return gone;
  }
  if (as_json) {
    fmt::print("{}\n", json::serialize(json::object{
                           {"deleted", options.name}, {"key", account->claims.subject}, {"users", users->size()}}));
  } else {
    fmt::print("deleted the account {} and {} user{}; its keys stay in the store\n", options.name, users->size(),
               users->size() == 1 ? "" : "s");
  }
  print_notice("`hawser id push --prune` takes it off servers with a resolver that allows deletion", as_json);
  return {};
}

void add_changes(CLI::App& command, AccountOptions& options, Exit& exit) {
  add_common_flags(command, options.common);
  const auto text = [&](const char* name, std::string& into, const char* help, const char* type) {
    command.add_option(name, into, help)->group("Limits of the account")->type_name(type);
  };
  command.add_option("--description", options.description, "For people")->type_name("TEXT");
  command.add_option("--info-url", options.info_url, "For people, at length")->type_name("URL");
  text("--conns", options.connections, "At most so many connections; -1: any number, as for all of these", "N");
  text("--leaf-conns", options.leafs, "At most so many leaf nodes", "N");
  text("--exports", options.exports, "At most so many exports", "N");
  text("--imports", options.imports, "At most so many imports", "N");
  text("--wildcard-exports", options.wildcard_exports, "Exports may have wildcards: true or false", "BOOL");
  text("--disallow-bearer", options.disallow_bearer, "Tokens without a seed are refused: true or false", "BOOL");
  text("--max-subs", options.subscriptions, "At most so many subscriptions", "N");
  text("--max-payload", options.payload, "At most so many bytes a message: 1MB", "SIZE");
  text("--max-data", options.data, "At most so many bytes in all (no server enforces it)", "SIZE");
  add_words(command, "--signing-key,--sk", options.signing_keys,
            "One more key that may sign users: generate, or its public key", "KEY");
  command
      .add_option("--role", options.role,
                  "The signing key stands for this role: its users have the permissions given here, no others")
      ->type_name("ROLE");
  add_limit_flags(command, options.role_limits);
  add_sharing_flags(command, options.sharing);
  add_store_flags(command, options.store);
  add_json_flag(command, exit);
}

}  // namespace

void add_id_account(CLI::App& id, Exit& exit) {
  CLI::App* parent = add_command(id, "account", "Whose users hear each other, and what accounts share",
                                 "hawser id account add nexo-prod\nhawser id account show nexo-prod");
  parent->require_subcommand(1);

  auto adding = std::make_shared<AccountOptions>();
  CLI::App* command =
      add_command(*parent, "add", "A new account",
                  "hawser id account add nexo-prod\n"
                  "hawser id account add nexo-prod --conns 100 --max-payload 1MB --signing-key generate");
  add_name(*command, adding->name, "What it is called")->required();
  add_changes(*command, *adding, exit);
  command->callback([adding, &exit] { exit = add(*adding, exit.json); });

  auto editing = std::make_shared<AccountOptions>();
  command =
      add_command(*parent, "edit", "Change it, and sign it again",
                  "hawser id account edit nexo-prod --export service:orders.get --private\n"
                  "hawser id account edit nexo-test --import nexo-prod:orders.get --local-subject prod.orders.get\n"
                  "hawser id account edit nexo-prod --signing-key generate --role reader --allow-sub 'data.>'");
  add_name(*command, editing->name, "Which; not needed when there is one");
  add_words(*command, "--rm-signing-key,--rm-sk", editing->rm_signing_keys, "A key that may no longer sign", "KEY");
  add_changes(*command, *editing, exit);
  command->callback([editing, &exit] { exit = edit(*editing, exit.json); });

  auto listing = std::make_shared<AccountOptions>();
  command = add_command(*parent, "list", "The accounts of the operator", "hawser id account list");
  add_store_flags(*command, listing->store);
  add_json_flag(*command, exit);
  command->callback([listing, &exit] { exit = list(*listing, exit.json); });

  auto showing = std::make_shared<AccountOptions>();
  command = add_command(*parent, "show", "What an account's JWT says", "hawser id account show nexo-prod --json");
  add_name(*command, showing->name, "Which; not needed when there is one");
  command->add_flag("--jwt", showing->token, "The token itself");
  add_store_flags(*command, showing->store);
  add_json_flag(*command, exit);
  command->callback([showing, &exit] { exit = show(*showing, exit.json); });

  auto deleting = std::make_shared<AccountOptions>();
  command = add_command(*parent, "delete", "Take it out of the store, with its users",
                        "hawser id account delete nexo-test --yes");
  add_name(*command, deleting->name, "Which")->required();
  command->add_flag("--yes", deleting->yes, "Its users, too");
  add_store_flags(*command, deleting->store);
  add_json_flag(*command, exit);
  command->callback([deleting, &exit] { exit = erase(*deleting, exit.json); });
}

}  // namespace hawser::cli
