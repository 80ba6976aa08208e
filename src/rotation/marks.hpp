// How far a rotation has come: each step with its mark, made from what has passed, in order. Pure.
//
// What is undone takes its marks away, so that a journal can be only ever added to.
//
//   Marks marks(plan);
//   for (const Passed& one : journal.passed()) marks.take(one);
#pragma once

#include <initializer_list>
#include <map>

#include "rotation/plan.hpp"
#include "rotation/step.hpp"

namespace hawser::rotation {

class Marks {
 public:
  // `plan` outlives this object.
  explicit Marks(const Plan& plan) : plan_(plan) {}

  void take(const Passed& passed);
  // Nothing old was left when somebody looked, which says nothing of now: brokers that have not been told to narrow
  // their trust are to be preceded by another look.
  void forget_old_looks();

  [[nodiscard]] Mark of(Step step) const;
  [[nodiscard]] bool done(StepKind kind, std::size_t number = 0) const;
  // Begun or done: it may have had its effect.
  [[nodiscard]] bool touched(StepKind kind, std::size_t number = 0) const;
  [[nodiscard]] bool empty() const noexcept { return marks_.empty(); }

  [[nodiscard]] bool all_moved() const;
  [[nodiscard]] bool wave_over(std::size_t wave) const { return done(StepKind::guard, wave); }
  // The wave whose way back was decided on and is not over; their number when there is none.
  [[nodiscard]] std::size_t wave_going_back() const;
  [[nodiscard]] bool going_back() const { return of({StepKind::roll_back, 0}) == Mark::begun; }
  [[nodiscard]] bool gone_back() const { return gone_back_; }
  [[nodiscard]] bool finished() const { return done(StepKind::finish); }

 private:
  void forget(std::initializer_list<StepKind> kinds, std::uint32_t number);
  void forget_undone(Step step);

  const Plan& plan_;
  std::map<Step, Mark> marks_;
  bool gone_back_ = false;
};

}  // namespace hawser::rotation
