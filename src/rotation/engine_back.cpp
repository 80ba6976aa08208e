// The way back: at no point does a broker refuse what a target presents.
#include "rotation/engine.hpp"

namespace hawser::rotation {

void Engine::backward(Time now, Actions& out) {
  phase_ = Phase::rolling_back;
  if (trust_both_again(now, out) == Busy::yes) {
    return;
  }
  for (std::size_t wave = plan_.waves.size(); wave-- > 0;) {
    if (return_targets(wave, now, out) == Busy::yes) {
      return;
    }
  }
  // Before the first wave nobody was told to present anything new, and monitoring may be what stopped it.
  const bool moved = marks_.touched(StepKind::measure);
  if (moved && !nothing_new_ && run(StepKind::return_converge, 0, now, out) == Busy::yes) {
    return;
  }
  if (return_trust(now, out) == Busy::yes) {
    return;
  }
  decide({{StepKind::roll_back, 0}, Mark::done}, out);
  finish(Phase::rolled_back, out);
}

Engine::Busy Engine::trust_both_again(Time now, Actions& out) {
  for (std::size_t i = 0; i < plan_.brokers.size(); ++i) {
    if (marks_.touched(StepKind::write_narrow, i) &&
        run_in_turn({StepKind::write_again, StepKind::reload_again, StepKind::prove_again}, i, now, out) == Busy::yes) {
      return Busy::yes;
    }
  }
  return Busy::no;
}

// The last of a wave first, as many at a time as they went.
Engine::Busy Engine::return_targets(std::size_t wave, Time now, Actions& out) {
  const Wave& it = plan_.waves[wave];
  const std::size_t first = first_target(plan_, wave);
  std::size_t busy = busy_targets(wave);
  Busy all = Busy::no;
  for (std::size_t target = first + it.targets.size(); target-- > first;) {
    if (!marks_.touched(StepKind::deliver, target)) {
      continue;
    }
    all = Busy::yes;
    if (!is_running(StepScope::target, target) && busy < it.parallel && running_.size() < kMostParallel) {
      static_cast<void>(
          run_in_turn({StepKind::return_files, StepKind::return_apply, StepKind::return_prove}, target, now, out));
      ++busy;
    }
  }
  return all;
}

Engine::Busy Engine::return_trust(Time now, Actions& out) {
  for (std::size_t i = plan_.brokers.size(); i-- > 0;) {
    if (marks_.touched(StepKind::write_broad, i) &&
        run_in_turn({StepKind::write_old, StepKind::reload_old, StepKind::prove_old}, i, now, out) == Busy::yes) {
      return Busy::yes;
    }
  }
  return Busy::no;
}

void Engine::return_wave(std::size_t wave, Time now, Actions& out) {
  phase_ = Phase::returning_wave;
  if (return_targets(wave, now, out) == Busy::yes) {
    return;
  }
  decide({{StepKind::roll_wave_back, static_cast<std::uint32_t>(wave)}, Mark::done}, out);
  failure_ =
      breach_ ? *breach_ : Error{Errc::rotation_stopped, "the wave " + plan_.waves[wave].name + " was rolled back"};
  finish(Phase::stopped, out);
}

}  // namespace hawser::rotation
