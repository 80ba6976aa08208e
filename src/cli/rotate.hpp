// What the commands of `hawser rotate` share: how a plan, its time and what has passed are shown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/flow_plot.hpp"
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
  std::vector<rotation::Series> flow;
  std::optional<pid_t> owner;  // the process that runs it
};
// "done", "rolled back", "rolling back", "running", "stopped".
[[nodiscard]] std::string state_of(const RotationRecord& record);
[[nodiscard]] std::string render_status(const rotation::Plan& plan, const RotationRecord& record, bool json);
[[nodiscard]] std::string render_report(const RotationRecord& record, bool json);
// One page that needs nothing else. `plan` tells which targets are of which wave, if it is still the plan of the
// record.
[[nodiscard]] std::string render_html(const rotation::Plan& plan, const RotationRecord& record);
// When trust was broadened, each wave ran, and trust was narrowed; what did not happen is left out.
[[nodiscard]] std::vector<PlotSpan> spans_of(const rotation::Plan& plan, const RotationRecord& record);

// `run`, `resume` and `rollback`. `admin`: where it can be watched while it runs, "127.0.0.1:9333"; empty: nowhere.
void rotate(const rotation::Plan& plan, rotation::Intent intent, const std::string& admin, Exit& exit);

}  // namespace hawser::cli
