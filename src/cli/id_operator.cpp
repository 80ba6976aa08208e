// `hawser id operator`: who is trusted by servers.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <memory>

#include "base/clock.hpp"
#include "cli/connection.hpp"
#include "cli/id.hpp"
#include "cli/id_flags.hpp"
#include "identity/token.hpp"

namespace hawser::cli {
namespace {

namespace json = boost::json;
using identity::KeyKind;
using identity::KeyPair;
using identity::Store;

struct OperatorOptions {
  StoreFlags store;
  CommonFlags common;
  std::string name;
  bool signing_key = false;     // add
  bool system_account = false;  // add
  Words signing_keys;           // edit
  Words rm_signing_keys;
  std::string system_account_name;
  std::string strict;
  std::string account_server;
  Words service_urls;
  Words rm_service_urls;
  bool token = false;
};

constexpr const char* kSystemAccount = "SYS";
constexpr const char* kSystemUser = "sys";

void add_exports_of_system_account(identity::AccountClaims& claims) {
  // As nsc makes it: others may import their own account's figures, and nothing else.
  identity::ExportClaim streams{.name = "account-monitoring-streams",
                                .subject = "$SYS.ACCOUNT.*.>",
                                .kind = identity::ShareKind::stream,
                                .account_token_position = 3,
                                .description = "Account specific monitoring stream"};
  identity::ExportClaim services{
      .name = "account-monitoring-services",
      .subject = "$SYS.REQ.ACCOUNT.*.*",
      .kind = identity::ShareKind::service,
      .response = identity::ResponseKind::stream,
      .account_token_position = 4,
      .description = "Request account specific monitoring services for: SUBSZ, CONNZ, LEAFZ, JSZ and INFO"};
  claims.exports = {std::move(streams), std::move(services)};
}

// The account and a user of it who may do everything there; the user's creds lie in the store.
Result<std::filesystem::path> add_system_account(IdStore& id) {
  auto account_key = new_key(id, KeyKind::account);
  auto user_key = new_key(id, KeyKind::user);
  auto sign_key = new_key(id, KeyKind::account);
  for (const auto* key : {&account_key, &user_key, &sign_key}) {
    if (!*key) {
      return std::unexpected(key->error());
    }
  }
  identity::AccountClaims account;
  account.subject = account_key->public_key().text();
  account.name = kSystemAccount;
  account.signing_keys.push_back({.key = sign_key->public_key().text()});
  add_exports_of_system_account(account);
  if (auto put = put_account(id, account.name, account); !put) {
    return std::unexpected(std::move(put.error()));
  }
  identity::UserClaims user;
  user.subject = user_key->public_key().text();
  user.name = kSystemUser;
  auto token = put_user(id, account, account.name, user.name, user);
  if (!token) {
    return std::unexpected(std::move(token.error()));
  }
  identity::OperatorClaims claims = id.op.claims;
  claims.system_account = account.subject;
  if (auto put = put_operator(id, std::move(claims)); !put) {
    return std::unexpected(std::move(put.error()));
  }
  return id.store.put_creds(account.name, user.name, *token, *user_key);
}

Result<identity::OperatorClaims> new_claims(const OperatorOptions& options, const identity::KeyRing& ring,
                                            const KeyPair& key, std::chrono::sys_seconds now) {
  identity::OperatorClaims claims;
  claims.subject = key.public_key().text();
  claims.name = options.name;
  claims.service_urls = options.service_urls;
  claims.account_server_url = options.account_server;
  if (auto done = change(claims, options.common, now); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (auto done = take_boolean(options.strict, "--require-signing-keys", claims.strict_signing_keys); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (options.signing_key) {
    const auto signer = KeyPair::create(KeyKind::operator_key);
    if (!signer) {
      return std::unexpected(signer.error());
    }
    if (auto saved = ring.save(*signer); !saved) {
      return std::unexpected(std::move(saved.error()));
    }
    claims.signing_keys.push_back(signer->public_key().text());
  }
  if (auto good = sound(claims, now); !good) {
    return std::unexpected(std::move(good.error()));
  }
  return claims;
}

// `creds`: those of the system user, if there is one.
void tell_added(const IdStore& id, const std::filesystem::path& keys, const std::string& creds, bool as_json) {
  if (as_json) {
    json::object facts{{"operator", id.op.name},
                       {"key", id.op.claims.subject},
                       {"signing_keys", json::value_from(id.op.claims.signing_keys)}};
    if (!creds.empty()) {
      facts["system_account"] = {{"name", kSystemAccount}, {"key", id.op.claims.system_account}, {"creds", creds}};
    }
    fmt::print("{}\n", json::serialize(facts));
    return;
  }
  fmt::print("added the operator {}\n  key             {}\n", id.op.name, id.op.claims.subject);
  for (const std::string& one : id.op.claims.signing_keys) {
    fmt::print("  signing key     {}\n", one);
  }
  if (!creds.empty()) {
    fmt::print("  system account  {} {}\n  its user        {}, creds in {}\n", kSystemAccount,
               id.op.claims.system_account, kSystemUser, creds);
  }
  fmt::print("  keys are in     {}\n", keys.string());
}

// Made in the order in which a crash leaves the least: keys, then the operator, then its system account.
Result<void> add(const OperatorOptions& options, bool as_json) {
  const auto places = places_of(options.store);
  if (!places) {
    return std::unexpected(places.error());
  }
  if (auto good = identity::check_store_name("operator", options.name); !good) {
    return good;
  }
  if (std::filesystem::exists(identity::operator_directory(*places, options.name))) {
    return fail(Errc::id_exists, "adding the operator \"" + options.name + "\" to " + places->stores.string());
  }
  auto ring = key_ring(options.store, *places);
  auto key = KeyPair::create(KeyKind::operator_key);
  if (!ring || !key) {
    return std::unexpected(ring ? key.error() : ring.error());
  }
  if (auto saved = (*ring)->save(*key); !saved) {
    return saved;
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(wall_now());
  auto claims = new_claims(options, **ring, *key, now);
  if (!claims) {
    return std::unexpected(std::move(claims.error()));
  }
  const auto token = identity::Issuer(**ring, now).self_signed(*claims);
  if (!token) {
    return std::unexpected(token.error());
  }
  auto store = Store::create(*places, options.name, *token);
  if (!store) {
    return std::unexpected(std::move(store.error()));
  }
  IdStore id{.store = std::move(*store), .op = {options.name, *token, *claims}, .keys = std::move(*ring), .now = now};
  std::string creds;
  if (options.system_account) {
    const auto made = add_system_account(id);
    if (!made) {
      return std::unexpected(made.error());
    }
    creds = made->string();
  }
  tell_added(id, places->keys, creds, as_json);
  return {};
}

Result<void> list(const OperatorOptions& options, bool as_json) {
  const auto places = places_of(options.store);
  if (!places) {
    return std::unexpected(places.error());
  }
  const auto names = identity::stored_operators(*places);
  if (!names) {
    return std::unexpected(names.error());
  }
  json::array rows;
  for (const std::string& name : *names) {
    const auto store = Store::open(*places, name, Store::Access::read);
    const auto op = store ? store->read_operator() : std::unexpected(store.error());
    const auto accounts = store ? store->account_names() : std::unexpected(store.error());
    if (!op || !accounts) {
      return std::unexpected(op ? accounts.error() : op.error());
    }
    if (as_json) {
      rows.push_back({{"operator", name}, {"key", op->claims.subject}, {"accounts", accounts->size()}});
    } else {
      fmt::print("{:<24} {}  {} account{}\n", name, op->claims.subject, accounts->size(),
                 accounts->size() == 1 ? "" : "s");
    }
  }
  if (as_json) {
    fmt::print("{}\n", json::serialize(rows));
  }
  return {};
}

// The operator that a command about operators is about: by its name, or the only one.
Result<IdStore> open_named(const OperatorOptions& options, Store::Access access) {
  StoreFlags flags = options.store;
  if (!options.name.empty()) {
    flags.operator_name = options.name;
  }
  return open_id_store(flags, access);
}

Result<void> show(const OperatorOptions& options, bool as_json) {
  const auto id = open_named(options, Store::Access::read);
  if (!id) {
    return std::unexpected(id.error());
  }
  if (options.token) {
    fmt::print("{}\n", id->op.token);
    return {};
  }
  if (as_json) {
    const auto payload = identity::payload_json(id->op.token, true);
    return payload ? (fmt::print("{}\n", *payload), Result<void>()) : std::unexpected(payload.error());
  }
  fmt::print("{}", describe(id->op.claims, id->now));
  return {};
}

Result<void> change_keys(const IdStore& id, const OperatorOptions& options, identity::OperatorClaims& claims) {
  for (const std::string& wanted : options.signing_keys) {
    const auto key = signing_key(id, wanted, KeyKind::operator_key);
    if (!key) {
      return std::unexpected(key.error());
    }
    add_to(claims.signing_keys, {*key});
  }
  const auto accounts = id.store.accounts();
  if (!accounts) {
    return std::unexpected(accounts.error());
  }
  for (const std::string& key : options.rm_signing_keys) {
    const auto signed_by_it = std::find_if(accounts->begin(), accounts->end(),
                                           [&key](const auto& account) { return account.claims.issuer == key; });
    if (signed_by_it != accounts->end()) {
      return fail(Errc::bad_usage,
                  fmt::format("removing {}: the account {} is signed by it; `hawser id rotate operator` signs anew",
                              key, signed_by_it->name));
    }
    if (std::find(claims.signing_keys.begin(), claims.signing_keys.end(), key) == claims.signing_keys.end()) {
      return fail(Errc::id_not_found, "removing the signing key " + key);
    }
  }
  take_from(claims.signing_keys, options.rm_signing_keys);
  return {};
}

Result<void> edit(const OperatorOptions& options, bool as_json) {
  auto id = open_named(options, Store::Access::write);
  if (!id) {
    return std::unexpected(id.error());
  }
  identity::OperatorClaims claims = id->op.claims;
  if (auto done = change(claims, options.common, id->now); !done) {
    return done;
  }
  if (auto done = change_keys(*id, options, claims); !done) {
    return done;
  }
  if (auto done = take_boolean(options.strict, "--require-signing-keys", claims.strict_signing_keys); !done) {
    return done;
  }
  if (!options.system_account_name.empty()) {
    const auto account = id->store.account(options.system_account_name);
    if (!account) {
      return std::unexpected(account.error());
    }
    claims.system_account = account->claims.subject;
  }
  add_to(claims.service_urls, options.service_urls);
  take_from(claims.service_urls, options.rm_service_urls);
  if (!options.account_server.empty()) {
    claims.account_server_url = options.account_server == "none" ? "" : options.account_server;
  }
  if (auto put = put_operator(*id, std::move(claims)); !put) {
    return put;
  }
  if (as_json) {
    fmt::print("{}\n", json::serialize(json::object{{"operator", id->op.name},
                                                    {"key", id->op.claims.subject},
                                                    {"signing_keys", json::value_from(id->op.claims.signing_keys)}}));
  } else {
    fmt::print("changed the operator {}\n{}", id->op.name, describe(id->op.claims, id->now));
  }
  print_notice(
      "servers read the operator's JWT from their configuration: give them a new one (`hawser id server-config`)",
      as_json);
  return {};
}

void add_shared(CLI::App& command, OperatorOptions& options, Exit& exit) {
  add_common_flags(command, options.common);
  add_words(command, "--service-url", options.service_urls, "Where its servers are: tls://nats:4222", "URL");
  command.add_option("--account-jwt-server-url", options.account_server, "Where accounts are pushed to; none: nowhere")
      ->type_name("URL");
  command
      .add_option("--require-signing-keys", options.strict, "Accounts are signed by signing keys only: true or false")
      ->expected(0, 1)
      ->default_str("true")
      ->type_name("BOOL");
  add_store_flags(command, options.store);
  add_json_flag(command, exit);
}

}  // namespace

void add_id_operator(CLI::App& id, Exit& exit) {
  CLI::App* parent = add_command(id, "operator", "Who is trusted by servers, and signs accounts",
                                 "hawser id operator add nexo-ops --signing-key --system-account\n"
                                 "hawser id operator show --json");
  parent->require_subcommand(1);

  auto adding = std::make_shared<OperatorOptions>();
  CLI::App* command = add_command(*parent, "add", "A new operator; its keys stay in the store",
                                  "hawser id operator add nexo-ops --signing-key --system-account");
  add_name(*command, adding->name, "What it is called")->required();
  command->add_flag("--signing-key", adding->signing_key,
                    "Accounts are signed by a key of their own, so that the operator's can lie elsewhere");
  command->add_flag("--system-account", adding->system_account,
                    "With the account SYS, which servers need for push, and its user sys");
  add_shared(*command, *adding, exit);
  command->callback([adding, &exit] { exit = add(*adding, exit.json); });

  auto listing = std::make_shared<OperatorOptions>();
  command = add_command(*parent, "list", "The operators of the store", "hawser id operator list");
  add_store_flags(*command, listing->store);
  add_json_flag(*command, exit);
  command->callback([listing, &exit] { exit = list(*listing, exit.json); });

  auto showing = std::make_shared<OperatorOptions>();
  command = add_command(*parent, "show", "What an operator's JWT says",
                        "hawser id operator show\nhawser id operator show nexo-ops --jwt");
  add_name(*command, showing->name, "Which; not needed when there is one");
  command->add_flag("--jwt", showing->token, "The token itself");
  add_store_flags(*command, showing->store);
  add_json_flag(*command, exit);
  command->callback([showing, &exit] { exit = show(*showing, exit.json); });

  auto editing = std::make_shared<OperatorOptions>();
  command = add_command(*parent, "edit", "Change it, and sign it again",
                        "hawser id operator edit --signing-key generate\n"
                        "hawser id operator edit --service-url tls://nats.example.com:4222 --require-signing-keys");
  add_name(*command, editing->name, "Which; not needed when there is one");
  add_words(*command, "--signing-key,--sk", editing->signing_keys,
            "One more key that may sign accounts: generate, or its public key", "KEY");
  add_words(*command, "--rm-signing-key,--rm-sk", editing->rm_signing_keys, "A key that may no longer", "KEY");
  add_words(*command, "--rm-service-url", editing->rm_service_urls, "Take these URLs out", "URL");
  command->add_option("--system-account", editing->system_account_name, "Which account is the system account")
      ->type_name("NAME");
  add_shared(*command, *editing, exit);
  command->callback([editing, &exit] { exit = edit(*editing, exit.json); });
}

}  // namespace hawser::cli
