// `hawser id list` and `hawser id expirations`: the whole tree, and what of it ends.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <memory>

#include "base/clock.hpp"
#include "base/quantity.hpp"
#include "cli/id.hpp"
#include "identity/policy_expiry.hpp"
#include "identity/store_retiring.hpp"

namespace hawser::cli {
namespace {

namespace json = boost::json;
using identity::Store;

struct ListOptions {
  StoreFlags store;
};

struct ExpirationOptions {
  StoreFlags store;
  std::string within = "30d";
};

using Moment = std::optional<std::chrono::sys_seconds>;

json::value as_value(const Moment& time) { return time ? json::value(to_rfc3339(*time)) : json::value(nullptr); }

json::object row(const std::string& name, const identity::CommonClaims& claims) {
  return {{"name", name}, {"key", claims.subject}, {"issuer", claims.issuer}, {"expires", as_value(claims.expires)}};
}

Result<void> list(const ListOptions& options, bool as_json) {
  const auto id = open_id_store(options.store, Store::Access::read);
  const auto accounts = id ? id->store.accounts() : std::unexpected(id.error());
  if (!accounts) {
    return std::unexpected(accounts.error());
  }
  std::string text = fmt::format("{}  {}  expires {}\n", id->op.name, id->op.claims.subject,
                                 when_text(id->op.claims.expires, id->now));
  json::array account_rows;
  for (const auto& account : *accounts) {
    const auto users = id->store.users(account.name);
    if (!users) {
      return std::unexpected(users.error());
    }
    const bool system = account.claims.subject == id->op.claims.system_account;
    text += fmt::format("  {}  {}  expires {}{}\n", account.name, account.claims.subject,
                        when_text(account.claims.expires, id->now), system ? "  (system account)" : "");
    json::array user_rows;
    for (const auto& user : *users) {
      const bool revoked = identity::revoked(account.claims.revocations, user.claims.subject, user.claims.issued_at);
      text += fmt::format("    {}  {}  {}\n", user.name, user.claims.subject,
                          revoked ? "revoked" : "expires " + when_text(user.claims.expires, id->now));
      json::object one = row(user.name, user.claims);
      one["revoked"] = revoked;
      user_rows.push_back(std::move(one));
    }
    json::object one = row(account.name, account.claims);
    one["system"] = system;
    one["users"] = std::move(user_rows);
    account_rows.push_back(std::move(one));
  }
  if (as_json) {
    json::object facts = row(id->op.name, id->op.claims);
    facts["accounts"] = std::move(account_rows);
    fmt::print("{}\n", json::serialize(facts));
  } else {
    fmt::print("{}", text);
  }
  return {};
}

// ---- expirations
// ------------------------------------------------------------------------------------------------------

struct Ending {
  std::string kind;  // operator, account, user, key
  std::string name;
  std::string key;
  std::chrono::sys_seconds at;
};

Result<std::vector<Ending>> endings(const IdStore& id) {
  std::vector<Ending> all;
  const auto add = [&all](const char* kind, const std::string& name, const identity::CommonClaims& claims) {
    if (claims.expires) {
      all.push_back({kind, name, claims.subject, *claims.expires});
    }
  };
  add("operator", id.op.name, id.op.claims);
  const auto accounts = id.store.accounts();
  if (!accounts) {
    return std::unexpected(accounts.error());
  }
  for (const auto& account : *accounts) {
    add("account", account.name, account.claims);
    const auto users = id.store.users(account.name);
    if (!users) {
      return std::unexpected(users.error());
    }
    for (const auto& user : *users) {
      add("user", account.name + "/" + user.name, user.claims);
    }
  }
  const auto retiring = identity::read_retiring(id.store);
  if (!retiring) {
    return std::unexpected(retiring.error());
  }
  for (const auto& key : *retiring) {
    all.push_back({"key",
                   "the old key of " + (key.account.empty() ? id.op.name : key.account) +
                       (key.user.empty() ? "" : "/" + key.user),
                   key.key, key.until});
  }
  std::sort(all.begin(), all.end(),
            [](const Ending& a, const Ending& b) { return std::tie(a.at, a.name) < std::tie(b.at, b.name); });
  return all;
}

Result<void> expirations(const ExpirationOptions& options, bool as_json) {
  const auto within = parse_duration(options.within);
  if (!within) {
    return fail(Errc::bad_quantity, "--within " + options.within);
  }
  const auto id = open_id_store(options.store, Store::Access::read);
  const auto all = id ? endings(*id) : std::unexpected(id.error());
  if (!all) {
    return std::unexpected(all.error());
  }
  const auto limit = id->now + std::chrono::floor<std::chrono::seconds>(*within);
  json::array rows;
  std::size_t soon = 0;
  for (const Ending& one : *all) {
    const bool counts = one.at <= limit;
    soon += counts ? 1 : 0;
    rows.push_back({{"kind", one.kind},
                    {"name", one.name},
                    {"key", one.key},
                    {"expires", to_rfc3339(one.at)},
                    {"expired", one.at <= id->now},
                    {"soon", counts}});
    if (!as_json) {
      fmt::print("{} {:<8} {:<32} {}\n", counts ? "!" : " ", one.kind, one.name, when_text(one.at, id->now));
    }
  }
  if (as_json) {
    fmt::print("{}\n", json::serialize(json::object{
                           {"ok", soon == 0}, {"within", options.within}, {"expirations", std::move(rows)}}));
  }
  return soon == 0 ? Result<void>()
                   : fail(Errc::id_expiring,
                          fmt::format("{} within {}", soon == 1 ? "one ends" : std::to_string(soon) + " end",
                                      options.within));
}

}  // namespace

void add_id_list(CLI::App& id, Exit& exit) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* command = add_command(id, "list", "The operator with its accounts and their users",
                                  "hawser id list\nhawser id list --json | jq '.accounts[].name'");
  add_store_flags(*command, options->store);
  add_json_flag(*command, exit);
  command->callback([options, &exit] { exit = list(*options, exit.json); });
}

void add_id_expirations(CLI::App& id, Exit& exit) {
  auto options = std::make_shared<ExpirationOptions>();
  CLI::App* command = add_command(id, "expirations", "What ends, and when; exit code 1 when something ends soon",
                                  "hawser id expirations\nhawser id expirations --within 7d --json");
  command->add_option("--within", options->within, "What is soon")->capture_default_str()->type_name("DURATION");
  add_store_flags(*command, options->store);
  add_json_flag(*command, exit);
  command->callback([options, &exit] { exit = expirations(*options, exit.json); });
}

}  // namespace hawser::cli
