#include "rotation/engine.hpp"

#include <algorithm>
#include <utility>

namespace hawser::rotation {
namespace {

// What a try ends with that was given too little time.
bool is_cut_short(Errc code) {
  return code == Errc::connect_timeout || code == Errc::accept_timeout || code == Errc::handshake_timeout ||
         code == Errc::info_timeout;
}

bool is_about_rotations(Errc code) { return code >= Errc::rotation_plan_invalid && code < Errc::drill_failed; }

}  // namespace

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::idle: return "idle";
    case Phase::preflight: return "preflight";
    case Phase::broadening: return "broadening";
    case Phase::measuring: return "measuring";
    case Phase::moving: return "moving";
    case Phase::narrowing: return "narrowing";
    case Phase::done: return "done";
    case Phase::returning_wave: return "returning-wave";
    case Phase::rolling_back: return "rolling-back";
    case Phase::rolled_back: return "rolled-back";
    case Phase::stopped: return "stopped";
  }
  return "";
}

Engine::Engine(const Plan& plan, std::span<const Passed> passed) : plan_(plan), marks_(plan) {
  for (const Passed& one : passed) {
    marks_.take(one);
  }
  marks_.forget_old_looks();
}

void Engine::start(Time now, Actions& out) { go_on(now, out); }

void Engine::roll_back(Time now, Actions& out) {
  if (marks_.finished()) {
    failure_ = Error{Errc::rotation_irreversible, plan_.name};
    return finish(Phase::stopped, out);
  }
  if (marks_.empty()) {
    return finish(Phase::rolled_back, out);
  }
  if (!marks_.going_back()) {
    decide({{StepKind::roll_back, 0}, Mark::begun}, out);
  }
  go_on(now, out);
}

void Engine::on_done(Step step, Time now, Actions& out) {
  if (running_.erase(step) == 0) {
    return;
  }
  marks_.take({step, Mark::done});
  checked_ = checked_ || step.kind == StepKind::preflight;
  nothing_new_ = nothing_new_ || step.kind == StepKind::return_converge;
  go_on(now, out);
}

void Engine::on_failed(Step step, const Error& error, Time now, Actions& out) {
  const auto found = running_.find(step);
  if (found == running_.end()) {
    return;
  }
  // The last try is cut short when the step's time is over: what an earlier one has shown is the reason then.
  std::optional<Error>& seen = found->second.seen;
  const bool looks = looks_again(step.kind);
  if (looks ? is_about_rotations(error.code) : !is_cut_short(error.code)) {
    seen = error;
  }
  const Error why = seen && (looks || is_cut_short(error.code)) ? *seen : error;
  const bool at_once = error.code == Errc::rotation_journal_unusable || error.code == Errc::interrupted;
  const bool may_pass = looks || info(error.code).kind == ErrorKind::retryable;
  if (!failure_ && !at_once && may_pass && now + plan_.times.poll < found->second.until) {
    found->second.again_at = now + plan_.times.poll;
    return arm(out);
  }
  running_.erase(found);
  give_up(at_once ? error : why, step);
  go_on(now, out);
}

void Engine::on_timer(Time now, Actions& out) {
  armed_.reset();
  for (auto& [step, running] : running_) {
    if (running.again_at && *running.again_at <= now) {
      running.again_at.reset();
      out.emplace_back(action::Run{step, running.until, ++running.attempt});
    }
  }
  go_on(now, out);
}

void Engine::stop(const Error& why, Time now, Actions& out) {
  give_up(why, std::nullopt);
  go_on(now, out);
}

// The first failure is the reason. What only waits for its next look is over.
void Engine::give_up(const Error& why, std::optional<Step> where) {
  if (!failure_) {
    failure_ = why;
    failed_step_ = where;
  }
  std::erase_if(running_, [](const auto& one) { return one.second.again_at.has_value(); });
}

void Engine::go_on(Time now, Actions& out) {
  if (phase_ == Phase::done || phase_ == Phase::rolled_back || phase_ == Phase::stopped) {
    return;
  }
  if (failure_) {
    if (running_.empty()) {
      after_failure(now, out);
    }
    return;
  }
  if (marks_.going_back()) {
    backward(now, out);
  } else if (const std::size_t wave = marks_.wave_going_back(); wave < plan_.waves.size()) {
    return_wave(wave, now, out);
  } else {
    forward(now, out);
  }
  arm(out);
}

void Engine::forward(Time now, Actions& out) {
  if (marks_.finished()) {
    return finish(Phase::done, out);
  }
  phase_ = Phase::preflight;
  if (!checked_ && run(StepKind::preflight, 0, now, out) == Busy::yes) {
    return;
  }
  phase_ = Phase::broadening;
  if (broaden(now, out) == Busy::yes) {
    return;
  }
  phase_ = Phase::measuring;
  if (run(StepKind::measure, 0, now, out) == Busy::yes) {
    return;
  }
  phase_ = Phase::moving;
  if (move(now, out) == Busy::yes) {
    return;
  }
  phase_ = Phase::narrowing;
  if (narrow(now, out) == Busy::yes) {
    return;
  }
  decide({{StepKind::finish, 0}, Mark::done}, out);
  finish(Phase::done, out);
}

// One after the other, so that a bundle that is wrong meets one broker only.
Engine::Busy Engine::broaden(Time now, Actions& out) {
  for (std::size_t i = 0; i < plan_.brokers.size(); ++i) {
    if (run_in_turn({StepKind::write_broad, StepKind::reload_broad, StepKind::prove_broad}, i, now, out) == Busy::yes) {
      return Busy::yes;
    }
  }
  return Busy::no;
}

Engine::Busy Engine::move(Time now, Actions& out) {
  Busy busy = Busy::no;
  for (std::size_t wave = 0; wave < plan_.waves.size(); ++wave) {
    if (!marks_.wave_over(wave) && may_begin(wave)) {
      move_wave(wave, now, out);
    }
    busy = marks_.wave_over(wave) ? busy : Busy::yes;
  }
  return busy;
}

bool Engine::may_begin(std::size_t wave) const {
  const std::vector<std::size_t>& after = plan_.waves[wave].after;
  return std::all_of(after.begin(), after.end(), [this](std::size_t earlier) { return marks_.wave_over(earlier); });
}

void Engine::move_wave(std::size_t wave, Time now, Actions& out) {
  const Wave& it = plan_.waves[wave];
  const std::size_t first = first_target(plan_, wave);
  std::size_t busy = busy_targets(wave);
  bool proven = true;
  // In order, so that those that are under way come before those that are not.
  for (std::size_t target = first; target < first + it.targets.size(); ++target) {
    if (marks_.done(StepKind::prove, target)) {
      continue;
    }
    proven = false;
    if (!is_running(StepScope::target, target) && busy < it.parallel && running_.size() < kMostParallel) {
      static_cast<void>(run_in_turn({StepKind::deliver, StepKind::apply, StepKind::prove}, target, now, out));
      ++busy;
    }
  }
  if (!proven) {
    return;
  }
  const Time at = settling_.try_emplace(wave, now + it.settle).first->second;
  if (now >= at) {
    static_cast<void>(run(StepKind::guard, wave, now, out));
  }
}

Engine::Busy Engine::narrow(Time now, Actions& out) {
  for (std::size_t i = 0; i < plan_.brokers.size(); ++i) {
    if (run_in_turn({StepKind::converge, StepKind::write_narrow, StepKind::reload_narrow, StepKind::prove_narrow}, i,
                    now, out) == Busy::yes) {
      return Busy::yes;
    }
  }
  // A broker may go on with connections that came in under the old trust.
  return run(StepKind::converge, plan_.brokers.size(), now, out);
}

void Engine::after_failure(Time now, Actions& out) {
  const bool in_wave = phase_ == Phase::moving && failed_step_ &&
                       (scope_of(failed_step_->kind) == StepScope::target || failed_step_->kind == StepKind::guard);
  if (!in_wave || plan_.on_breach != OnBreach::roll_wave_back || failure_->code == Errc::rotation_journal_unusable) {
    return finish(Phase::stopped, out);
  }
  const std::size_t wave =
      failed_step_->kind == StepKind::guard ? failed_step_->number : place_of(plan_, failed_step_->number).wave;
  breach_ = std::exchange(failure_, std::nullopt);
  settling_.clear();
  decide({{StepKind::roll_wave_back, static_cast<std::uint32_t>(wave)}, Mark::begun}, out);
  go_on(now, out);
}

void Engine::finish(Phase phase, Actions& out) {
  phase_ = phase;
  const bool stopped = phase == Phase::stopped;
  out.emplace_back(action::Finished{phase, stopped ? failure_ : std::nullopt, stopped ? failed_step_ : std::nullopt});
}

}  // namespace hawser::rotation
