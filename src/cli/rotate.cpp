// `hawser rotate`: a rotation of a CA or of credentials across a fleet, proven step by step (docs/rotation.md).
#include "cli/rotate.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <functional>
#include <memory>

#include "base/clock.hpp"
#include "base/file.hpp"
#include "config/rotation_file.hpp"

namespace hawser::cli {
namespace {

using rotation::Intent;
using rotation::Journal;
using rotation::Plan;

struct RotateOptions {
  std::string file;
  bool dry_run = false;
  std::string admin;
  std::string html;  // report: the file to write
};

void with_plan(const RotateOptions& options, Exit& exit, const std::function<void(const Plan&)>& act) {
  const Result<Plan> plan = config::load_rotation_plan(options.file);
  if (!plan) {
    exit = plan.error();
    return;
  }
  act(*plan);
}

void show_plan(const Plan& plan, Exit& exit) {
  const rotation::Inspection found = rotation::inspect(plan, "", wall_now());
  fmt::print("{}", render_plan(plan, found, exit.json));
  exit = found.errors.empty() ? ExitCode::done : ExitCode::not_so;
}

Result<RotationRecord> read_record(const Plan& plan) {
  auto journal = Journal::open(plan.journal, Journal::Role::reader);
  if (!journal) {
    return std::unexpected(std::move(journal.error()));
  }
  auto last = (*journal)->last();
  if (!last) {
    return std::unexpected(std::move(last.error()));
  }
  if (!*last) {
    return fail(Errc::rotation_not_begun, plan.journal.string());
  }
  auto passed = (*journal)->passed();
  auto audit = passed ? (*journal)->audit() : std::unexpected(passed.error());
  if (!audit) {
    return std::unexpected(std::move(audit.error()));
  }
  const auto flow = (*journal)->flow();
  if (!flow) {
    return std::unexpected(flow.error());
  }
  return RotationRecord{std::move(**last), std::move(*passed), std::move(*audit), rotation::series_of(*flow),
                        Journal::owner(plan.journal)};
}

using Render = std::string (*)(const Plan&, const RotationRecord&, bool json);

void show(const Plan& plan, Render render, Exit& exit) {
  const Result<RotationRecord> record = read_record(plan);
  if (!record) {
    exit = record.error();
    return;
  }
  fmt::print("{}", render(plan, *record, exit.json));
}

void report(const Plan& plan, const RotateOptions& options, Exit& exit) {
  if (options.html.empty()) {
    return show(
        plan, [](const Plan&, const RotationRecord& record, bool json) { return render_report(record, json); }, exit);
  }
  const Result<RotationRecord> record = read_record(plan);
  exit = record ? write_file_atomically(options.html, render_html(plan, *record), FileMode::world_readable)
                : std::unexpected(record.error());
}

// A subcommand that takes a plan and does this with it.
CLI::App* add_on_plan(CLI::App& rotate, Exit& exit, const std::string& name, const std::string& summary,
                      const std::string& examples, std::function<void(const Plan&, const RotateOptions&)> act) {
  auto options = std::make_shared<RotateOptions>();
  CLI::App* command = add_command(rotate, name, summary, examples);
  command->add_option("file", options->file, "The plan (docs/rotation.md)")->required()->type_name("FILE");
  if (name == "run" || name == "resume" || name == "rollback") {
    command->add_option("--admin", options->admin, "Loopback address of a page that shows it while it runs")
        ->type_name("ADDRESS");
  }
  if (name == "run") {
    command->add_flag("--dry-run", options->dry_run, "Print each step, and touch nothing");
  } else if (name == "report") {
    command->add_option("--html", options->html, "Write it as a page of its own instead")->type_name("FILE");
  }
  add_json_flag(*command, exit);
  command->callback([options, act = std::move(act), &exit] {
    with_plan(*options, exit, [&](const Plan& plan) { act(plan, *options); });
  });
  return command;
}

void run_or_print(const Plan& plan, const RotateOptions& options, Intent intent, Exit& exit) {
  if (options.dry_run) {
    fmt::print("{}", render_dry_run(plan));
    return;
  }
  rotate(plan, intent, options.admin, exit);
}

}  // namespace

void add_rotate(CLI::App& app, Exit& exit) {
  CLI::App* rotate_command =
      add_command(app, "rotate", "Rotate a CA or credentials across a fleet, each step proven before the next",
                  "hawser rotate plan rotation.yaml\n"
                  "hawser rotate run rotation.yaml\n"
                  "hawser rotate status rotation.yaml --json\n"
                  "hawser rotate rollback rotation.yaml");
  rotate_command->require_subcommand(1);
  add_on_plan(*rotate_command, exit, "plan", "Is the plan good, and how long may it take? Touches nothing",
              "hawser rotate plan rotation.yaml\nhawser rotate plan rotation.yaml --json | jq .seconds",
              [&exit](const Plan& plan, const RotateOptions&) { show_plan(plan, exit); });
  add_on_plan(
      *rotate_command, exit, "run", "Begin the rotation, and stay until it is over or stops",
      "hawser rotate run rotation.yaml\nhawser rotate run rotation.yaml --admin 127.0.0.1:9333\n"
      "hawser rotate run rotation.yaml --dry-run",
      [&exit](const Plan& plan, const RotateOptions& options) { run_or_print(plan, options, Intent::begin, exit); });
  add_on_plan(*rotate_command, exit, "status", "How far it has come, whether it runs or not",
              "hawser rotate status rotation.yaml\nhawser rotate status rotation.yaml --json | jq -r .state",
              [&exit](const Plan& plan, const RotateOptions&) { show(plan, render_status, exit); });
  add_on_plan(*rotate_command, exit, "resume", "Go on where it stopped, or where its process ended",
              "hawser rotate resume rotation.yaml", [&exit](const Plan& plan, const RotateOptions& options) {
                run_or_print(plan, options, Intent::resume, exit);
              });
  add_on_plan(*rotate_command, exit, "rollback",
              "Bring everything back, byte for byte; possible until trust is narrow everywhere",
              "hawser rotate rollback rotation.yaml", [&exit](const Plan& plan, const RotateOptions& options) {
                run_or_print(plan, options, Intent::roll_back, exit);
              });
  add_on_plan(*rotate_command, exit, "report", "What was done and seen, step by step, and the audit log",
              "hawser rotate report rotation.yaml\nhawser rotate report rotation.yaml --json > report.json\n"
              "hawser rotate report rotation.yaml --html report.html",
              [&exit](const Plan& plan, const RotateOptions& options) { report(plan, options, exit); });
}

}  // namespace hawser::cli
