// What the commands of `hawser rotate` share: how a plan, its time and what has passed are shown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "rotation/inventory.hpp"
#include "rotation/journal.hpp"
#include "rotation/plan.hpp"
#include "rotation/runner.hpp"

namespace hawser::cli {

// The plan, the time that it may take and what would stop it, for people or as one line of JSON.
[[nodiscard]] std::string render_plan(const rotation::Plan& plan, const rotation::Inspection& found, bool json);
// Every step in its order with what it would do; nothing is touched.
[[nodiscard]] std::string render_dry_run(const rotation::Plan& plan);

// What is in a journal of the last rotation.
struct RotationRecord {
  rotation::RotationRow row;
  std::vector<rotation::PassedRow> passed;
  std::vector<rotation::AuditRow> audit;
  std::optional<pid_t> owner;  // the process that runs it
};
// "done", "rolled back", "rolling back", "running", "stopped".
[[nodiscard]] std::string state_of(const RotationRecord& record);
[[nodiscard]] std::string render_status(const rotation::Plan& plan, const RotationRecord& record, bool json);
[[nodiscard]] std::string render_report(const RotationRecord& record, bool json);
// One page that needs nothing else.
[[nodiscard]] std::string render_html(const RotationRecord& record);

// `run`, `resume` and `rollback`.
void rotate(const rotation::Plan& plan, rotation::Intent intent, Exit& exit);

}  // namespace hawser::cli
