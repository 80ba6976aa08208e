// Performs single steps on the world: writes files, tells brokers and targets, and looks at what they show.
//
// perform() blocks and is called from several threads at once, for different steps. A step may be performed any number
// of times.
//
//   Performer performer(plan, std::move(inspection), row.mark());
//   Result<std::string> seen = performer.perform({StepKind::prove, 0}, until, stop);
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rotation/counters.hpp"
#include "rotation/inventory.hpp"
#include "rotation/plan.hpp"
#include "rotation/step.hpp"

namespace hawser::rotation {

class Performer {
 public:
  // `plan` outlives this object. `mark`: of the rotation, for its backups.
  Performer(const Plan& plan, Inspection inspection, std::string mark);

  // What was seen, for people; or why not. `stop` ends waiting, not a command that runs.
  [[nodiscard]] Result<std::string> perform(Step step, Time until, const std::stop_token& stop);
  // What the step is going to do: for the journal before it begins, and for --dry-run.
  [[nodiscard]] std::string intention(Step step) const;

  // What `measure` has seen, now or in an earlier life. Not while a step is performed.
  void remember_counters(std::string text) { before_ = std::move(text); }

 private:
  using Outcome = Result<std::string>;

  Outcome preflight(Time until, const std::stop_token& stop);
  Outcome measure(Time until, const std::stop_token& stop);
  Outcome guard(Time until, const std::stop_token& stop);
  Outcome write(const Broker& broker, const std::string& bundle, std::string_view what);
  Outcome tell(const Trigger& trigger, Errc code, Time until, const std::stop_token& stop);
  // Of kind credentials; nothing: nothing is to be done.
  Outcome change(const std::optional<Delivery>& change, std::string_view mark, Time until);
  Outcome change_back(const Broker& broker, const std::optional<Delivery>& change, std::string_view mark, Time until);
  Outcome reload(const Broker& broker, Time until, const std::stop_token& stop);
  Outcome write_trust(StepKind kind, const Broker& broker, Time until);
  Outcome carry_out(const Delivery& delivery, std::string_view mark, Time until);
  Outcome take_back(const Delivery& delivery, std::string_view mark, std::string_view whose, Time until);
  Outcome try_both(const Broker& broker, bool old_accepted, Errc code, Time until, const std::stop_token& stop);
  Outcome try_old(const Broker& broker, Time until, const std::stop_token& stop);
  Outcome deliver(std::size_t target, Time until);
  Outcome return_files(const Target& target, Time until);
  Outcome prove(std::size_t target, Time until, const std::stop_token& stop);
  Outcome return_prove(std::size_t target, Time until, const std::stop_token& stop);
  Outcome converge(Time until, const std::stop_token& stop);
  Outcome return_converge(Time until, const std::stop_token& stop);
  [[nodiscard]] Result<void> usable() const;
  Outcome prove_server(const Target& target, const std::string& wanted, Time until, const std::stop_token& stop);
  [[nodiscard]] Identity stale_of(std::size_t target) const;
  [[nodiscard]] Result<void> unchanged(std::size_t target) const;

  const Plan& plan_;
  const Inspection inspection_;
  const std::string mark_;
  std::optional<std::string> before_;
};

}  // namespace hawser::rotation
