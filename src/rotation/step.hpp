// The steps of a rotation: what is done, to which broker, target or wave. Values.
//
//   step_text(plan, {StepKind::deliver, 3})   // "deliver agent-4"
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rotation/plan.hpp"

namespace hawser::rotation {

// The numbers are in journals: they are frozen.
enum class StepKind : std::uint8_t {
  preflight = 0,  // of the plan
  measure = 1,    // of the plan: the counters before the first wave
  // of a broker
  write_broad = 10,
  reload_broad = 11,
  prove_broad = 12,  // an old and a new certificate are both accepted
  // of a target
  deliver = 20,
  apply = 21,
  prove = 22,
  // of a wave
  guard = 30,
  // of a broker
  converge =
      40,  // no connection on any broker presents what is not new; of number `brokers`: after the last one was narrowed
  write_narrow = 41,
  reload_narrow = 42,
  prove_narrow = 43,  // the new certificate is accepted, the old one refused

  // The way back. Of the plan and of a wave: begun when it was decided on, done when all is as it was.
  roll_back = 60,
  roll_wave_back = 61,
  // of a broker that may have been narrowed: both again, so that old and new can come in while targets go back
  write_again = 70,
  reload_again = 71,
  prove_again = 72,
  // of a target
  return_files = 80,
  return_apply = 81,
  return_prove = 82,
  // of the plan: no connection presents a new certificate
  return_converge = 83,
  // of a broker
  write_old = 90,
  reload_old = 91,
  prove_old = 92,

  finish = 100,  // of the plan: done when trust is narrow everywhere and nothing old is left
};

inline constexpr std::array kStepKinds{
    StepKind::preflight,    StepKind::measure,         StepKind::write_broad,    StepKind::reload_broad,
    StepKind::prove_broad,  StepKind::deliver,         StepKind::apply,          StepKind::prove,
    StepKind::guard,        StepKind::converge,        StepKind::write_narrow,   StepKind::reload_narrow,
    StepKind::prove_narrow, StepKind::roll_back,       StepKind::roll_wave_back, StepKind::write_again,
    StepKind::reload_again, StepKind::prove_again,     StepKind::return_files,   StepKind::return_apply,
    StepKind::return_prove, StepKind::return_converge, StepKind::write_old,      StepKind::reload_old,
    StepKind::prove_old,    StepKind::finish};

// What its number counts.
enum class StepScope : std::uint8_t { plan, broker, target, wave };

struct Step {
  StepKind kind{};
  std::uint32_t number = 0;
  friend auto operator<=>(const Step&, const Step&) = default;
};

enum class Mark : std::uint8_t { none = 0, begun = 1, done = 2 };

// One line of what has happened: a step that began, or that is done.
struct Passed {
  Step step;
  Mark mark{};
  friend bool operator==(const Passed&, const Passed&) = default;
};

[[nodiscard]] StepScope scope_of(StepKind kind);
// "write old and new trust", "deliver".
[[nodiscard]] std::string_view to_string(StepKind kind, PlanKind of = PlanKind::ca);
[[nodiscard]] std::optional<StepKind> step_kind(std::uint64_t number);
// With the name of what it is done to: "write old and new trust: n1".
[[nodiscard]] std::string step_text(const Plan& plan, Step step);

// A step that looks until it sees: any failure is looked at again until its time is over.
[[nodiscard]] bool looks_again(StepKind kind);
// How long it may take, repetitions included.
[[nodiscard]] std::chrono::nanoseconds time_limit(const StepTimes& times, StepKind kind);

}  // namespace hawser::rotation
