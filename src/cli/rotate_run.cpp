// `hawser rotate run`, `resume`, `rollback`: a line for each step as it is done.
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <memory>

#include "cli/rotate.hpp"
#include "rotation/performer.hpp"

namespace hawser::cli {
namespace {

namespace json = boost::json;
using namespace rotation;

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

json::object as_json(const Error& error) {
  return {{"id", error_id(error.code)}, {"message", error.message()}, {"hint", info(error.code).hint}};
}

// Lines on standard output as it goes; or, for --json, one object at the end.
class Progress final : public Watcher {
 public:
  Progress(const Plan& plan, Performer& performer, bool as_one_object)
      : plan_(plan), performer_(performer), json_(as_one_object) {}

  void on_phase(Phase phase) override { line(fmt::format("{}", to_string(phase))); }

  void on_done(Step step, const std::string& seen, Duration took) override {
    if (step.kind == StepKind::measure) {
      performer_.remember_counters(seen);
    }
    if (json_) {
      steps_.push_back({{"name", step_text(plan_, step)}, {"ok", true}, {"seconds", seconds(took)}, {"detail", seen}});
    }
    line(fmt::format("  {}{}{} ({:.2f} s)", step_text(plan_, step), seen.empty() ? "" : ": ", one_line(seen),
                     seconds(took)));
  }

  void on_failed(Step step, const Error& error, std::uint32_t attempt) override {
    // What is looked at again is told once.
    if (attempt == 1 && looks_again(step.kind)) {
      line(fmt::format("  {}: not yet: {}", step_text(plan_, step), error.doing));
    } else if (!looks_again(step.kind)) {
      line(fmt::format("  {}: {}", step_text(plan_, step), error.message()));
    }
  }

  [[nodiscard]] json::array steps() && { return std::move(steps_); }

 private:
  void line(const std::string& text) const {
    if (!json_) {
      fmt::print("{} {}\n", to_rfc3339(wall_now()), text);
      std::fflush(stdout);
    }
  }
  static std::string one_line(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  }

  const Plan& plan_;
  Performer& performer_;
  const bool json_;
  json::array steps_;
};

// The id of an error that stops a way back says so.
Error named_for(Intent intent, const Error& why) {
  const bool known = why.code == Errc::interrupted || why.code == Errc::rotation_irreversible ||
                     why.code == Errc::rotation_journal_unusable;
  return intent == Intent::roll_back && !known ? Error{Errc::rotation_not_rolled_back, why.message()} : why;
}

void print_end(const action::Finished& end, Progress&& progress, const Plan& plan, Exit& exit) {
  if (exit.json) {
    json::object out = {{"ok", end.phase != Phase::stopped},
                        {"plan", plan.name},
                        {"state", to_string(end.phase)},
                        {"steps", std::move(progress).steps()}};
    if (end.why) {
      out["error"] = as_json(*end.why);
    }
    fmt::print("{}\n", json::serialize(out));
  }
  if (end.phase != Phase::stopped) {
    exit = ExitCode::done;
    return;
  }
  exit = end.why.value_or(Error{Errc::rotation_stopped, plan.name});
  // Whatever stopped it: it is a rotation that is not done.
  exit.code = exit.code == ExitCode::interrupted ? exit.code : ExitCode::not_so;
  if (exit.json) {
    exit.error.reset();  // it is in the object
  }
}

}  // namespace

void rotate(const Plan& plan, Intent intent, Exit& exit) {
  // From here on ^C stops it in order; a second one ends the process, which `resume` copes with.
  static_cast<void>(stop_descriptor());
  auto journal = Journal::open(plan.journal, Journal::Role::owner);
  if (!journal) {
    exit = journal.error();
    return;
  }
  const auto passed = take_up(**journal, plan, intent, wall_now());
  if (!passed) {
    exit = passed.error();
    return;
  }
  const auto row = (*journal)->last();
  const auto counters = (*journal)->detail_of({StepKind::measure, 0});
  if (!row || !counters) {
    exit = row ? counters.error() : row.error();
    return;
  }
  const std::string mark = (*row)->mark();
  Performer performer(plan, inspect(plan, mark, wall_now()), mark);
  if (*counters) {
    performer.remember_counters(**counters);
  }
  Progress progress(plan, performer, exit.json);
  action::Finished end;
  {
    Runner runner(
        plan, **journal,
        [&](Step step, Time until, const std::stop_token& stop) { return performer.perform(step, until, stop); },
        [&](Step step) { return performer.intention(step); }, progress);
    end = runner.run(*passed, intent, [] { return stop_signal() != 0; });
  }
  if (end.why) {
    end.why = named_for(intent, *end.why);
  }
  print_end(end, std::move(progress), plan, exit);
}

}  // namespace hawser::cli
