// A fleet as the engine's steps see it: what each broker trusts on disk and in memory, and what each target presents.
// And a driver that performs the engine's actions on it, keeps a journal, and can be killed after any action.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "rotation/engine.hpp"

namespace hawser::rotation {

// When it is killed after so many steps: the last one is in the journal as begun alone, or as done.
enum class LastStep { begun, done };

enum class Trust { old_alone, both, new_alone };

struct Fleet {
  explicit Fleet(const Plan& plan)
      : disk(plan.brokers.size(), Trust::old_alone),
        memory(plan.brokers.size(), Trust::old_alone),
        files(target_count(plan), false),
        presents_new(target_count(plan), false) {}

  std::vector<Trust> disk;
  std::vector<Trust> memory;
  std::vector<bool> files;           // of each target: the new ones are there
  std::vector<bool> presents_new;    // of each target's connections
  bool stranger_is_old = false;      // a connection of nobody's, from the old CA
  bool someone_was_refused = false;  // a target presented what a broker did not trust

  bool operator==(const Fleet&) const = default;

  void look() {
    for (const Trust trust : memory) {
      for (const bool is_new : presents_new) {
        someone_was_refused = someone_was_refused || (is_new ? trust == Trust::old_alone : trust == Trust::new_alone);
      }
    }
  }

  // Whether it succeeds.
  bool perform(Step step) {
    const std::size_t n = step.number;
    const auto all = [this](bool value) {
      return std::all_of(presents_new.begin(), presents_new.end(), [value](bool is_new) { return is_new == value; });
    };
    switch (step.kind) {
      case StepKind::write_broad:
      case StepKind::write_again: disk[n] = Trust::both; break;
      case StepKind::write_narrow: disk[n] = Trust::new_alone; break;
      case StepKind::write_old: disk[n] = Trust::old_alone; break;
      case StepKind::reload_broad:
      case StepKind::reload_again:
      case StepKind::reload_narrow:
      case StepKind::reload_old: memory[n] = disk[n]; break;
      case StepKind::prove_broad:
      case StepKind::prove_again: return memory[n] == Trust::both;
      case StepKind::prove_narrow: return memory[n] == Trust::new_alone;
      case StepKind::prove_old: return memory[n] != Trust::new_alone;
      case StepKind::deliver: files[n] = true; break;
      case StepKind::return_files: files[n] = false; break;
      case StepKind::apply:
      case StepKind::return_apply: presents_new[n] = files[n]; break;
      case StepKind::prove: return presents_new[n];
      case StepKind::return_prove: return !presents_new[n];
      case StepKind::converge: return all(true) && !stranger_is_old;
      case StepKind::return_converge: return all(false);
      default: break;
    }
    look();
    return true;
  }
};

struct Life {
  const Plan& plan;
  Fleet& fleet;
  std::vector<Passed>& journal;
  // Steps that fail, and how; asked before the step is performed.
  std::function<std::optional<Error>(Step, std::uint32_t attempt)> fault = {};
  std::size_t performs = SIZE_MAX;  // then it is killed
  LastStep last = LastStep::begun;
  Time now = Time{} + std::chrono::hours(1);
  std::vector<Step> steps = {};  // that were run
  std::size_t most_at_once = 0;

  // The end, or nothing: killed.
  std::optional<action::Finished> run(bool back = false) {
    Engine engine(plan, journal);
    Actions actions;
    back ? engine.roll_back(now, actions) : engine.start(now, actions);
    return drive(engine, actions);
  }

  std::optional<action::Finished> drive(Engine& engine, Actions actions) {
    std::vector<action::Run> waiting;
    Time timer{};
    bool armed = false;
    for (std::size_t turn = 0; turn < 100'000; ++turn) {
      for (const Action& one : actions) {
        if (const auto* run = std::get_if<action::Run>(&one)) {
          if (run->attempt == 1) journal.push_back({run->step, Mark::begun});
          waiting.push_back(*run);
          most_at_once = std::max(most_at_once, waiting.size());
        } else if (const auto* kept = std::get_if<action::Keep>(&one)) {
          journal.push_back(kept->passed);
        } else if (const auto* at = std::get_if<action::Timer>(&one)) {
          timer = at->at;
          armed = true;
        } else {
          return std::get<action::Finished>(one);
        }
      }
      actions.clear();
      if (waiting.empty()) {
        if (!armed) return std::nullopt;  // it has come to a standstill: seen by tests as a kill that was not asked for
        now = std::max(now, timer);
        armed = false;
        engine.on_timer(now, actions);
        continue;
      }
      if (performs == 0) return std::nullopt;
      const action::Run next = waiting.front();
      waiting.erase(waiting.begin());
      if (--performs == 0) {
        if (fleet.perform(next.step) && last == LastStep::done) journal.push_back({next.step, Mark::done});
        return std::nullopt;
      }
      answer(engine, next, actions);
    }
    return std::nullopt;
  }

  void answer(Engine& engine, const action::Run& next, Actions& actions) {
    steps.push_back(next.step);
    now += std::chrono::milliseconds(1);
    const std::optional<Error> failed = fault ? fault(next.step, next.attempt) : std::nullopt;
    if (failed) {
      engine.on_failed(next.step, *failed, now, actions);
    } else if (!fleet.perform(next.step)) {
      engine.on_failed(next.step, {Errc::rotation_not_proven, "not so"}, now, actions);
    } else {
      journal.push_back({next.step, Mark::done});
      engine.on_done(next.step, now, actions);
    }
  }
};

}  // namespace hawser::rotation
