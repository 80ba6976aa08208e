#include "drill/drill.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <thread>

#include "base/file.hpp"
#include "config/rotation_file.hpp"
#include "drill/fault_hand.hpp"
#include "drill/plan_text.hpp"
#include "drill/proofs.hpp"

namespace hawser::drill {

namespace {

using namespace std::chrono_literals;
using rotation::Intent;
using rotation::Phase;
using rotation::Plan;
using rotation::Step;
using rotation::StepKind;

constexpr Duration kBefore = 1s;          // of traffic, before the first rotation and after the last
constexpr Duration kFlowsWithin = 30s;    // from the start of the traffic
constexpr Duration kSettlesWithin = 15s;  // after the last message was sent
constexpr Duration kLook = 20ms;

std::int64_t wall_ms() { return std::chrono::floor<std::chrono::milliseconds>(wall_now()).time_since_epoch().count(); }

// Listens to a rotation for the drill: keeps its steps, watches the flows of agents that move, and does what is to go
// wrong.
class Ear final : public rotation::Watcher {
 public:
  struct Heard {
    std::vector<Duration>& pauses;
    std::vector<StepTaken>& steps;
    std::vector<Span>& spans;
  };

  Ear(const Plan& plan, const std::vector<std::optional<std::size_t>>& agents, Traffic& traffic, FaultHand* hand,
      std::unique_ptr<rotation::Watcher> other, Heard heard)
      : plan_(plan), agents_(agents), traffic_(traffic), hand_(hand), other_(std::move(other)), heard_(heard) {}

  ~Ear() override { phase_over(); }

  void on_phase(Phase phase) override {
    phase_over();
    phase_ = phase;
    phase_began_ = wall_ms();
    other_->on_phase(phase);
  }

  void on_flow(const rotation::FlowSample& sample) override { other_->on_flow(sample); }
  void on_finished(const rotation::action::Finished& end) override { other_->on_finished(end); }

  void on_begun(Step step) override {
    if (scope_of(step.kind) == rotation::StepScope::target) {
      wave_began_.try_emplace(place_of(plan_, step.number).wave, wall_ms());
    }
    if (step.kind == StepKind::apply && agents_[step.number]) {
      traffic_.watch(*agents_[step.number]);
    }
    if (hand_ != nullptr) {
      hand_->on_begun(step);
    }
    other_->on_begun(step);
  }

  void on_done(Step step, const std::string& seen, Duration took) override {
    heard_.steps.push_back({step_text(plan_, step), true, std::chrono::duration<double>(took).count(), seen});
    if (step.kind == StepKind::guard) {
      wave_over(step.number);
    }
    other_->on_done(step, seen, took);
  }

  void on_failed(Step step, const Error& error, std::uint32_t attempt) override {
    other_->on_failed(step, error, attempt);
  }

 private:
  // Waves have spans of their own.
  void phase_over() {
    if (phase_ == Phase::broadening || phase_ == Phase::narrowing || phase_ == Phase::rolling_back) {
      heard_.spans.push_back({std::string(to_string(phase_)), phase_began_, wall_ms()});
    }
    phase_ = Phase::idle;
  }

  // Its agents have moved: the pauses that this made.
  void wave_over(std::size_t wave) {
    heard_.spans.push_back({plan_.waves[wave].name, wave_began_[wave], wall_ms()});
    const std::size_t first = first_target(plan_, wave);
    for (std::size_t i = first; i < first + plan_.waves[wave].targets.size(); ++i) {
      if (agents_[i]) {
        const std::vector<Duration> longest = traffic_.stop_watching(*agents_[i]);
        heard_.pauses.insert(heard_.pauses.end(), longest.begin(), longest.end());
      }
    }
  }

  const Plan& plan_;
  const std::vector<std::optional<std::size_t>>& agents_;
  Traffic& traffic_;
  FaultHand* hand_;
  std::unique_ptr<rotation::Watcher> other_;
  const Heard heard_;
  Phase phase_ = Phase::idle;
  std::int64_t phase_began_ = 0;
  std::map<std::size_t, std::int64_t> wave_began_;
};

Pauses pauses_of(std::vector<Duration> all) {
  if (all.empty()) {
    return {};
  }
  std::sort(all.begin(), all.end());
  const auto at = [&all](double share) {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(all.size() - 1) + 0.5);
    return std::chrono::duration<double, std::milli>(all[index]).count();
  };
  return {.p50 = at(0.5), .p99 = at(0.99), .max = at(1), .moves = all.size()};
}

class Drill {
 public:
  Drill(const DrillOptions& options, Listener& listener) : options_(options), listener_(listener) {}

  Result<Outcome> hold() {
    const Time began = now();
    Result<void> done = start();
    while (done && outcome_.rotations < options_.rotations && outcome_.wrong.empty()) {
      ++outcome_.rotations;
      done = options_.fault != nullptr ? rotate_with_fault(*options_.fault) : rotate_well();
    }
    done = done ? finish() : done;
    if (!done) {
      return std::unexpected(done.error());
    }
    outcome_.seconds = std::chrono::duration<double>(now() - began).count();
    listener_.on_verdict(outcome_);
    return std::move(outcome_);
  }

 private:
  Result<void> start();
  Result<void> rotate_well();
  Result<void> rotate_with_fault(const FaultRow& fault);
  Result<void> way_out(const FaultRow& fault, const Plan& plan, const PlanText& text, FaultHand& hand);
  Result<RotationEnd> rotate(const Plan& plan, const PlanText& text, Intent intent, FaultHand* hand);
  Result<Plan> write_plan(const PlanText& text);
  Result<void> finish();
  void judge_stop(const FaultRow& fault, const RotationEnd& end);
  void judge_counts();
  Result<void> wait(Duration at_most, const std::function<bool()>& there);
  void step(const std::string& name, bool ok, Time began, const std::string& detail);
  void wrong(std::string what) { outcome_.wrong.push_back(std::move(what)); }

  const DrillOptions& options_;
  Listener& listener_;
  std::unique_ptr<System> system_;
  std::unique_ptr<Traffic> traffic_;  // ends first
  std::size_t generation_ = 0;        // what everybody is to present at the end
  std::vector<Duration> pauses_;
  Outcome outcome_;
};

Result<void> Drill::start() {
  const Time began = now();
  auto system = System::start(options_.system, [this] { return listener_.stop_asked(); });
  if (!system) {
    return std::unexpected(system.error());
  }
  system_ = std::move(*system);
  outcome_.broker = system_->kind();
  TrafficOptions traffic{.ports = {}, .rate = options_.rate, .payload_bytes = options_.payload_bytes};
  for (const System::Agent& agent : system_->agents()) {
    traffic.ports.push_back(agent.port);
  }
  auto flowing = Traffic::start(std::move(traffic));
  if (!flowing) {
    return std::unexpected(flowing.error());
  }
  traffic_ = std::move(*flowing);
  listener_.on_started(*system_, *traffic_);
  bool flows = false;
  Result<void> waited = wait(kFlowsWithin, [&] { return flows = traffic_->flowing(); });
  if (waited && !flows) {
    return fail(Errc::drill_impossible, "messages do not flow between the agents");
  }
  step("start brokers, agents and traffic", true, began,
       fmt::format("brokers: {} ({}), agents: {}", system_->brokers().size(), system_->kind(),
                   system_->agents().size()));
  return waited ? wait(kBefore, [] { return false; }) : waited;
}

Result<Plan> Drill::write_plan(const PlanText& text) {
  if (const Result<void> written = write_file_atomically(text.file, text.yaml, FileMode::owner_only); !written) {
    return std::unexpected(written.error());
  }
  return config::load_rotation_plan(text.file);
}

Result<RotationEnd> Drill::rotate(const Plan& plan, const PlanText& text, Intent intent, FaultHand* hand) {
  const Time began = now();
  RotationEnd out{.plan = plan, .phase = {}, .why = {}, .stopped_at = {}};
  const auto end =
      conduct(plan, intent,
              {.watcher =
                   [&](const std::vector<rotation::Passed>& passed) {
                     return std::make_unique<Ear>(plan, text.agents, *traffic_, hand, listener_.watcher(plan, passed),
                                                  Ear::Heard{pauses_, outcome_.steps, outcome_.spans});
                   },
               .stop_asked = [this] { return listener_.stop_asked(); }});
  if (!end) {
    return std::unexpected(end.error());
  }
  if (end->why && end->why->code == Errc::interrupted) {
    return std::unexpected(*end->why);
  }
  out.phase = end->phase;
  out.why = end->why;
  out.seconds = std::chrono::duration<double>(now() - began).count();
  if (end->why) {
    out.stopped_at = end->where;
    step(end->where ? step_text(plan, *end->where) : std::string(to_string(end->phase)), false, began,
         end->why->message());
  }
  return out;
}

Result<void> Drill::rotate_well() {
  const auto generation = system_->next_generation();
  if (!generation) {
    return std::unexpected(generation.error());
  }
  const PlanText text = plan_text(*system_, *generation, nullptr);
  const Result<Plan> plan = write_plan(text);
  auto end = plan ? rotate(*plan, text, Intent::begin, nullptr) : std::unexpected(plan.error());
  if (!end) {
    return std::unexpected(end.error());
  }
  if (end->phase != Phase::done) {
    wrong(fmt::format("the rotation stopped: {}", end->why ? end->why->message() : "for no reason"));
  } else {
    generation_ = *generation;
  }
  outcome_.ends.push_back(std::move(*end));
  return {};
}

Result<void> Drill::rotate_with_fault(const FaultRow& fault) {
  const auto generation = system_->next_generation();
  if (!generation) {
    return std::unexpected(generation.error());
  }
  FaultHand hand(fault, *system_, *traffic_, *generation);
  if (Result<void> prepared = hand.prepare(); !prepared) {
    return prepared;
  }
  listener_.on_note(fmt::format("on purpose: {}", fault.about));
  const PlanText text = plan_text(*system_, *generation, &fault);
  const Result<Plan> plan = write_plan(text);
  auto end = plan ? rotate(*plan, text, Intent::begin, &hand) : std::unexpected(plan.error());
  if (!end) {
    return std::unexpected(end.error());
  }
  judge_stop(fault, *end);
  const bool stopped = end->phase == Phase::stopped;
  outcome_.ends.push_back(std::move(*end));
  return stopped ? way_out(fault, *plan, text, hand) : Result<void>();
}

void Drill::judge_stop(const FaultRow& fault, const RotationEnd& end) {
  if (end.phase != Phase::stopped || !end.why) {
    return wrong(fmt::format("the rotation went on with {}", fault.name));
  }
  const Step at = end.stopped_at.value_or(Step{});
  if (at.kind != fault.stops_at) {
    wrong(fmt::format("it stopped at {}, and should have at {}", step_text(end.plan, at), to_string(fault.stops_at)));
  }
  if (end.why->code != fault.reason) {
    wrong(fmt::format("it stopped for {}, and should have for {}", error_id(end.why->code), error_id(fault.reason)));
  }
}

Result<void> Drill::way_out(const FaultRow& fault, const Plan& plan, const PlanText& text, FaultHand& hand) {
  const Time began = now();
  if (Result<void> mended = hand.mend(); !mended) {
    return mended;
  }
  if (fault.way_out == WayOut::none) {
    return {};
  }
  const bool back = fault.way_out == WayOut::roll_back;
  step(back ? "decide to roll back" : "mend the cause", true, began, std::string(fault.about));
  listener_.on_note(back ? "it goes back" : "mended; it goes on");
  auto end = rotate(plan, text, back ? Intent::roll_back : Intent::resume, nullptr);
  if (!end) {
    return std::unexpected(end.error());
  }
  if (end->phase != (back ? Phase::rolled_back : Phase::done)) {
    wrong(fmt::format("it did not {}: {}", back ? "go back" : "go on to its end",
                      end->why ? end->why->message() : std::string(to_string(end->phase))));
  } else if (!back) {
    ++generation_;
  }
  outcome_.ends.push_back(std::move(*end));
  return {};
}

Result<void> Drill::finish() {
  Result<void> done = wait(kBefore, [] { return false; });
  const Time began = now();
  traffic_->stop_publishing();
  done = done ? wait(kSettlesWithin, [this] { return traffic_->settled(); }) : done;
  if (!done) {
    return done;
  }
  outcome_.traffic = traffic_->report();
  outcome_.pauses = pauses_of(std::move(pauses_));
  judge_counts();
  const Proofs proofs = prove_end(*system_, generation_);
  outcome_.old_refused = proofs.old_refused;
  outcome_.new_accepted = proofs.new_accepted;
  outcome_.wrong.insert(outcome_.wrong.end(), proofs.wrong.begin(), proofs.wrong.end());
  step("prove the end", outcome_.wrong.empty(), began, proofs.seen);
  return {};
}

// What a killed process had not confirmed is sent again, and may be repeated (docs/queue.md).
void Drill::judge_counts() {
  const Counts& all = outcome_.traffic.all;
  const bool killed = options_.fault != nullptr &&
                      (options_.fault->fault == Fault::kill_agent || options_.fault->fault == Fault::kill_broker);
  if (all.lost > 0) {
    wrong(fmt::format("{} messages were lost", all.lost));
  }
  if (all.duplicated > 0 && !killed) {
    wrong(fmt::format("{} messages came twice", all.duplicated));
  }
  if (all.reordered > 0 && !killed) {
    wrong(fmt::format("{} messages came out of order", all.reordered));
  }
  if (all.delivered == 0) {
    wrong("no message was delivered");
  }
}

Result<void> Drill::wait(Duration at_most, const std::function<bool()>& there) {
  const Time until = now() + at_most;
  while (!there() && now() < until) {
    if (listener_.stop_asked()) {
      return fail(Errc::interrupted, "the drill");
    }
    std::this_thread::sleep_for(kLook);
  }
  return {};
}

void Drill::step(const std::string& name, bool ok, Time began, const std::string& detail) {
  outcome_.steps.push_back({name, ok, std::chrono::duration<double>(now() - began).count(), detail});
}

}  // namespace

Result<Outcome> hold_drill(const DrillOptions& options, Listener& listener) {
  Drill drill(options, listener);
  Result<Outcome> outcome = drill.hold();
  listener.on_ended();
  return outcome;
}

}  // namespace hawser::drill
