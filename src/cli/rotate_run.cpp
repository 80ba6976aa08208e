// `hawser rotate run`, `resume`, `rollback`.
#include <boost/json.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "cli/rotate.hpp"
#include "cli/rotate_progress.hpp"
#include "rotation/performer.hpp"

namespace hawser::cli {
namespace {

namespace json = boost::json;
using namespace rotation;

// The id of an error that stops a way back says so.
Error named_for(Intent intent, const Error& why) {
  const bool known = why.code == Errc::interrupted || why.code == Errc::rotation_irreversible ||
                     why.code == Errc::rotation_journal_unusable;
  return intent == Intent::roll_back && !known ? Error{Errc::rotation_not_rolled_back, why.message()} : why;
}

void print_end(const action::Finished& end, const std::string& steps, const Plan& plan, Exit& exit) {
  if (exit.json) {
    json::object out = {{"ok", end.phase != Phase::stopped},
                        {"plan", plan.name},
                        {"state", to_string(end.phase)},
                        {"steps", json::parse(steps)}};
    if (end.why) {
      const ErrorInfo& row = info(end.why->code);
      out["error"] = {{"id", error_id(row.code)}, {"message", end.why->message()}, {"hint", row.hint}};
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

Ahead ahead_of(const Plan& plan, const std::vector<Passed>& passed) {
  Marks marks(plan);
  for (const Passed& one : passed) {
    marks.take(one);
  }
  return marks.all_moved() ? Ahead::narrowing : Ahead::everything;
}

// What the journal knows of the rotation that is taken up.
struct Begun {
  std::vector<Passed> passed;
  std::string mark;
  std::optional<std::string> counters;
};

Result<Begun> take_up_with_counters(Journal& journal, const Plan& plan, Intent intent) {
  auto passed = take_up(journal, plan, intent, wall_now());
  const auto row = passed ? journal.last() : std::unexpected(passed.error());
  auto counters = row ? journal.detail_of({StepKind::measure, 0}) : std::unexpected(row.error());
  if (!counters) {
    return std::unexpected(std::move(counters.error()));
  }
  return Begun{std::move(*passed), (*row)->mark(), std::move(*counters)};
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
  const auto begun = take_up_with_counters(**journal, plan, intent);
  if (!begun) {
    exit = begun.error();
    return;
  }
  Performer performer(plan, inspect(plan, begun->mark, wall_now(), ahead_of(plan, begun->passed)), begun->mark);
  if (begun->counters) {
    performer.remember_counters(*begun->counters);
  }
  action::Finished end;
  std::string steps;
  {
    const Showing showing = exit.json                   ? Showing::nothing
                            : colours_on(STDOUT_FILENO) ? Showing::terminal
                                                        : Showing::lines;
    RotationProgress progress(plan, begun->passed, showing,
                              [&performer](const std::string& counters) { performer.remember_counters(counters); });
    Runner runner(
        plan, **journal,
        [&](Step step, Time until, const std::stop_token& stop) { return performer.perform(step, until, stop); },
        [&](Step step) { return performer.intention(step); }, progress);
    end = runner.run(begun->passed, intent, [] { return stop_signal() != 0; });
    steps = progress.steps_json();
  }
  if (end.why) {
    end.why = named_for(intent, *end.why);
  }
  print_end(end, steps, plan, exit);
}

}  // namespace hawser::cli
