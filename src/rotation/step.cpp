#include "rotation/step.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace hawser::rotation {

StepScope scope_of(StepKind kind) {
  switch (kind) {
    case StepKind::preflight:
    case StepKind::measure:
    case StepKind::roll_back:
    case StepKind::return_converge:
    case StepKind::finish: return StepScope::plan;
    case StepKind::deliver:
    case StepKind::apply:
    case StepKind::prove:
    case StepKind::return_files:
    case StepKind::return_apply:
    case StepKind::return_prove: return StepScope::target;
    case StepKind::guard:
    case StepKind::roll_wave_back: return StepScope::wave;
    default: return StepScope::broker;
  }
}

std::string_view to_string(StepKind kind, PlanKind of) {
  const bool ca = of == PlanKind::ca;
  switch (kind) {
    case StepKind::preflight: return "preflight";
    case StepKind::measure: return "read counters";
    case StepKind::write_broad: return ca ? "write old and new trust" : "let old and new in";
    case StepKind::reload_broad: return "reload";
    case StepKind::prove_broad: return "prove that old and new are accepted";
    case StepKind::deliver: return "deliver";
    case StepKind::apply: return "apply";
    case StepKind::prove: return "prove";
    case StepKind::guard: return "compare counters";
    case StepKind::converge: return "prove that nothing old is left";
    case StepKind::write_narrow: return ca ? "write new trust alone" : "let new alone in";
    case StepKind::reload_narrow: return "reload";
    case StepKind::prove_narrow: return "prove that new is accepted and old refused";
    case StepKind::roll_back: return "roll back";
    case StepKind::roll_wave_back: return "roll wave back";
    case StepKind::write_again: return ca ? "write old and new trust again" : "let old and new in again";
    case StepKind::reload_again: return "reload";
    case StepKind::prove_again: return "prove that old and new are accepted again";
    case StepKind::return_files: return "bring old material back";
    case StepKind::return_apply: return "apply old material";
    case StepKind::return_prove: return "prove old material";
    case StepKind::return_converge: return "prove that nothing new is left";
    case StepKind::write_old: return ca ? "bring old trust back" : "let in who was before";
    case StepKind::reload_old: return "reload";
    case StepKind::prove_old: return "prove that old is accepted";
    case StepKind::finish: return "finish";
  }
  return "";
}

std::optional<StepKind> step_kind(std::uint64_t number) {
  const auto found = std::find_if(kStepKinds.begin(), kStepKinds.end(),
                                  [number](StepKind kind) { return static_cast<std::uint64_t>(kind) == number; });
  return found == kStepKinds.end() ? std::nullopt : std::optional(*found);
}

std::string step_text(const Plan& plan, Step step) {
  const std::string_view what = to_string(step.kind, plan.kind);
  switch (scope_of(step.kind)) {
    case StepScope::plan: return std::string(what);
    case StepScope::broker:
      // After the last broker there is one more look.
      return step.number < plan.brokers.size() ? fmt::format("{}: {}", what, plan.brokers[step.number].name)
                                               : std::string(what);
    case StepScope::target: return fmt::format("{}: {}", what, target_at(plan, step.number).name);
    case StepScope::wave: return fmt::format("{}: {}", what, plan.waves[step.number].name);
  }
  return std::string(what);
}

bool looks_again(StepKind kind) {
  switch (kind) {
    case StepKind::prove_broad:
    case StepKind::prove:
    case StepKind::converge:
    case StepKind::prove_narrow:
    case StepKind::prove_again:
    case StepKind::return_prove:
    case StepKind::return_converge:
    case StepKind::prove_old: return true;
    default: return false;
  }
}

std::chrono::nanoseconds time_limit(const StepTimes& times, StepKind kind) {
  switch (kind) {
    case StepKind::preflight: return times.preflight;
    case StepKind::reload_broad:
    case StepKind::reload_narrow:
    case StepKind::reload_again:
    case StepKind::reload_old: return times.reload;
    case StepKind::prove_broad:
    case StepKind::prove_narrow:
    case StepKind::prove_again:
    case StepKind::prove_old: return times.probe;
    case StepKind::apply:
    case StepKind::return_apply: return times.apply;
    case StepKind::prove:
    case StepKind::return_prove: return times.prove;
    case StepKind::converge:
    case StepKind::return_converge: return times.converge;
    default: return times.deliver;
  }
}

}  // namespace hawser::rotation
