#include "rotation/conduct.hpp"

#include <optional>
#include <string>

#include "rotation/flow_sampler.hpp"
#include "rotation/inventory.hpp"
#include "rotation/journal.hpp"
#include "rotation/marks.hpp"
#include "rotation/performer.hpp"

namespace hawser::rotation {

namespace {

Ahead ahead_of(const Plan& plan, const std::vector<Passed>& passed) {
  Marks marks(plan);
  for (const Passed& one : passed) {
    marks.take(one);
  }
  return marks.all_moved() ? Ahead::narrowing : Ahead::everything;
}

// Passes everything on, and hands the performer the counters that were read.
class Remembering final : public Watcher {
 public:
  Remembering(Watcher& other, Performer& performer) : other_(other), performer_(performer) {}
  void on_phase(Phase phase) override { other_.on_phase(phase); }
  void on_begun(Step step) override { other_.on_begun(step); }
  void on_done(Step step, const std::string& seen, Duration took) override {
    if (step.kind == StepKind::measure) {
      performer_.remember_counters(seen);
    }
    other_.on_done(step, seen, took);
  }
  void on_failed(Step step, const Error& error, std::uint32_t attempt) override {
    other_.on_failed(step, error, attempt);
  }
  void on_flow(const FlowSample& sample) override { other_.on_flow(sample); }
  void on_finished(const action::Finished& end) override { other_.on_finished(end); }

 private:
  Watcher& other_;
  Performer& performer_;
};

}  // namespace

Result<action::Finished> conduct(const Plan& plan, Intent intent, const Conduct& with) {
  auto journal = Journal::open(plan.journal, Journal::Role::owner);
  if (!journal) {
    return std::unexpected(std::move(journal.error()));
  }
  const auto passed = take_up(**journal, plan, intent, wall_now());
  const auto row = passed ? (*journal)->last() : std::unexpected(passed.error());
  const auto counters = row ? (*journal)->detail_of({StepKind::measure, 0}) : std::unexpected(row.error());
  if (!counters) {
    return std::unexpected(counters.error());
  }
  const std::string mark = (*row)->mark();
  Inspection inspection = inspect(plan, mark, wall_now(), ahead_of(plan, *passed));
  const tls::ContextPtr trust = inspection.inventory.trust;
  Performer performer(plan, std::move(inspection), mark);
  if (*counters) {
    performer.remember_counters(**counters);
  }
  const std::unique_ptr<Watcher> watcher = with.watcher(*passed);
  Remembering remembering(*watcher, performer);
  Runner runner(
      plan, **journal,
      [&](Step step, Time until, const std::stop_token& stop) { return performer.perform(step, until, stop); },
      [&](Step step) { return performer.intention(step); }, remembering);
  const FlowSampler sampler(plan, trust, [&runner](FlowSample sample) { runner.post_flow(std::move(sample)); });
  return runner.run(*passed, intent, with.stop_asked);
}

}  // namespace hawser::rotation
