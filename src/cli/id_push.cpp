// `hawser id push`, `pull` and `diff`: the store's accounts and those of a server's resolver.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <memory>

#include "cli/id.hpp"
#include "cli/id_flags.hpp"
#include "cli/id_resolver.hpp"
#include "cli/id_rotate.hpp"
#include "cli/sub_render.hpp"
#include "identity/chain.hpp"
#include "identity/store_retiring.hpp"
#include "identity/token.hpp"

namespace hawser::cli {
namespace {

namespace json = boost::json;
using identity::Store;
using identity::StoredAccount;

struct PushOptions {
  StoreFlags store;
  ConnectionFlags connection;
  Words accounts;
  bool all = false;
  bool prune = false;
  bool overwrite = false;  // pull
};

identity::TrustedKeys trusted_keys(const IdStore& id) {
  identity::TrustedKeys trusted;
  for (std::string& key : id.op.claims.trusted_keys()) {
    trusted.insert(std::move(key));
  }
  return trusted;
}

// Servers store what they are told, whoever signed it, and then refuse its users: so it is asked here.
Result<std::vector<StoredAccount>> accounts_to_push(const IdStore& id, const PushOptions& options) {
  if (!options.accounts.empty() && options.all) {
    return fail(Errc::bad_usage, "--all and --account exclude each other");
  }
  std::vector<StoredAccount> chosen;
  for (const std::string& name : options.accounts) {
    auto account = id.store.account(name);
    if (!account) {
      return std::unexpected(std::move(account.error()));
    }
    chosen.push_back(std::move(*account));
  }
  if (options.accounts.empty()) {
    auto all = id.store.accounts();
    if (!all) {
      return all;
    }
    chosen = std::move(*all);
  }
  const auto trusted = trusted_keys(id);
  for (const StoredAccount& account : chosen) {
    if (auto good = identity::admit_account(account.claims, trusted, id.now); !good) {
      good.error().doing = "the account " + account.name + ": " + good.error().doing;
      return std::unexpected(std::move(good.error()));
    }
  }
  return chosen;
}

// Rows of what was done, for people as they come, for programs at the end.
class Report {
 public:
  explicit Report(bool as_json) : json_(as_json) {}

  void add(const std::string& what, const ServerAnswer& answer) {
    refused_ += answer.taken ? 0 : 1;
    first_refusal_ = !answer.taken && first_refusal_.empty()
                         ? fmt::format("{}, {}: {}", what, answer.server, answer.text)
                         : first_refusal_;
    rows_.push_back({{"account", what}, {"server", answer.server}, {"ok", answer.taken}, {"message", answer.text}});
    if (!json_) {
      fmt::print("{:<24} {:<16} {}{}\n", what, safe_for_terminal(answer.server),
                 answer.taken ? "" : "refused: ", safe_for_terminal(answer.text));
    }
  }
  [[nodiscard]] Result<void> end() {
    if (json_) {
      fmt::print("{}\n", json::serialize(json::object{{"ok", refused_ == 0}, {"answers", std::move(rows_)}}));
    }
    return refused_ == 0 ? Result<void>() : fail(Errc::resolver_refused, safe_for_terminal(first_refusal_));
  }

 private:
  bool json_;
  std::size_t refused_ = 0;
  std::string first_refusal_;
  json::array rows_;
};

// ---- push
// ---------------------------------------------------------------------------------------------------------------

// A request to delete, which the operator signs for itself.
Result<std::string> deletion(const IdStore& id, const std::vector<std::string>& accounts) {
  std::vector<std::string> keys = id.op.claims.signing_keys;
  keys.push_back(id.op.claims.subject);
  for (const std::string& one : keys) {
    const auto key = id.keys->find(one);
    if (!key) {
      continue;
    }
    identity::GenericClaims claims;
    claims.subject = one;
    claims.unknown = json::serialize(json::object{{"accounts", json::value_from(accounts)}});
    return identity::encode(identity::Claims(claims), *key, id.now);
  }
  return fail(Errc::id_key_missing, "signing a request to delete accounts: no key of the operator is in the store");
}

Result<void> prune(Resolver& resolver, const IdStore& id, Report& report) {
  const auto known = id.store.accounts();
  const auto listed = known ? resolver.list() : std::unexpected(known.error());
  if (!listed) {
    return std::unexpected(listed.error());
  }
  std::vector<std::string> gone;
  for (const ServerAnswer& answer : *listed) {
    for (const std::string& key : answer.accounts) {
      const bool here =
          std::any_of(known->begin(), known->end(), [&key](const auto& one) { return one.claims.subject == key; });
      if (!here && key != id.op.claims.system_account && std::find(gone.begin(), gone.end(), key) == gone.end()) {
        gone.push_back(key);
      }
    }
  }
  if (gone.empty()) {
    return {};
  }
  const auto request = deletion(id, gone);
  const auto answers = request ? resolver.erase(*request) : std::unexpected(request.error());
  if (!answers) {
    return std::unexpected(answers.error());
  }
  for (const ServerAnswer& answer : *answers) {
    report.add(gone.size() == 1 ? gone.front() : fmt::format("{} accounts", gone.size()), answer);
  }
  return {};
}

// The store is locked only while old keys are retired, and only if there are such.
Result<void> retire(const PushOptions& options, bool as_json) {
  {
    const auto id = open_id_store(options.store, Store::Access::read);
    const auto keys = id ? identity::read_retiring(id->store) : std::unexpected(id.error());
    if (!keys) {
      return std::unexpected(keys.error());
    }
    if (std::none_of(keys->begin(), keys->end(), [&](const auto& key) { return key.until <= id->now; })) {
      return {};
    }
  }
  auto id = open_id_store(options.store, Store::Access::write);
  const auto lines = id ? retire_due(*id, Due::by_now) : std::unexpected(id.error());
  if (!lines) {
    return std::unexpected(lines.error());
  }
  for (const std::string& line : *lines) {
    print_notice(line, as_json);
  }
  return {};
}

Result<void> push(PushOptions& options, bool as_json) {
  if (auto done = retire(options, as_json); !done) {
    return done;
  }
  const auto id = open_id_store(options.store, Store::Access::read);
  const auto accounts = id ? accounts_to_push(*id, options) : std::unexpected(id.error());
  if (!accounts) {
    return std::unexpected(accounts.error());
  }
  auto resolver = Resolver::connect(*id, options.connection, "hawser id push", as_json);
  if (!resolver) {
    return std::unexpected(std::move(resolver.error()));
  }
  Report report(as_json);
  for (const StoredAccount& account : *accounts) {
    const auto answers = (*resolver)->update(account.claims.subject, account.token);
    if (!answers) {
      return std::unexpected(answers.error());
    }
    for (const ServerAnswer& answer : *answers) {
      report.add(account.name, answer);
    }
  }
  if (options.prune) {
    if (auto done = prune(**resolver, *id, report); !done) {
      return done;
    }
  }
  return report.end();
}

// ---- pull and diff
// ------------------------------------------------------------------------------------------------------

struct Compared {
  std::string key;
  std::string name;
  enum class State : std::uint8_t { same, newer_here, newer_there, only_here, only_there, not_trusted } state;
  std::string token;  // the server's
};

std::string_view words(Compared::State state) {
  using State = Compared::State;
  switch (state) {
    case State::same: return "the same";
    case State::newer_here: return "newer in the store";
    case State::newer_there: return "newer on the server";
    case State::only_here: return "only in the store";
    case State::only_there: return "only on the server";
    case State::not_trusted: return "on the server, and not trusted";
  }
  return "";
}

Compared compare(const IdStore& id, const std::vector<StoredAccount>& known, const std::string& key,
                 const std::string& token) {
  using State = Compared::State;
  const auto claims = identity::decode_account(token);
  if (!claims || claims->subject != key || !identity::admit_account(*claims, trusted_keys(id), id.now)) {
    return {.key = key, .name = claims ? claims->name : key, .state = State::not_trusted, .token = token};
  }
  const auto here =
      std::find_if(known.begin(), known.end(), [&key](const auto& one) { return one.claims.subject == key; });
  if (here == known.end()) {
    return {.key = key, .name = claims->name, .state = State::only_there, .token = token};
  }
  const State state = here->token == token                          ? State::same
                      : here->claims.issued_at >= claims->issued_at ? State::newer_here
                                                                    : State::newer_there;
  return {.key = key, .name = here->name, .state = state, .token = token};
}

Result<std::vector<Compared>> compare_all(PushOptions& options, const IdStore& id, std::string_view command,
                                          bool as_json) {
  const auto known = id.store.accounts();
  auto resolver = known ? Resolver::connect(id, options.connection, command, as_json) : std::unexpected(known.error());
  const auto there = resolver ? (*resolver)->everything() : std::unexpected(resolver.error());
  if (!there) {
    return std::unexpected(there.error());
  }
  std::vector<Compared> rows;
  for (const auto& [key, token] : *there) {
    rows.push_back(compare(id, *known, key, token));
  }
  for (const StoredAccount& account : *known) {
    if (!there->contains(account.claims.subject)) {
      rows.push_back(
          {.key = account.claims.subject, .name = account.name, .state = Compared::State::only_here, .token = {}});
    }
  }
  return rows;
}

Result<void> diff(PushOptions& options, bool as_json) {
  const auto id = open_id_store(options.store, Store::Access::read);
  const auto rows = id ? compare_all(options, *id, "hawser id diff", as_json) : std::unexpected(id.error());
  if (!rows) {
    return std::unexpected(rows.error());
  }
  json::array facts;
  std::size_t different = 0;
  for (const Compared& row : *rows) {
    different += row.state == Compared::State::same ? 0 : 1;
    facts.push_back({{"account", row.name}, {"key", row.key}, {"state", words(row.state)}});
    if (!as_json) {
      fmt::print("{:<24} {}  {}\n", safe_for_terminal(row.name), safe_for_terminal(row.key), words(row.state));
    }
  }
  if (as_json) {
    fmt::print("{}\n", json::serialize(json::object{{"ok", different == 0}, {"accounts", std::move(facts)}}));
  }
  return different == 0
             ? Result<void>()
             : fail(Errc::not_as_expected, fmt::format("{} account{} differ{}", different, different == 1 ? "" : "s",
                                                       different == 1 ? "s" : ""));
}

// What becomes of one account of the server's, in words; stored if it is to be.
Result<std::string> take(const IdStore& id, const Compared& row, bool overwrite) {
  using State = Compared::State;
  const bool wanted = row.state == State::newer_there || row.state == State::only_there ||
                      (row.state == State::newer_here && overwrite);
  if (!wanted) {
    return std::string(row.state == State::newer_here ? "kept: newer in the store (--overwrite takes the server's)"
                                                      : words(row.state));
  }
  if (row.state == State::only_there && id.store.has_account(row.name)) {
    return std::string("not stored: the store has another of this name");
  }
  if (!identity::check_store_name("account", row.name)) {
    return std::string("not stored: its name cannot be one of a file");
  }
  auto put = id.store.put_account(row.name, row.token);
  return put ? Result<std::string>("stored") : std::unexpected(std::move(put.error()));
}

Result<void> pull(PushOptions& options, bool as_json) {
  std::vector<Compared> rows;
  {
    const auto id = open_id_store(options.store, Store::Access::read);
    auto compared = id ? compare_all(options, *id, "hawser id pull", as_json) : std::unexpected(id.error());
    if (!compared) {
      return std::unexpected(std::move(compared.error()));
    }
    rows = std::move(*compared);
  }
  auto id = open_id_store(options.store, Store::Access::write);
  if (!id) {
    return std::unexpected(id.error());
  }
  json::array facts;
  for (const Compared& row : rows) {
    const bool chosen = options.accounts.empty() ||
                        std::find(options.accounts.begin(), options.accounts.end(), row.name) != options.accounts.end();
    if (!chosen) {
      continue;
    }
    const auto done = take(*id, row, options.overwrite);
    if (!done) {
      return std::unexpected(done.error());
    }
    facts.push_back({{"account", row.name}, {"key", row.key}, {"result", *done}});
    if (!as_json) {
      fmt::print("{:<24} {}\n", safe_for_terminal(row.name), *done);
    }
  }
  if (as_json) {
    fmt::print("{}\n", json::serialize(json::object{{"ok", true}, {"accounts", std::move(facts)}}));
  }
  return {};
}

// As commands with a connection end: ^C is an end of its own.
void end(Exit& exit, const Result<void>& outcome) {
  end_with(exit, outcome ? Result<ExitCode>(ExitCode::done) : std::unexpected(outcome.error()));
}

CLI::App* add_resolver_command(CLI::App& id, const char* name, const char* summary, const char* examples,
                               PushOptions& options, Exit& exit) {
  CLI::App* command = add_command(id, name, summary, examples);
  add_store_flags(*command, options.store);
  add_json_flag(*command, exit);
  add_connection_flags(*command, options.connection);
  return command;
}

}  // namespace

void add_id_push(CLI::App& id, Exit& exit) {
  auto options = std::make_shared<PushOptions>();
  CLI::App* command =
      add_resolver_command(id, "push", "Give accounts to servers; revocations take effect at once",
                           "hawser id push -s tls://nats:4222\n"
                           "hawser id push --account nexo-prod -s tls://nats:4222 --creds sys.creds --tlsca ca.crt\n"
                           "hawser id push --all --prune",
                           *options, exit);
  add_words(*command, "-a,--account", options->accounts, "These accounts only", "NAME");
  command->add_flag("--all", options->all, "All accounts of the operator, which is what happens without --account");
  command->add_flag("--prune", options->prune, "Delete on the servers what is not in the store");
  command->callback([options, &exit] { end(exit, push(*options, exit.json)); });
}

void add_id_pull(CLI::App& id, Exit& exit) {
  auto options = std::make_shared<PushOptions>();
  CLI::App* command =
      add_resolver_command(id, "pull", "Take accounts from a server into the store, if they are newer and trusted",
                           "hawser id pull -s tls://nats:4222 --creds sys.creds", *options, exit);
  add_words(*command, "-a,--account", options->accounts, "These accounts only", "NAME");
  command->add_flag("--overwrite", options->overwrite, "Also what is newer in the store");
  command->callback([options, &exit] { end(exit, pull(*options, exit.json)); });
}

void add_id_diff(CLI::App& id, Exit& exit) {
  auto options = std::make_shared<PushOptions>();
  CLI::App* command =
      add_resolver_command(id, "diff", "What differs between the store and a server; exit code 1 when anything does",
                           "hawser id diff -s tls://nats:4222 --json", *options, exit);
  command->callback([options, &exit] { end(exit, diff(*options, exit.json)); });
}

}  // namespace hawser::cli
