// One step of the engine: when it is started, how often it is looked at again, and until when.
#include <algorithm>

#include "rotation/engine.hpp"

namespace hawser::rotation {
namespace {

// Whose passing in an earlier life says nothing of now.
bool passes_for_one_life(StepKind kind) { return kind == StepKind::preflight || kind == StepKind::return_converge; }

}  // namespace

Engine::Busy Engine::run(StepKind kind, std::size_t number, Time now, Actions& out) {
  const Step step{kind, static_cast<std::uint32_t>(number)};
  if (running_.contains(step)) {
    return Busy::yes;
  }
  if (!passes_for_one_life(kind) && marks_.done(kind, number)) {
    return Busy::no;
  }
  const Time until = now + time_limit(plan_.times, kind);
  running_.emplace(step, Running{.until = until, .attempt = 1, .again_at = std::nullopt, .seen = std::nullopt});
  marks_.take({step, Mark::begun});
  out.emplace_back(action::Run{step, until, 1});
  return Busy::yes;
}

Engine::Busy Engine::run_in_turn(std::initializer_list<StepKind> kinds, std::size_t number, Time now, Actions& out) {
  for (const StepKind kind : kinds) {
    if (run(kind, number, now, out) == Busy::yes) {
      return Busy::yes;
    }
  }
  return Busy::no;
}

bool Engine::is_running(StepScope scope, std::size_t number) const {
  return std::any_of(running_.begin(), running_.end(),
                     [=](const auto& one) { return scope_of(one.first.kind) == scope && one.first.number == number; });
}

std::size_t Engine::busy_targets(std::size_t wave) const {
  return static_cast<std::size_t>(std::count_if(running_.begin(), running_.end(), [this, wave](const auto& one) {
    return scope_of(one.first.kind) == StepScope::target && place_of(plan_, one.first.number).wave == wave;
  }));
}

void Engine::decide(Passed passed, Actions& out) {
  marks_.take(passed);
  out.emplace_back(action::Keep{passed});
}

void Engine::arm(Actions& out) {
  std::optional<Time> earliest;
  const auto consider = [&earliest](Time at) { earliest = earliest ? std::min(*earliest, at) : at; };
  for (const auto& [step, running] : running_) {
    if (running.again_at) {
      consider(*running.again_at);
    }
  }
  for (const auto& [wave, at] : settling_) {
    if (!marks_.wave_over(wave) && !is_running(StepScope::wave, wave)) {
      consider(at);
    }
  }
  if (earliest && earliest != armed_) {
    armed_ = earliest;
    out.emplace_back(action::Timer{*earliest});
  }
}

}  // namespace hawser::rotation
