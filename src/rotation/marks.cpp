#include "rotation/marks.hpp"

namespace hawser::rotation {

void Marks::take(const Passed& passed) {
  Mark& mark = marks_[passed.step];
  mark = passed.mark;
  if (passed.mark == Mark::done) {
    forget_undone(passed.step);
  }
}

void Marks::forget_undone(Step step) {
  switch (step.kind) {
    case StepKind::prove_again:
      return forget({StepKind::converge, StepKind::write_narrow, StepKind::reload_narrow, StepKind::prove_narrow,
                     StepKind::write_again, StepKind::reload_again, StepKind::prove_again},
                    step.number);
    case StepKind::return_prove:
      forget({StepKind::guard}, static_cast<std::uint32_t>(place_of(plan_, step.number).wave));
      return forget({StepKind::deliver, StepKind::apply, StepKind::prove, StepKind::return_files,
                     StepKind::return_apply, StepKind::return_prove},
                    step.number);
    case StepKind::prove_old:
      return forget({StepKind::write_broad, StepKind::reload_broad, StepKind::prove_broad, StepKind::write_old,
                     StepKind::reload_old, StepKind::prove_old},
                    step.number);
    case StepKind::roll_wave_back: return forget({StepKind::roll_wave_back}, step.number);
    case StepKind::roll_back:
      marks_.clear();
      gone_back_ = true;
      return;
    default: return;
  }
}

void Marks::forget_old_looks() {
  for (std::size_t i = 0; i <= plan_.brokers.size(); ++i) {
    if (!done(StepKind::reload_narrow, i)) {
      forget({StepKind::converge}, static_cast<std::uint32_t>(i));
    }
  }
}

void Marks::forget(std::initializer_list<StepKind> kinds, std::uint32_t number) {
  for (const StepKind kind : kinds) {
    marks_.erase({kind, number});
  }
}

Mark Marks::of(Step step) const {
  const auto found = marks_.find(step);
  return found == marks_.end() ? Mark::none : found->second;
}

bool Marks::done(StepKind kind, std::size_t number) const {
  return of({kind, static_cast<std::uint32_t>(number)}) == Mark::done;
}

bool Marks::touched(StepKind kind, std::size_t number) const {
  return of({kind, static_cast<std::uint32_t>(number)}) != Mark::none;
}

bool Marks::all_moved() const {
  std::size_t wave = 0;
  while (wave < plan_.waves.size() && wave_over(wave)) {
    ++wave;
  }
  return wave == plan_.waves.size();
}

std::size_t Marks::wave_going_back() const {
  std::size_t wave = 0;
  while (wave < plan_.waves.size() && of({StepKind::roll_wave_back, static_cast<std::uint32_t>(wave)}) != Mark::begun) {
    ++wave;
  }
  return wave;
}

}  // namespace hawser::rotation
