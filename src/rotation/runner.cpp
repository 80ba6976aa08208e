#include "rotation/runner.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace hawser::rotation {
namespace {

constexpr Duration kLook = std::chrono::milliseconds(100);
constexpr Duration kFlowKept = std::chrono::seconds(3);  // one transaction for the samples of so long
constexpr std::size_t kFlowWaiting = 256;

Result<std::vector<Passed>> passed_of(Journal& journal) {
  const auto rows = journal.passed();
  if (!rows) {
    return std::unexpected(rows.error());
  }
  std::vector<Passed> out;
  for (const PassedRow& row : *rows) {
    out.push_back(row.passed);
  }
  return out;
}

// A journal of another plan may name steps that this one does not have.
bool fits(const Plan& plan, const Passed& passed) {
  const std::size_t n = passed.step.number;
  switch (scope_of(passed.step.kind)) {
    case StepScope::plan: return n == 0;
    case StepScope::broker: return n < plan.brokers.size() + (passed.step.kind == StepKind::converge ? 1 : 0);
    case StepScope::target: return n < target_count(plan);
    case StepScope::wave: return n < plan.waves.size();
  }
  return false;
}

}  // namespace

Result<std::vector<Passed>> take_up(Journal& journal, const Plan& plan, Intent intent, WallTime now) {
  const auto last = journal.last();
  if (!last) {
    return std::unexpected(last.error());
  }
  if (!*last && intent != Intent::begin) {
    return fail(Errc::rotation_not_begun, plan.journal.string());
  }
  Result<std::vector<Passed>> passed = passed_of(journal);
  if (!passed) {
    return passed;
  }
  const bool same = *last && (*last)->plan_digest == plan.digest;
  const bool fitting = std::all_of(passed->begin(), passed->end(), [&](const Passed& one) { return fits(plan, one); });
  const bool finished =
      std::any_of(passed->begin(), passed->end(), [](const Passed& one) { return one.step.kind == StepKind::finish; });
  const bool back = !passed->empty() && passed->back() == Passed{{StepKind::roll_back, 0}, Mark::done};
  // What preflight stopped has touched nothing: the plan may be mended, and it begins anew.
  const bool touched = std::any_of(passed->begin(), passed->end(),
                                   [](const Passed& one) { return one.step.kind != StepKind::preflight; });
  if (intent == Intent::begin) {
    if (touched && !finished && !back) {
      return fail(Errc::rotation_stopped,
                  fmt::format("{}, begun {}, is not over", (*last)->plan_name,
                              to_rfc3339(WallTime(std::chrono::milliseconds((*last)->begun_ms)))));
    }
    if (same && finished) {
      // It would trust the old CA again.
      return fail(Errc::bad_usage,
                  fmt::format("the plan {} is done already: another rotation is another plan", plan.name));
    }
    const auto begun = journal.begin(plan, now);
    return begun ? Result<std::vector<Passed>>() : std::unexpected(begun.error());
  }
  if (finished) {
    return intent == Intent::roll_back ? fail(Errc::rotation_irreversible, plan.name)
                                       : fail(Errc::rotation_not_begun, plan.name + " is over");
  }
  if (back) {
    return fail(Errc::rotation_not_begun, plan.name + " has been rolled back");
  }
  if (!same || !fitting) {
    return fail(Errc::rotation_plan_changed,
                fmt::format("{} was begun with {}", (*last)->plan_name, (*last)->plan_file));
  }
  return passed;
}

Runner::Runner(const Plan& plan, Journal& journal, Perform perform, std::function<std::string(Step)> intention,
               Watcher& watcher)
    : plan_(plan),
      journal_(journal),
      perform_(std::move(perform)),
      intention_(std::move(intention)),
      watcher_(watcher) {}

Runner::~Runner() {
  stop_.request_stop();
  for (auto& [step, thread] : threads_) {
    thread.join();
  }
}

action::Finished Runner::run(const std::vector<Passed>& passed, Intent intent,
                             const std::function<bool()>& stop_asked) {
  Engine engine(plan_, passed);
  Actions actions;
  if (const Result<std::size_t> rows = journal_.flow_rows()) {
    thinning_ = FlowThinning(*rows);
    kept_ = Time{};  // the first ones at once
  }
  intent == Intent::roll_back ? engine.roll_back(now(), actions) : engine.start(now(), actions);
  act(engine, actions);
  while (!finished_) {
    take_flow(engine);
    if (stop_asked() && stop_.request_stop()) {
      actions.clear();
      engine.stop({Errc::interrupted, "after what was under way"}, now(), actions);
      act(engine, actions);
      continue;
    }
    if (auto answer = wait()) {
      take(engine, std::move(*answer));
    } else if (timer_ && now() >= *timer_) {
      timer_.reset();
      actions.clear();
      engine.on_timer(now(), actions);
      act(engine, actions);
    }
  }
  // The flow of its last moments does not decide how it ended.
  collect_flow();
  static_cast<void>(keep_flow());
  if (finished_->why) {
    // It is the journal's own failure, at worst.
    static_cast<void>(journal_.note("stopped", finished_->why->message(), wall_now()));
  }
  watcher_.on_finished(*finished_);
  return *finished_;
}

// In their order; what their failures lead to comes behind them.
void Runner::act(Engine& engine, const Actions& actions) {
  more_.insert(more_.end(), actions.begin(), actions.end());
  while (!more_.empty()) {
    const Action next = more_.front();
    more_.erase(more_.begin());
    if (engine.phase() != phase_) {
      phase_ = engine.phase();
      watcher_.on_phase(phase_);
    }
    if (const auto* run = std::get_if<action::Run>(&next)) {
      begin(engine, *run);
    } else if (const auto* keep = std::get_if<action::Keep>(&next)) {
      const auto kept = journal_.keep(keep->passed, step_text(plan_, keep->passed.step), "", wall_now());
      if (!kept) {
        // The decision was not kept: the next life takes it again.
        finished_ = action::Finished{Phase::stopped, kept.error()};
      }
    } else if (const auto* timer = std::get_if<action::Timer>(&next)) {
      timer_ = timer->at;
    } else if (!finished_) {
      finished_ = std::get<action::Finished>(next);
    }
  }
}

void Runner::begin(Engine& engine, const action::Run& run) {
  const Step step = run.step;
  if (run.attempt == 1) {
    const auto kept = journal_.keep({step, Mark::begun}, step_text(plan_, step), intention_(step), wall_now());
    if (!kept) {
      return fail_step(engine, step, kept.error());
    }
    begun_[step] = {now(), 1};
    watcher_.on_begun(step);
  }
  begun_[step].second = run.attempt;
  threads_[step] = std::thread([this, run] { post({run.step, perform_(run.step, run.until, stop_.get_token())}); });
}

void Runner::take(Engine& engine, Answer answer) {
  const Step step = answer.step;
  threads_.extract(step).mapped().join();
  const auto [began, attempt] = begun_[step];
  if (!answer.result) {
    watcher_.on_failed(step, answer.result.error(), attempt);
    if (attempt == 1) {
      // Later looks fail for the same reason, or are told of at the end.
      static_cast<void>(
          journal_.note("not yet", step_text(plan_, step) + ": " + answer.result.error().message(), wall_now()));
    }
    return fail_step(engine, step, answer.result.error());
  }
  const auto kept = journal_.keep({step, Mark::done}, step_text(plan_, step), *answer.result, wall_now());
  if (!kept) {
    watcher_.on_failed(step, kept.error(), attempt);
    return fail_step(engine, step, kept.error());
  }
  watcher_.on_done(step, *answer.result, now() - began);
  Actions actions;
  engine.on_done(step, now(), actions);
  act(engine, actions);
}

void Runner::fail_step(Engine& engine, Step step, const Error& error) {
  Actions actions;
  engine.on_failed(step, error, now(), actions);
  // From within act() too, which goes on with them.
  const bool within = !more_.empty();
  if (within) {
    more_.insert(more_.end(), actions.begin(), actions.end());
  } else {
    act(engine, actions);
  }
}

void Runner::collect_flow() {
  std::deque<FlowSample> samples;
  {
    const std::lock_guard lock(mutex_);
    samples.swap(flow_);
  }
  for (FlowSample& sample : samples) {
    watcher_.on_flow(sample);
    if (kept_ && thinning_.keeps(sample)) {
      unkept_.push_back(std::move(sample));
    }
  }
}

void Runner::take_flow(Engine& engine) {
  collect_flow();
  if (!kept_ || now() - *kept_ < kFlowKept) {
    return;
  }
  if (const Result<void> kept = keep_flow(); !kept) {
    Actions actions;
    engine.stop(kept.error(), now(), actions);
    act(engine, actions);
  }
}

Result<void> Runner::keep_flow() {
  if (unkept_.empty() || !kept_) {
    return {};
  }
  Result<void> done = journal_.keep_flow(unkept_);
  unkept_.clear();
  kept_ = done ? std::optional(now()) : std::nullopt;
  return done;
}

void Runner::post_flow(FlowSample sample) {
  const std::lock_guard lock(mutex_);
  flow_.push_back(std::move(sample));
  if (flow_.size() > kFlowWaiting) {
    flow_.pop_front();
  }
}

std::optional<Runner::Answer> Runner::wait() {
  Duration patience = kLook;
  if (timer_) {
    patience = std::clamp<Duration>(*timer_ - now(), Duration::zero(), kLook);
  }
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, patience, [this] { return !answers_.empty(); });
  if (answers_.empty()) {
    return std::nullopt;
  }
  Answer answer = std::move(answers_.front());
  answers_.pop_front();
  return answer;
}

void Runner::post(Answer answer) {
  const std::lock_guard lock(mutex_);
  answers_.push_back(std::move(answer));
  wake_.notify_one();
}

}  // namespace hawser::rotation
