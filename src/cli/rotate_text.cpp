// What `hawser rotate` shows of plans and journals.
#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/quantity.hpp"
#include "cli/rotate.hpp"
#include "rotation/performer.hpp"
#include "rotation/prober.hpp"

namespace hawser::cli {
namespace {

namespace json = boost::json;
using namespace rotation;

std::string time_of(std::int64_t ms) {
  return to_rfc3339(WallTime(std::chrono::milliseconds(ms)), Precision::milliseconds);
}

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

std::string plan_json(const Plan& plan, const Inspection& found, const TimeNeeded& needed) {
  json::array lines;
  for (const TimeLine& line : needed.lines) {
    lines.push_back({{"name", line.what}, {"begins", seconds(line.begins)}, {"seconds", seconds(line.takes)}});
  }
  json::array problems;
  for (const Error& error : found.errors) {
    problems.push_back({{"id", error_id(error.code)}, {"message", error.message()}, {"hint", info(error.code).hint}});
  }
  const json::object out = {{"ok", found.errors.empty()},
                            {"plan", plan.name},
                            {"brokers", plan.brokers.size()},
                            {"waves", plan.waves.size()},
                            {"targets", target_count(plan)},
                            {"seconds_until_moved", seconds(needed.moved)},
                            {"seconds", seconds(needed.total)},
                            {"times", std::move(lines)},
                            {"without_way_back", json::value_from(without_way_back(plan))},
                            {"problems", std::move(problems)}};
  return json::serialize(out) + "\n";
}

std::string wave_line(const Plan& plan, const Wave& wave) {
  std::string after;
  for (const std::size_t earlier : wave.after) {
    after += (after.empty() ? ", after " : " and ") + plan.waves[earlier].name;
  }
  return fmt::format("wave {}: {} targets, {} at a time{}\n", wave.name, wave.targets.size(), wave.parallel, after);
}

Marks marks_in(const Plan& plan, const std::vector<PassedRow>& rows) {
  Marks marks(plan);
  for (const PassedRow& row : rows) {
    marks.take(row.passed);
  }
  return marks;
}

// The last thing that stopped it, unless it has gone on since.
const AuditRow* last_stop(const RotationRecord& record) {
  const bool newer =
      !record.audit.empty() && (record.passed.empty() || record.audit.back().at_ms >= record.passed.back().at_ms);
  return newer && record.audit.back().topic == "stopped" ? &record.audit.back() : nullptr;
}

}  // namespace

std::string render_plan(const Plan& plan, const Inspection& found, bool as_json) {
  const TimeNeeded needed = time_needed(plan);
  if (as_json) {
    return plan_json(plan, found, needed);
  }
  std::string out = fmt::format("plan {}: {} brokers, {} waves, {} targets\n", plan.name, plan.brokers.size(),
                                plan.waves.size(), target_count(plan));
  for (const Wave& wave : plan.waves) {
    out += wave_line(plan, wave);
  }
  out += "at worst:\n";
  for (const TimeLine& line : needed.lines) {
    out += fmt::format("  {:<24} begins after {:>10}, takes {:>10}\n", line.what, format_duration(line.begins),
                       format_duration(line.takes));
  }
  out += fmt::format("  old {}s are needed for {}, all of it takes {}\n", what_is_presented(plan),
                     format_duration(needed.moved), format_duration(needed.total));
  for (const std::string& one : without_way_back(plan)) {
    out += fmt::format("cannot be taken back: {}\n", one);
  }
  for (const Error& error : found.errors) {
    out += fmt::format("problem: {}\n  hint: {}\n", error.message(), info(error.code).hint);
  }
  return out + (found.errors.empty()
                    ? "nothing on disk is in its way; `run` looks at brokers and targets before it begins\n"
                    : "");
}

std::string render_dry_run(const Plan& plan) {
  const Performer performer(plan, {}, "");
  Engine engine(plan, {});
  Actions actions;
  Time at{};
  std::string out;
  std::size_t number = 0;
  engine.start(at, actions);
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (const auto* run = std::get_if<action::Run>(&actions[i])) {
      const Step step = run->step;
      const std::string what = performer.intention(step);
      out += fmt::format("{:>4}  {}{}{}\n", ++number, step_text(plan, step), what.empty() ? "" : "  ", what);
      engine.on_done(step, at, actions);
    } else if (const auto* timer = std::get_if<action::Timer>(&actions[i])) {
      at = timer->at;
      engine.on_timer(at, actions);
    }
  }
  return out;
}

std::string state_of(const RotationRecord& record) {
  const auto is = [&](StepKind kind, Mark mark) {
    return std::any_of(record.passed.begin(), record.passed.end(),
                       [=](const PassedRow& row) { return row.passed == Passed{{kind, 0}, mark}; });
  };
  if (is(StepKind::finish, Mark::done)) {
    return "done";
  }
  if (is(StepKind::roll_back, Mark::done)) {
    return "rolled-back";
  }
  const bool back = is(StepKind::roll_back, Mark::begun);
  return record.owner ? back ? "rolling-back" : "running" : back ? "stopped-on-its-way-back" : "stopped";
}

std::string render_status(const Plan& plan, const RotationRecord& record, bool as_json) {
  const Marks marks = marks_in(plan, record.passed);
  std::size_t broad = 0;
  std::size_t narrow = 0;
  std::size_t moved = 0;
  for (std::size_t i = 0; i < plan.brokers.size(); ++i) {
    broad += marks.done(StepKind::prove_broad, i) ? 1U : 0U;
    narrow += marks.done(StepKind::prove_narrow, i) ? 1U : 0U;
  }
  for (std::size_t i = 0; i < target_count(plan); ++i) {
    moved += marks.done(StepKind::prove, i) ? 1U : 0U;
  }
  const AuditRow* stop = last_stop(record);
  const std::string last = record.passed.empty() ? "" : record.passed.back().step;
  if (as_json) {
    json::object out = {{"state", state_of(record)},
                        {"plan", record.row.plan_name},
                        {"same_plan", record.row.plan_digest == plan.digest},
                        {"begun", time_of(record.row.begun_ms)},
                        {"brokers", plan.brokers.size()},
                        {"brokers_broadened", broad},
                        {"brokers_narrowed", narrow},
                        {"targets", target_count(plan)},
                        {"targets_moved", moved},
                        {"last_step", last},
                        {"reason", nullptr},
                        {"process", nullptr}};
    if (stop != nullptr) {
      out["reason"] = stop->text;
    }
    if (record.owner) {
      out["process"] = *record.owner;
    }
    return json::serialize(out) + "\n";
  }
  std::string out =
      fmt::format("{}, begun {}: {}\n", record.row.plan_name, time_of(record.row.begun_ms), state_of(record));
  out += fmt::format(
      "  brokers that take both {} of {}\n  targets moved          {} of {}\n  brokers narrowed       {} of {}\n",
      broad, plan.brokers.size(), moved, target_count(plan), narrow, plan.brokers.size());
  out += fmt::format("  last step              {}\n", last.empty() ? "-" : last);
  out += stop == nullptr ? "" : fmt::format("  stopped, since         {}\n", stop->text);
  out += record.owner ? fmt::format("  process                {}\n", *record.owner) : "";
  return out + (record.row.plan_digest == plan.digest ? "" : "  the plan has been changed since\n");
}

std::string render_report(const RotationRecord& record, bool as_json) {
  json::array steps;
  std::string text = fmt::format("{} ({}), begun {}: {}\n", record.row.plan_name, record.row.plan_file,
                                 time_of(record.row.begun_ms), state_of(record));
  for (const PassedRow& row : record.passed) {
    const char* mark = row.passed.mark == Mark::begun ? "begun" : "done";
    steps.push_back({{"at", time_of(row.at_ms)}, {"name", row.step}, {"mark", mark}, {"detail", row.detail}});
    text += fmt::format("{} {:<5} {}{}{}\n", time_of(row.at_ms), mark, row.step, row.detail.empty() ? "" : ": ",
                        row.detail);
  }
  json::array audit;
  for (const AuditRow& row : record.audit) {
    audit.push_back({{"at", time_of(row.at_ms)}, {"topic", row.topic}, {"text", row.text}});
    text += fmt::format("{} {}: {}\n", time_of(row.at_ms), row.topic, row.text);
  }
  json::array flow;
  for (const Series& series : record.flow) {
    json::array points;
    for (const auto& [ms, value] : series.points) {
      points.push_back(json::array{ms, value});
    }
    const auto [low, high] = std::minmax_element(series.points.begin(), series.points.end(),
                                                 [](const auto& a, const auto& b) { return a.second < b.second; });
    text += fmt::format("flow: {}: {:.6g} to {:.6g} {}\n", series.name, low->second, high->second, series.unit);
    flow.push_back({{"name", series.name}, {"unit", series.unit}, {"points", std::move(points)}});
  }
  if (!as_json) {
    return text;
  }
  const json::object out = {{"plan", record.row.plan_name},
                            {"plan_file", record.row.plan_file},
                            {"plan_sha256", record.row.plan_digest},
                            {"begun", time_of(record.row.begun_ms)},
                            {"state", state_of(record)},
                            {"steps", std::move(steps)},
                            {"audit", std::move(audit)},
                            {"flow", std::move(flow)}};
  return json::serialize(out) + "\n";
}

}  // namespace hawser::cli
