// `hawser id`: operators, accounts and users, in a store that nsc can read, too.
#include "cli/id.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "identity/store_nsc.hpp"

namespace hawser::cli {

using identity::KeyKind;
using identity::KeyPair;
using identity::Store;

namespace {

std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) {
    all += (all.empty() ? "" : ", ") + name;
  }
  return all;
}

bool names_a_store(const StoreFlags& flags) {
  return !flags.store.empty() || !environment("HAWSER_ID_STORE").value_or("").empty();
}

// The one that is named, the only one, or in nsc's own place the one that nsc was told last.
Result<std::string> chosen_operator(const StoreFlags& flags, const std::vector<std::string>& operators) {
  if (!flags.operator_name.empty() || operators.size() == 1) {
    return flags.operator_name.empty() ? operators.front() : flags.operator_name;
  }
  const auto nsc = names_a_store(flags) ? Result<identity::NscContext>() : identity::read_nsc_context(environment);
  if (nsc && std::find(operators.begin(), operators.end(), nsc->operator_name) != operators.end()) {
    return nsc->operator_name;
  }
  return fail(Errc::id_ambiguous, "there are the operators " + joined(operators));
}

}  // namespace

void add_store_flags(CLI::App& command, StoreFlags& flags) {
  const auto add = [&](const char* name, std::string& into, const char* help, const char* type) {
    command.add_option(name, into, help)->group("Store")->type_name(type);
  };
  add("--store", flags.store, "Directory with operators and keys (default $HAWSER_ID_STORE, then nsc's own place)",
      "DIR");
  add("--keys", flags.keys, "Directory with the keys, if it is another", "DIR");
  add("--operator", flags.operator_name, "Which operator, if the store has several", "NAME");
  command.add_option("--key-file", flags.key_files, "A seed that is not in the store, for this run; may be repeated")
      ->group("Store")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

CLI::Option* add_name(CLI::App& command, std::string& name, const std::string& what) {
  return command.add_option("-n,--name,name", name, what)->type_name("NAME");
}

CLI::Option* add_account_flag(CLI::App& command, std::string& account) {
  return command.add_option("-a,--account", account, "Which account, if there are several")->type_name("NAME");
}

Result<identity::StorePlaces> places_of(const StoreFlags& flags) {
  auto places = identity::find_store_places({.store = flags.store, .keys = flags.keys}, environment);
  if (!places || names_a_store(flags)) {
    return places;
  }
  const auto nsc = identity::read_nsc_context(environment);
  if (!nsc) {
    return std::unexpected(nsc.error());
  }
  if (!nsc->store_root.empty()) {
    places->stores = nsc->store_root;
  }
  return places;
}

Result<std::unique_ptr<identity::KeyRing>> key_ring(const StoreFlags& flags, const identity::StorePlaces& places) {
  auto ring = std::make_unique<identity::KeyRing>(places.keys);
  for (const std::string& file : flags.key_files) {
    if (auto lent = ring->lend_file(file); !lent) {
      return std::unexpected(std::move(lent.error()));
    }
  }
  return ring;
}

Result<IdStore> open_id_store(const StoreFlags& flags, Store::Access access) {
  const auto places = places_of(flags);
  if (!places) {
    return std::unexpected(places.error());
  }
  auto ring = key_ring(flags, *places);
  if (!ring) {
    return std::unexpected(std::move(ring.error()));
  }
  const auto operators = identity::stored_operators(*places);
  if (!operators) {
    return std::unexpected(operators.error());
  }
  const auto name = chosen_operator(flags, *operators);
  if (!name) {
    return std::unexpected(name.error());
  }
  auto store = Store::open(*places, *name, access);
  if (!store) {
    return std::unexpected(std::move(store.error()));
  }
  auto op = store->read_operator();
  if (!op) {
    return std::unexpected(std::move(op.error()));
  }
  return IdStore{.store = std::move(*store),
                 .op = std::move(*op),
                 .keys = std::move(*ring),
                 .now = std::chrono::floor<std::chrono::seconds>(wall_now())};
}

Result<identity::StoredAccount> chosen_account(const IdStore& id, const std::string& given) {
  if (!given.empty()) {
    return id.store.account(given);
  }
  auto all = id.store.accounts();
  if (!all) {
    return std::unexpected(std::move(all.error()));
  }
  std::erase_if(*all, [&](const auto& one) { return one.claims.subject == id.op.claims.system_account; });
  if (all->size() != 1) {
    std::vector<std::string> names;
    for (const auto& one : *all) {
      names.push_back(one.name);
    }
    return all->empty() ? fail(Errc::id_not_found, "looking for an account: there is none beside the system account")
                        : fail(Errc::id_ambiguous, "there are the accounts " + joined(names));
  }
  return std::move(all->front());
}

// ---- signing and writing
// ----------------------------------------------------------------------------------------------

Result<void> sound(const identity::Claims& claims, std::chrono::sys_seconds now) {
  for (const identity::ClaimFinding& finding : identity::findings(claims, now)) {
    if (finding.severity == identity::ClaimFinding::Severity::error) {
      return fail(Errc::jwt_invalid, finding.member + ": " + finding.message);
    }
  }
  return {};
}

Result<void> put_operator(IdStore& id, identity::OperatorClaims claims) {
  if (auto good = sound(claims, id.now); !good) {
    return good;
  }
  auto token = id.issuer().self_signed(claims);
  if (!token) {
    return std::unexpected(std::move(token.error()));
  }
  auto put = id.store.put_operator(*token);
  if (put) {
    id.op.claims = std::move(claims);
    id.op.token = std::move(*token);
  }
  return put;
}

Result<std::string> put_account(const IdStore& id, const std::string& name, const identity::AccountClaims& claims) {
  if (auto good = sound(claims, id.now); !good) {
    return std::unexpected(std::move(good.error()));
  }
  auto token = id.issuer().account(id.op.claims, claims);
  if (!token) {
    return token;
  }
  if (auto put = id.store.put_account(name, *token); !put) {
    return std::unexpected(std::move(put.error()));
  }
  return token;
}

Result<std::string> put_user(const IdStore& id, const identity::AccountClaims& account, const std::string& account_name,
                             const std::string& name, const identity::UserClaims& claims, std::string_view role) {
  if (auto good = sound(claims, id.now); !good) {
    return std::unexpected(std::move(good.error()));
  }
  auto token = id.issuer().user(account, claims, role);
  if (!token) {
    return token;
  }
  if (auto put = id.store.put_user(account_name, name, *token); !put) {
    return std::unexpected(std::move(put.error()));
  }
  return token;
}

Result<KeyPair> new_key(const IdStore& id, KeyKind kind) {
  auto key = KeyPair::create(kind);
  if (!key) {
    return key;
  }
  if (auto saved = id.keys->save(*key); !saved) {
    return std::unexpected(std::move(saved.error()));
  }
  return key;
}

Result<std::string> signing_key(const IdStore& id, const std::string& wanted, KeyKind kind) {
  if (wanted == "generate") {
    const auto key = new_key(id, kind);
    return key ? Result<std::string>(key->public_key().text()) : std::unexpected(key.error());
  }
  const auto given = identity::PublicKey::parse(wanted);
  if (!given) {
    return std::unexpected(given.error());
  }
  if (given->kind() != kind) {
    return fail(Errc::nkey_wrong_kind, fmt::format("adding a signing key: an {}'s is needed, this is {}'s",
                                                   to_string(kind), to_string(given->kind())));
  }
  return given->text();
}

void add_id(CLI::App& app, Exit& exit) {
  CLI::App* id =
      add_command(app, "id", "Operators, accounts and users: NKeys, JWTs, creds, permissions, revocation",
                  "hawser id operator add nexo-ops --signing-key --system-account\n"
                  "hawser id account add nexo-prod\n"
                  "hawser id user add agent-kate --account nexo-prod --allow-pub agent.route.ops --expires 30d\n"
                  "hawser id creds --account nexo-prod --name agent-kate -o secrets/agent-kate.nkey\n"
                  "hawser id server-config --resolver full --dir ./jwt > nats-server.conf\n"
                  "hawser id apply policy.yaml --dry-run");
  id->require_subcommand(1);
  for (const auto add :
       {add_id_operator, add_id_account, add_id_user, add_id_list, add_id_creds, add_id_rotate, add_id_expirations,
        add_id_sign, add_id_verify, add_id_push, add_id_pull, add_id_diff, add_id_server_config, add_id_apply}) {
    add(*id, exit);
  }
}

}  // namespace hawser::cli
