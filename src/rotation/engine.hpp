// The order of a rotation: which step is next, what a failure means, and the way back.
//
// A pure state machine: events and the time go in, actions come out (ADR 3). It knows no file, socket, disk or thread.
// The driver performs each Run and answers with on_done or on_failed, calls on_timer at the time of the last Timer, and
// keeps every step that begins and ends in the journal, before it tells the engine. Begun anew with what the journal
// holds, it goes on as if it had never stopped. Not thread-safe.
//
//   Engine engine(plan, journal.passed());
//   engine.start(now, actions);            // or engine.roll_back(now, actions)
//   for each Run: perform it; engine.on_done(step, now, actions);
//
// Every call appends to `actions`, which are performed in order. After Finished it wants no more calls.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rotation/marks.hpp"
#include "rotation/plan.hpp"
#include "rotation/step.hpp"

namespace hawser::rotation {

// Forward, and the way back. At any point before `done` a failure (or a request) leads to `stopped`, from where both
// `start` and `roll_back` go on.
//
//   preflight ──► broadening ──► measuring ──► moving ──► narrowing ──► done
//                     each broker:              waves:      each broker: converge,
//                     write, reload, prove      deliver,    write, reload, prove;
//                                               apply,      then converge once more
//                                               prove;
//                                               then guard
//
//   rolling_back ──► rolled_back:  brokers that may be narrow: write both, reload, prove; targets, the last first:
//   files,
//                                  apply, prove; converge on old; brokers, the last first: old bundle, reload, prove.
//   moving ──► returning_wave ──► stopped:  on_breach: rollback
enum class Phase : std::uint8_t {
  idle,
  preflight,
  broadening,
  measuring,
  moving,
  narrowing,
  done,
  returning_wave,
  rolling_back,
  rolled_back,
  stopped,
};
[[nodiscard]] std::string_view to_string(Phase phase);

namespace action {
// Perform the step, and answer. `until`: no longer than this; a step that looks again is looked at once a Run.
struct Run {
  Step step;
  Time until;
  std::uint32_t attempt = 1;
};
// Keep this in the journal, now: it is decided.
struct Keep {
  Passed passed;
};
// Call on_timer at this time; replaces the one before.
struct Timer {
  Time at;
};
// The last action. `why` is set when it did not end well, and `where` when it was a step.
struct Finished {
  Phase phase;  // done, rolled_back or stopped
  std::optional<Error> why;
  std::optional<Step> where = std::nullopt;
};
}  // namespace action

using Action = std::variant<action::Run, action::Keep, action::Timer, action::Finished>;
using Actions = std::vector<Action>;

class Engine {
 public:
  // `plan` outlives this object.
  Engine(const Plan& plan, std::span<const Passed> passed);

  // Begins, or goes on; also with a way back that was decided on.
  void start(Time now, Actions& out);
  // Goes back. Finished with rotation_irreversible when trust is narrow everywhere.
  void roll_back(Time now, Actions& out);

  void on_done(Step step, Time now, Actions& out);
  void on_failed(Step step, const Error& error, Time now, Actions& out);
  void on_timer(Time now, Actions& out);
  // Starts nothing new; what runs is waited for, and then it is over.
  void stop(const Error& why, Time now, Actions& out);

  [[nodiscard]] Phase phase() const noexcept { return phase_; }
  [[nodiscard]] const Marks& marks() const noexcept { return marks_; }
  [[nodiscard]] std::size_t running() const noexcept { return running_.size(); }

 private:
  struct Running {
    Time until;
    std::uint32_t attempt = 1;
    std::optional<Time> again_at;  // it failed, and waits for its next look
    std::optional<Error> seen;     // what a look has shown, as against one that ended without showing anything
  };
  // Whether something is under way that has to end before what follows may begin.
  enum class Busy : bool { no, yes };

  // engine.cpp: forward, and failures
  void go_on(Time now, Actions& out);
  void forward(Time now, Actions& out);
  [[nodiscard]] Busy broaden(Time now, Actions& out);
  [[nodiscard]] Busy move(Time now, Actions& out);
  void move_wave(std::size_t wave, Time now, Actions& out);
  [[nodiscard]] bool may_begin(std::size_t wave) const;
  [[nodiscard]] Busy narrow(Time now, Actions& out);
  void give_up(const Error& why, std::optional<Step> where);
  void after_failure(Time now, Actions& out);
  void finish(Phase phase, Actions& out);

  // engine_steps.cpp: one step, its repetitions and its time
  [[nodiscard]] Busy run(StepKind kind, std::size_t number, Time now, Actions& out);
  // Each after the one before it.
  [[nodiscard]] Busy run_in_turn(std::initializer_list<StepKind> kinds, std::size_t number, Time now, Actions& out);
  [[nodiscard]] std::size_t busy_targets(std::size_t wave) const;
  [[nodiscard]] bool is_running(StepScope scope, std::size_t number) const;
  void decide(Passed passed, Actions& out);
  void arm(Actions& out);

  // engine_back.cpp: the way back
  void backward(Time now, Actions& out);
  [[nodiscard]] Busy trust_both_again(Time now, Actions& out);
  [[nodiscard]] Busy return_targets(std::size_t wave, Time now, Actions& out);
  [[nodiscard]] Busy return_trust(Time now, Actions& out);
  void return_wave(std::size_t wave, Time now, Actions& out);

  const Plan& plan_;
  Marks marks_;
  std::map<Step, Running> running_;
  std::map<std::size_t, Time> settling_;  // a wave whose targets are proven: when its counters are compared
  std::optional<Error> failure_;          // nothing new is started
  std::optional<Step> failed_step_;       // where, if a step failed
  std::optional<Error> breach_;           // why a wave goes back
  std::optional<Time> armed_;
  bool checked_ = false;      // preflight has passed in this life
  bool nothing_new_ = false;  // so has return_converge
  Phase phase_ = Phase::idle;
};

}  // namespace hawser::rotation
