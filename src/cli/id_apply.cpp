// `hawser id apply`: a file that says what accounts and users there are, made true.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <memory>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "cli/connection.hpp"
#include "cli/id.hpp"
#include "cli/sub_render.hpp"
#include "config/policy_file.hpp"
#include "identity/creds_text.hpp"
#include "identity/policy_plan.hpp"

namespace hawser::cli {
namespace {

namespace json = boost::json;
using identity::Plan;
using identity::PlanStep;
using identity::Policy;
using identity::Store;

struct ApplyOptions {
  StoreFlags store;
  std::string file;
  std::string creds_dir;
  bool dry_run = false;
  bool prune = false;
  bool revoke_old = false;
};

std::string_view word(PlanStep::Kind kind) {
  return kind == PlanStep::Kind::create ? "create" : kind == PlanStep::Kind::change ? "change" : "remove";
}

std::string subject_of(const PlanStep& step) {
  return step.user.empty() ? "account " + step.account : "user " + step.account + "/" + step.user;
}

void print_plan(const Plan& plan, const std::vector<std::string>& files) {
  for (const PlanStep& step : plan.steps) {
    const char sign = step.kind == PlanStep::Kind::create ? '+' : step.kind == PlanStep::Kind::change ? '~' : '-';
    fmt::print("{} {} {}\n", sign, word(step.kind), subject_of(step));
    for (const std::string& detail : step.details) {
      fmt::print("    {}\n", safe_for_terminal(detail));
    }
  }
  for (const std::string& file : files) {
    fmt::print("+ write {}\n", file);
  }
  for (const std::string& text : plan.notes) {
    fmt::print("  {}\n", text);
  }
}

json::object as_json_value(const Plan& plan, const std::vector<std::string>& files, bool applied) {
  json::array steps;
  for (const PlanStep& step : plan.steps) {
    steps.push_back({{"action", word(step.kind)},
                     {"account", step.account},
                     {"user", step.user},
                     {"key", step.key},
                     {"details", json::value_from(step.details)}});
  }
  return {{"applied", applied},
          {"steps", std::move(steps)},
          {"creds", json::value_from(files)},
          {"notes", json::value_from(plan.notes)}};
}

struct CredsFile {
  std::filesystem::path path;
  Secret text;
};

// The creds of the policy's users as they will be, where the files are not so already.
Result<std::vector<CredsFile>> creds_files(const ApplyOptions& options, const Policy& policy, const Plan& plan,
                                           const identity::Holdings& holdings, const identity::KeyRing& ring) {
  std::vector<CredsFile> files;
  if (options.creds_dir.empty()) {
    return files;
  }
  for (const auto& account : policy.accounts) {
    for (const auto& user : account.users) {
      const auto step = std::find_if(plan.steps.begin(), plan.steps.end(), [&](const PlanStep& one) {
        return one.account == account.name && one.user == user.name;
      });
      const identity::StoredUser* held = holdings.user(account.name, user.name);
      const std::string& public_key = step != plan.steps.end() ? step->key : held->claims.subject;
      const auto key = ring.find(public_key);
      if (!key) {
        return std::unexpected(key.error());
      }
      CredsFile file{.path = std::filesystem::path(options.creds_dir) / account.name / (user.name + ".creds"),
                     .text = identity::creds_text(step != plan.steps.end() ? step->token : held->token, *key)};
      const auto there = read_secret_file(file.path, limits::kCredentialFileBytes);
      if (!there || there->reveal() != file.text.reveal()) {
        files.push_back(std::move(file));
      }
    }
  }
  return files;
}

Result<void> write_all(const std::vector<CredsFile>& files) {
  for (const CredsFile& file : files) {
    if (auto made = identity::make_private_directories(file.path.parent_path()); !made) {
      return made;
    }
    if (auto written = write_file_atomically(file.path, file.text.reveal(), FileMode::owner_only); !written) {
      return written;
    }
  }
  return {};
}

void tell(const Plan& plan, const std::vector<std::string>& files, const ApplyOptions& options, bool as_json) {
  const bool nothing = plan.steps.empty() && files.empty();
  if (as_json) {
    fmt::print("{}\n", json::serialize(as_json_value(plan, files, !options.dry_run && !nothing)));
    return;
  }
  print_plan(plan, files);
  if (nothing) {
    fmt::print("nothing to do\n");
    return;
  }
  fmt::print("{}\n", options.dry_run ? "nothing was written (--dry-run)" : "applied");
  const bool accounts =
      std::any_of(plan.steps.begin(), plan.steps.end(), [](const PlanStep& step) { return step.user.empty(); });
  if (accounts && !options.dry_run) {
    print_notice("`hawser id push` brings accounts to servers with a resolver", false);
  }
}

Result<void> apply(const ApplyOptions& options, bool as_json) {
  const auto policy = config::load_policy(options.file);
  if (!policy) {
    return std::unexpected(policy.error());
  }
  StoreFlags flags = options.store;
  if (!policy->operator_name.empty()) {
    if (!flags.operator_name.empty() && flags.operator_name != policy->operator_name) {
      return fail(Errc::bad_usage, "--operator " + flags.operator_name + ": the policy is of " + policy->operator_name);
    }
    flags.operator_name = policy->operator_name;
  }
  auto id = open_id_store(flags, options.dry_run ? Store::Access::read : Store::Access::write);
  const auto holdings = id ? identity::read_holdings(id->store) : std::unexpected(id.error());
  const auto plan = holdings ? identity::make_plan(*policy, *holdings, *id->keys, id->now,
                                                   {.prune = options.prune, .revoke_old = options.revoke_old})
                             : std::unexpected(holdings.error());
  const auto files = plan ? creds_files(options, *policy, *plan, *holdings, *id->keys) : std::unexpected(plan.error());
  if (!files) {
    return std::unexpected(files.error());
  }
  if (!options.dry_run) {
    auto done = identity::carry_out(*plan, id->store, *id->keys);
    if (done) {
      done = write_all(*files);
    }
    if (!done) {
      return done;
    }
  }
  std::vector<std::string> names;
  for (const CredsFile& file : *files) {
    names.push_back(file.path.string());
  }
  tell(*plan, names, options, as_json);
  return {};
}

}  // namespace

void add_id_apply(CLI::App& id, Exit& exit) {
  auto options = std::make_shared<ApplyOptions>();
  CLI::App* command = add_command(
      id, "apply", "Make accounts and users what a file says they are; applied twice, the second does nothing",
      "hawser id apply policy.yaml --dry-run\n"
      "hawser id apply policy.yaml --creds-dir ./creds && hawser id push");
  command->add_option("policy", options->file, "The file, YAML")->required()->type_name("FILE");
  command->add_flag("--dry-run", options->dry_run, "Show what would be done");
  command->add_option("--creds-dir", options->creds_dir, "Write the users' creds there: DIR/ACCOUNT/USER.creds, 0600")
      ->type_name("DIR");
  command->add_flag("--prune", options->prune,
                    "Remove accounts and users that the file does not name; users are revoked");
  command->add_flag("--revoke-old", options->revoke_old,
                    "What was issued before to users that change is void, once pushed");
  add_store_flags(*command, options->store);
  add_json_flag(*command, exit);
  command->callback([options, &exit] { exit = apply(*options, exit.json); });
}

}  // namespace hawser::cli
