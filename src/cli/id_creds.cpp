// `hawser id creds`: a user's creds file, from its JWT and key in the store.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

#include "base/file.hpp"
#include "cli/id.hpp"
#include "identity/creds_text.hpp"

namespace hawser::cli {
namespace {

struct CredsOptions {
  StoreFlags store;
  std::string account;
  std::string name;
  std::string out;
  bool force = false;
};

Result<void> creds(const CredsOptions& options, bool as_json) {
  if (options.out.empty() && ::isatty(STDOUT_FILENO) == 1 && !options.force) {
    return fail(
        Errc::bad_usage,
        "creds on a terminal can be read by whoever sees it, and stay in its history: use -o FILE, a pipe, or --force");
  }
  const auto id = open_id_store(options.store, identity::Store::Access::read);
  const auto account = id ? chosen_account(*id, options.account) : std::unexpected(id.error());
  const auto user = account ? id->store.user(account->name, options.name) : std::unexpected(account.error());
  const auto key = user ? id->keys->find(user->claims.subject) : std::unexpected(user.error());
  if (!key) {
    return std::unexpected(key.error());
  }
  const Secret text = identity::creds_text(user->token, *key);
  if (options.out.empty()) {
    std::fwrite(text.reveal().data(), 1, text.reveal().size(), stdout);
    return std::fflush(stdout) == 0 ? Result<void>() : fail(Errc::file_unwritable, "writing creds to standard output");
  }
  if (auto written = write_file_atomically(options.out, text.reveal(), FileMode::owner_only); !written) {
    return written;
  }
  if (as_json) {
    fmt::print(
        "{}\n",
        boost::json::serialize(boost::json::object{
            {"user", user->name}, {"account", account->name}, {"key", user->claims.subject}, {"creds", options.out}}));
  } else {
    fmt::print("{}: creds of {} in {}\n", options.out, user->name, account->name);
  }
  return {};
}

}  // namespace

void add_id_creds(CLI::App& id, Exit& exit) {
  auto options = std::make_shared<CredsOptions>();
  CLI::App* command = add_command(id, "creds", "A user's creds file, which NATS clients log in with",
                                  "hawser id creds --account nexo-prod --name agent-kate > secrets/agent-kate.nkey\n"
                                  "hawser id creds --account nexo-prod --name agent-kate -o secrets/agent-kate.nkey");
  add_account_flag(*command, options->account);
  add_name(*command, options->name, "Which user")->required();
  command->add_option("-o,--out", options->out, "File to write, 0600; without it, standard output")->type_name("FILE");
  command->add_flag("--force", options->force, "Print them on a terminal, too");
  add_store_flags(*command, options->store);
  add_json_flag(*command, exit);
  command->callback([options, &exit] { exit = creds(*options, exit.json); });
}

}  // namespace hawser::cli
