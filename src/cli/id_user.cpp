// `hawser id user`: who connects, and what they may do.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <memory>

#include "cli/connection.hpp"
#include "cli/id.hpp"
#include "cli/id_flags.hpp"
#include "cli/id_rotate.hpp"
#include "identity/token.hpp"

namespace hawser::cli {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using identity::KeyKind;
using identity::Store;
using identity::UserClaims;

struct UserOptions {
  StoreFlags store;
  CommonFlags common;
  LimitFlags limits;
  std::string account;
  std::string name;
  std::string role;
  bool token = false;
  bool undo = false;
  bool keep = false;
  bool revoke_old = false;
};

void tell(const IdStore& id, std::string_view verb, const std::string& account, const std::string& name,
          const UserClaims& claims, const std::filesystem::path& creds, bool as_json) {
  if (as_json) {
    fmt::print("{}\n", json::serialize(json::object{
                           {"user", name}, {"account", account}, {"key", claims.subject}, {"creds", creds.string()}}));
  } else {
    fmt::print("{} the user {} of {}\n{}{:<20} {}\n", verb, name, account, describe(claims, id.now), "creds",
               creds.string());
  }
}

// Signed, and its creds written in the store. A token that is revoked already is none that anybody wants.
Result<std::filesystem::path> issue(const IdStore& id, const identity::StoredAccount& account, const std::string& name,
                                    const UserClaims& claims, const identity::KeyPair& key, const std::string& role) {
  const auto token = put_user(id, account.claims, account.name, name, claims, role);
  return token ? id.store.put_creds(account.name, name, *token, key) : std::unexpected(token.error());
}

Result<void> no_limits_beside_a_role(const UserOptions& options) {
  return !options.role.empty() && options.limits.any() ? fail(Errc::bad_usage,
                                                              "a user with a --role has the permissions of the role; "
                                                              "change them with `hawser id account edit --role`")
                                                       : Result<void>();
}

Result<void> add(const UserOptions& options, bool as_json) {
  auto id = open_id_store(options.store, Store::Access::write);
  auto account = id ? chosen_account(*id, options.account) : std::unexpected(id.error());
  if (!account) {
    return std::unexpected(std::move(account.error()));
  }
  if (auto good = identity::check_store_name("user", options.name); !good) {
    return good;
  }
  if (id->store.has_user(account->name, options.name)) {
    return fail(Errc::id_exists, "adding the user \"" + options.name + "\" to " + account->name);
  }
  if (auto good = no_limits_beside_a_role(options); !good) {
    return good;
  }
  UserClaims claims;
  claims.name = options.name;
  if (!options.role.empty()) {
    static_cast<identity::UserLimits&>(claims) = identity::UserLimits::absent();
  }
  if (auto done = change(claims, options.common, id->now); !done) {
    return done;
  }
  if (auto done = change(static_cast<identity::UserLimits&>(claims), options.limits); !done) {
    return done;
  }
  const auto key = new_key(*id, KeyKind::user);
  if (!key) {
    return std::unexpected(key.error());
  }
  claims.subject = key->public_key().text();
  const auto creds = issue(*id, *account, options.name, claims, *key, options.role);
  if (!creds) {
    return std::unexpected(creds.error());
  }
  tell(*id, "added", account->name, options.name, claims, *creds, as_json);
  return {};
}

bool is_revoked(const identity::AccountClaims& account, const UserClaims& claims) {
  return identity::revoked(account.revocations, claims.subject, claims.issued_at);
}

Result<void> edit(const UserOptions& options, bool as_json) {
  auto id = open_id_store(options.store, Store::Access::write);
  auto account = id ? chosen_account(*id, options.account) : std::unexpected(id.error());
  if (!account) {
    return std::unexpected(std::move(account.error()));
  }
  auto user = id->store.user(account->name, options.name);
  if (!user) {
    return std::unexpected(std::move(user.error()));
  }
  UserClaims& claims = user->claims;
  if (is_revoked(account->claims, claims)) {
    return fail(Errc::jwt_revoked, "changing " + options.name + ": what is signed now would let its key in again");
  }
  const identity::SigningKey* by = account->claims.signing_key(claims.issuer);
  if (by != nullptr && by->scoped && options.limits.any()) {
    return fail(Errc::bad_usage,
                fmt::format("{} has the role {}: change its permissions with `hawser id account edit --role {}`",
                            options.name, by->role, by->role));
  }
  if (auto done = change(claims, options.common, id->now); !done) {
    return done;
  }
  if (auto done = change(static_cast<identity::UserLimits&>(claims), options.limits); !done) {
    return done;
  }
  const auto key = id->keys->find(claims.subject);
  if (!key) {
    return std::unexpected(key.error());
  }
  if (options.revoke_old) {
    account->claims.revocations[claims.subject] = id->now;  // the new token is of a second later
    if (auto put = put_account(*id, account->name, account->claims); !put) {
      return std::unexpected(std::move(put.error()));
    }
  }
  const auto creds = issue(*id, *account, options.name, claims, *key, "");
  if (!creds) {
    return std::unexpected(creds.error());
  }
  tell(*id, "changed", account->name, options.name, claims, *creds, as_json);
  print_notice(options.revoke_old
                   ? "give it its new creds, then `hawser id push`: from then on the old ones are refused"
                   : "give it its new creds; the old ones stay good as they were (--revoke-old ends them)",
               as_json);
  return {};
}

Result<void> list(const UserOptions& options, bool as_json) {
  const auto id = open_id_store(options.store, Store::Access::read);
  const auto account = id ? chosen_account(*id, options.account) : std::unexpected(id.error());
  const auto users = account ? id->store.users(account->name) : std::unexpected(account.error());
  if (!users) {
    return std::unexpected(users.error());
  }
  json::array rows;
  for (const auto& user : *users) {
    const bool revoked = is_revoked(account->claims, user.claims);
    if (as_json) {
      rows.push_back(
          {{"user", user.name}, {"account", account->name}, {"key", user.claims.subject}, {"revoked", revoked}});
    } else {
      fmt::print("{:<24} {}  {}\n", user.name, user.claims.subject,
                 revoked ? "revoked" : "expires " + when_text(user.claims.expires, id->now));
    }
  }
  if (as_json) {
    fmt::print("{}\n", json::serialize(rows));
  }
  return {};
}

Result<void> show(const UserOptions& options, bool as_json) {
  const auto id = open_id_store(options.store, Store::Access::read);
  const auto account = id ? chosen_account(*id, options.account) : std::unexpected(id.error());
  const auto user = account ? id->store.user(account->name, options.name) : std::unexpected(account.error());
  if (!user) {
    return std::unexpected(user.error());
  }
  if (options.token) {
    if (user->claims.bearer) {
      return fail(Errc::bad_usage,
                  "showing the token of " + options.name + ": it is a bearer token, which is a secret");
    }
    fmt::print("{}\n", user->token);
    return {};
  }
  if (as_json) {
    const auto payload = identity::payload_json(user->token, true);
    return payload ? (fmt::print("{}\n", *payload), Result<void>()) : std::unexpected(payload.error());
  }
  fmt::print("{}{}", describe(user->claims, id->now),
             is_revoked(account->claims, user->claims) ? "revoked              yes\n" : "");
  return {};
}

// Keys that a name stands for: its user's; "*" is everybody; a public key is itself, for users who are not here.
Result<std::string> revoked_key(const IdStore& id, const std::string& account, const std::string& name) {
  if (name == "*") {
    return name;
  }
  if (const auto key = identity::PublicKey::parse(name); key && key->kind() == KeyKind::user) {
    return name;
  }
  const auto user = id.store.user(account, name);
  return user ? Result<std::string>(user->claims.subject) : std::unexpected(user.error());
}

Result<void> revoke(const UserOptions& options, bool as_json) {
  auto id = open_id_store(options.store, Store::Access::write);
  auto account = id ? chosen_account(*id, options.account) : std::unexpected(id.error());
  if (!account) {
    return std::unexpected(std::move(account.error()));
  }
  const auto key = revoked_key(*id, account->name, options.name);
  if (!key) {
    return std::unexpected(key.error());
  }
  if (!options.undo) {
    account->claims.revocations[*key] = id->now;
    if (auto done = revoke_retiring(*id, account->name, options.name, account->claims); !done) {
      return done;
    }
  } else if (account->claims.revocations.erase(*key) == 0) {
    return fail(Errc::id_not_found, options.name + " is not revoked in " + account->name);
  }
  if (auto put = put_account(*id, account->name, account->claims); !put) {
    return std::unexpected(std::move(put.error()));
  }
  const char* verb = options.undo ? "no longer revoked" : "revoked";
  if (as_json) {
    fmt::print("{}\n",
               json::serialize(json::object{
                   {"user", options.name}, {"account", account->name}, {"key", *key}, {"revoked", !options.undo}}));
  } else {
    fmt::print("{} of {}: {}\n", options.name == "*" ? "everybody" : options.name, account->name, verb);
  }
  print_notice("`hawser id push` brings it to servers, which then end its connections", as_json);
  return {};
}

Result<void> erase(const UserOptions& options, bool as_json) {
  auto id = open_id_store(options.store, Store::Access::write);
  auto account = id ? chosen_account(*id, options.account) : std::unexpected(id.error());
  if (!account) {
    return std::unexpected(std::move(account.error()));
  }
  const auto user = id->store.user(account->name, options.name);
  if (!user) {
    return std::unexpected(user.error());
  }
  if (!options.keep) {  // its token would be good until it expires
    account->claims.revocations[user->claims.subject] = id->now;
    if (auto done = revoke_retiring(*id, account->name, options.name, account->claims); !done) {
      return done;
    }
    if (auto put = put_account(*id, account->name, account->claims); !put) {
      return std::unexpected(std::move(put.error()));
    }
  }
  if (auto gone = id->store.erase_user(account->name, options.name); !gone) {
    return gone;
  }
  if (auto gone = id->keys->erase(user->claims.subject); !gone) {
    return gone;
  }
  if (as_json) {
    fmt::print("{}\n", json::serialize(json::object{{"deleted", options.name},
                                                    {"account", account->name},
                                                    {"key", user->claims.subject},
                                                    {"revoked", !options.keep}}));
  } else {
    fmt::print("deleted the user {} of {}{}\n", options.name, account->name,
               options.keep ? "; who has its creds stays in" : ", and revoked its key");
  }
  if (!options.keep) {
    print_notice("`hawser id push` brings it to servers, which then end its connections", as_json);
  }
  return {};
}

CLI::App* add_verb(CLI::App& parent, const char* verb, const char* summary, const char* examples, UserOptions& options,
                   Exit& exit) {
  CLI::App* command = add_command(parent, verb, summary, examples);
  add_account_flag(*command, options.account);
  add_store_flags(*command, options.store);
  add_json_flag(*command, exit);
  return command;
}

// `revoke` and `delete`.
void add_endings(CLI::App& parent, Exit& exit) {
  auto revoking = std::make_shared<UserOptions>();
  CLI::App* command = add_verb(parent, "revoke", "Void what was issued to it until now",
                               "hawser id user revoke agent-kate --account nexo-prod\n"
                               "hawser id user revoke agent-kate --account nexo-prod --undo\n"
                               "hawser id user revoke '*' --account nexo-prod",
                               *revoking, exit);
  add_name(*command, revoking->name, "Which; a public key; '*' for everybody in the account")->required();
  command->add_flag("--undo", revoking->undo, "Take it back");
  command->callback([revoking, &exit] { exit = revoke(*revoking, exit.json); });

  auto deleting = std::make_shared<UserOptions>();
  command = add_verb(parent, "delete", "Take it out of the store, and revoke its key",
                     "hawser id user delete agent-kate --account nexo-prod", *deleting, exit);
  add_name(*command, deleting->name, "Which")->required();
  command->add_flag("--keep", deleting->keep, "Do not revoke its key: its creds stay good until they expire");
  command->callback([deleting, &exit] { exit = erase(*deleting, exit.json); });
}

}  // namespace

void add_id_user(CLI::App& id, Exit& exit) {
  CLI::App* parent =
      add_command(id, "user", "Who connects, and what they may do",
                  "hawser id user add agent-kate --account nexo-prod --allow-pub agent.route.ops --expires 30d\n"
                  "hawser id user revoke agent-kate --account nexo-prod");
  parent->require_subcommand(1);

  auto adding = std::make_shared<UserOptions>();
  CLI::App* command = add_verb(
      *parent, "add", "A new user, with creds",
      "hawser id user add agent-kate --account nexo-prod --allow-pub agent.route.ops --deny-pub 'plugin.outbound.*' "
      "--allow-sub 'agent.route.kate,_INBOX.>' --expires 30d\n"
      "hawser id user add agent-joe --account nexo-prod --role reader",
      *adding, exit);
  add_name(*command, adding->name, "What it is called")->required();
  command->add_option("--role,-K", adding->role, "Signed by the signing key of this role, whose permissions it has")
      ->type_name("ROLE");
  add_common_flags(*command, adding->common);
  add_limit_flags(*command, adding->limits);
  command->callback([adding, &exit] { exit = add(*adding, exit.json); });

  auto editing = std::make_shared<UserOptions>();
  command = add_verb(*parent, "edit", "Change it, and sign it again",
                     "hawser id user edit agent-kate --account nexo-prod --allow-sub 'news.>' --expires 90d\n"
                     "hawser id user edit agent-kate --account nexo-prod --rm agent.route.ops --revoke-old",
                     *editing, exit);
  add_name(*command, editing->name, "Which")->required();
  command->add_flag("--revoke-old", editing->revoke_old,
                    "What was issued to it before is void, once the account is pushed");
  add_common_flags(*command, editing->common);
  add_limit_flags(*command, editing->limits);
  command->callback([editing, &exit] { exit = edit(*editing, exit.json); });

  auto listing = std::make_shared<UserOptions>();
  command =
      add_verb(*parent, "list", "The users of an account", "hawser id user list --account nexo-prod", *listing, exit);
  command->callback([listing, &exit] { exit = list(*listing, exit.json); });

  auto showing = std::make_shared<UserOptions>();
  command = add_verb(*parent, "show", "What a user's JWT says", "hawser id user show agent-kate --account nexo-prod",
                     *showing, exit);
  add_name(*command, showing->name, "Which")->required();
  command->add_flag("--jwt", showing->token, "The token itself");
  command->callback([showing, &exit] { exit = show(*showing, exit.json); });

  add_endings(*parent, exit);
}

}  // namespace hawser::cli
