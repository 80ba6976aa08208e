// Runs a rotation: the engine decides, a performer acts on threads of its own, the journal knows before and after.
//
//   auto passed = take_up(*journal, plan, Intent::begin, wall_now());
//   Runner runner(plan, *journal, performer, watcher);
//   action::Finished end = runner.run(*passed, Intent::begin, [] { return stop_signal() != 0; });
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rotation/engine.hpp"
#include "rotation/flow.hpp"
#include "rotation/journal.hpp"
#include "rotation/plan.hpp"

namespace hawser::rotation {

enum class Intent : std::uint8_t { begin, resume, roll_back };

// What has passed of the rotation that is meant, which is a new one for `begin`. Errors: rotation_stopped when `begin`
// finds one that is not over; rotation_not_begun, rotation_plan_changed, rotation_irreversible; those of the journal.
[[nodiscard]] Result<std::vector<Passed>> take_up(Journal& journal, const Plan& plan, Intent intent, WallTime now);

// Performs one step; blocking, from several threads. What was seen, or why not.
using Perform = std::function<Result<std::string>(Step, Time until, const std::stop_token&)>;

// Told of everything, on the thread of run().
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on_phase(Phase) {}
  virtual void on_begun(Step) {}
  virtual void on_done(Step, const std::string& seen, Duration took) = 0;
  // `attempt`: it may be looked at again.
  virtual void on_failed(Step, const Error&, std::uint32_t attempt) = 0;
  virtual void on_flow(const FlowSample&) {}
  // Nothing comes after it.
  virtual void on_finished(const action::Finished&) {}
};

class Runner {
 public:
  // All outlive this object. `intention`: what a step is going to do, for the journal.
  Runner(const Plan& plan, Journal& journal, Perform perform, std::function<std::string(Step)> intention,
         Watcher& watcher);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  ~Runner();

  // From any thread, while run() runs and before: into the journal, and to the watcher. What is too much is forgotten.
  void post_flow(FlowSample sample);

  // Blocks until it is over. `stop_asked` is asked some ten times a second.
  [[nodiscard]] action::Finished run(const std::vector<Passed>& passed, Intent intent,
                                     const std::function<bool()>& stop_asked);

 private:
  struct Answer {
    Step step;
    Result<std::string> result;
  };

  void act(Engine& engine, const Actions& actions);
  void begin(Engine& engine, const action::Run& run);
  void take(Engine& engine, Answer answer);
  void fail_step(Engine& engine, Step step, const Error& error);
  void collect_flow();
  void take_flow(Engine& engine);
  [[nodiscard]] Result<void> keep_flow();
  [[nodiscard]] std::optional<Answer> wait();
  void post(Answer answer);

  const Plan& plan_;
  Journal& journal_;
  const Perform perform_;
  const std::function<std::string(Step)> intention_;
  Watcher& watcher_;
  std::stop_source stop_;
  std::map<Step, std::thread> threads_;
  std::map<Step, std::pair<Time, std::uint32_t>> begun_;  // when, and the attempt
  std::optional<Time> timer_;
  std::optional<action::Finished> finished_;
  Actions more_;  // what answers to actions have led to
  Phase phase_ = Phase::idle;
  FlowThinning thinning_{0};
  std::vector<FlowSample> unkept_;  // not in the journal yet
  std::optional<Time> kept_;        // when the flow was last kept; nothing: it cannot be
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Answer> answers_;   // guarded by mutex_
  std::deque<FlowSample> flow_;  // guarded by mutex_
};

}  // namespace hawser::rotation
