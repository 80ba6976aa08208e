// `hawser rotate run`, `resume`, `rollback`.
#include <boost/json.hpp>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <unistd.h>

#include "cli/rotate.hpp"
#include "cli/rotate_board.hpp"
#include "cli/rotate_progress.hpp"
#include "rotation/conduct.hpp"

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
      out["stopped_at"] = end.where ? json::value(step_text(plan, *end.where)) : json::value();
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

// Standard output belongs to the object at the end when there is one.
void print_address(const admin::Server& page, bool as_json) {
  fmt::print(as_json ? stderr : stdout, "watch it at http://{}/\n", page.address());
  std::fflush(stdout);
}

}  // namespace

void rotate(const Plan& plan, Intent intent, const std::string& admin, Exit& exit) {
  // From here on ^C stops it in order; a second one ends the process, which `resume` copes with.
  static_cast<void>(stop_descriptor());
  // Before a rotation is begun in the journal, since its address may be taken.
  RotationBoard board(plan, {});
  std::unique_ptr<admin::Server> page;
  if (!admin.empty()) {
    auto served = serve_board(admin, board);
    if (!served) {
      exit = served.error();
      return;
    }
    page = std::move(*served);
    print_address(*page, exit.json);
  }
  const Showing showing = exit.json ? Showing::nothing : colours_on(STDOUT_FILENO) ? Showing::terminal : Showing::lines;
  std::optional<RotationProgress> progress;
  auto end = conduct(
      plan, intent,
      {.watcher = [&](const std::vector<Passed>& passed) -> std::unique_ptr<Watcher> {
         board.remember_passed(passed);
         return std::make_unique<Watchers>(std::vector<Watcher*>{&progress.emplace(plan, passed, showing), &board});
       },
       .stop_asked = [] { return stop_signal() != 0; }});
  if (!end) {
    exit = end.error();
    return;
  }
  const std::string steps = progress->steps_json();
  progress.reset();
  if (end->why) {
    end->why = named_for(intent, *end->why);
  }
  print_end(*end, steps, plan, exit);
}

}  // namespace hawser::cli
