#include "cli/rotate_board.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "admin/page.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "cli/flow_plot.hpp"

namespace hawser::cli {

using namespace rotation;
using admin::Status;
using admin::Tone;

namespace {

constexpr std::size_t kFailures = 50;
constexpr std::size_t kTextBytes = 300;
constexpr std::size_t kNamedSteps = 4;

std::string in_one_line(std::string_view text) {
  std::string out(text.substr(0, kTextBytes));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return out.erase(out.find_last_not_of(' ') + 1);
}

}  // namespace

RotationBoard::RotationBoard(const Plan& plan, const std::vector<Passed>& passed)
    : plan_(plan), begun_(to_rfc3339(wall_now())), marks_(plan) {
  remember_passed(passed);
}

void RotationBoard::remember_passed(const std::vector<Passed>& passed) {
  const std::lock_guard lock(mutex_);
  for (const Passed& one : passed) {
    marks_.take(one);
  }
}

void RotationBoard::on_phase(Phase phase) {
  const std::lock_guard lock(mutex_);
  phase_ = phase;
  if (phase == Phase::rolled_back) {
    marks_.take({{StepKind::roll_back, 0}, Mark::done});
  }
}

void RotationBoard::on_begun(Step step) {
  const std::lock_guard lock(mutex_);
  marks_.take({step, Mark::begun});
  under_way_.push_back(step);
}

void RotationBoard::on_done(Step step, const std::string& seen, Duration /*took*/) {
  const std::lock_guard lock(mutex_);
  marks_.take({step, Mark::done});
  std::erase(under_way_, step);
  ++steps_done_;
  remember(step, seen);
}

void RotationBoard::on_failed(Step step, const Error& error, std::uint32_t /*attempt*/) {
  const std::lock_guard lock(mutex_);
  ++in_vain_;
  if (!looks_again(step.kind)) {
    std::erase(under_way_, step);
  }
  const std::string why = in_one_line(error.message());
  remember(step, why);
  const std::string name = step_text(plan_, step);
  const std::string at = to_rfc3339(wall_now());
  const auto same =
      std::find_if(failures_.begin(), failures_.end(), [&](const Failure& one) { return one.step == name; });
  const std::uint64_t before = same == failures_.end() ? 0 : same->times;
  if (same != failures_.end()) {
    failures_.erase(same);
  }
  failures_.push_front({at, name, why, before + 1});
  failures_.resize(std::min(failures_.size(), kFailures));
}

void RotationBoard::on_flow(const FlowSample& sample) {
  const std::lock_guard lock(mutex_);
  flow_ = sample;
}

void RotationBoard::on_finished(const action::Finished& end) {
  const std::lock_guard lock(mutex_);
  phase_ = end.phase;
  why_ = end.why;
  under_way_.clear();
}

void RotationBoard::remember(Step step, const std::string& text) {
  const StepScope scope = scope_of(step.kind);
  if (scope == StepScope::target) {
    of_target_[step.number] = in_one_line(text);
  } else if (scope == StepScope::broker && step.number < plan_.brokers.size()) {
    of_broker_[step.number] = in_one_line(text);
  }
}

std::string RotationBoard::headline() const {
  std::string out(to_string(phase_));
  if (phase_ == Phase::stopped && why_) {
    return out + ": " + in_one_line(why_->message());
  }
  for (std::size_t i = 0; i < std::min(under_way_.size(), kNamedSteps); ++i) {
    out += (i == 0 ? ": " : ", ") + step_text(plan_, under_way_[i]);
  }
  return under_way_.size() > kNamedSteps ? out + fmt::format(" and {} more", under_way_.size() - kNamedSteps) : out;
}

Tone RotationBoard::tone() const {
  switch (phase_) {
    case Phase::stopped: return Tone::bad;
    case Phase::returning_wave:
    case Phase::rolling_back:
    case Phase::rolled_back: return Tone::warning;
    case Phase::done: return Tone::good;
    default: return Tone::neutral;
  }
}

std::size_t RotationBoard::proven_in(std::size_t wave) const {
  const std::size_t first = first_target(plan_, wave);
  std::size_t proven = 0;
  for (std::size_t target = first; target < first + plan_.waves[wave].targets.size(); ++target) {
    proven += marks_.done(StepKind::prove, target) ? 1U : 0U;
  }
  return proven;
}

Status::Section RotationBoard::standing() const {
  return {
      .title = "Rotation",
      .items = {{"phase", std::string(to_string(phase_)), tone()},
                {"this process since", begun_},
                {"steps done by it", std::to_string(steps_done_)},
                {"looks and steps in vain", std::to_string(in_vain_), in_vain_ > 0 ? Tone::warning : Tone::neutral}}};
}

// On the way back a broker that is done with it is as before: its marks are gone.
Status::Section RotationBoard::trust() const {
  Status::Section out{.title = "What brokers trust", .items = {}};
  for (std::size_t i = 0; i < plan_.brokers.size(); ++i) {
    const bool narrow = marks_.touched(StepKind::write_narrow, i);
    const bool proven = narrow ? marks_.done(StepKind::prove_narrow, i) : marks_.done(StepKind::prove_broad, i);
    std::string text = narrow                                     ? "the new alone"
                       : marks_.touched(StepKind::write_broad, i) ? "old and new"
                                                                  : "as before";
    const bool changing = (narrow || marks_.touched(StepKind::write_broad, i)) && !proven;
    text += changing ? ", not yet proven" : "";
    if (const auto seen = of_broker_.find(i); changing && seen != of_broker_.end() && !seen->second.empty()) {
      text += ": " + seen->second;
    }
    out.items.push_back({plan_.brokers[i].name, std::move(text), proven ? Tone::good : Tone::neutral});
  }
  return out;
}

Status::Section RotationBoard::waves() const {
  Status::Section out{.title = "Waves", .items = {}};
  for (std::size_t wave = 0; wave < plan_.waves.size(); ++wave) {
    const std::size_t count = plan_.waves[wave].targets.size();
    const std::size_t proven = proven_in(wave);
    const bool over = marks_.wave_over(wave);
    out.items.push_back({.name = plan_.waves[wave].name,
                         .value = fmt::format("{} of {} proven{}", proven, count, over ? ", within guards" : ""),
                         .tone = over ? Tone::good : Tone::neutral,
                         .progress = Status::Progress{static_cast<double>(proven), static_cast<double>(count)}});
  }
  return out;
}

Status::Section RotationBoard::flow() const {
  Status::Section out{.title = "Flow", .items = {}};
  for (const FlowInfo& curve : kFlowCurves) {
    const auto value = flow_ ? flow_->values.find(curve.curve) : decltype(flow_->values.end()){};
    const bool known = flow_ && value != flow_->values.end();
    out.items.push_back(
        {std::string(curve.name),
         known ? plot_number(value->second) + (curve.form == FlowForm::rate ? " /s" : "") : "not known"});
  }
  return out;
}

std::string RotationBoard::mark_text(StepKind kind, std::size_t number) const {
  return marks_.done(kind, number) ? "done" : marks_.touched(kind, number) ? "begun" : "-";
}

// What is under way first when there are more than a page shows.
Status::Table RotationBoard::targets() const {
  Status::Table out{.title = "Targets",
                    .columns = {"wave", "target", "delivered", "applied", "proven", "what was seen, or why not yet"},
                    .rows = {}};
  const std::size_t count = target_count(plan_);
  std::vector<std::size_t> order;
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < count; ++i) {
    const bool under_way = marks_.touched(StepKind::deliver, i) && !marks_.done(StepKind::prove, i);
    (under_way || count <= admin::kRowsShown ? order : others).push_back(i);
  }
  order.insert(order.end(), others.begin(), others.end());
  for (const std::size_t i : order) {
    const auto seen = of_target_.find(i);
    out.rows.push_back({plan_.waves[place_of(plan_, i).wave].name, target_at(plan_, i).name,
                        mark_text(StepKind::deliver, i), mark_text(StepKind::apply, i), mark_text(StepKind::prove, i),
                        seen == of_target_.end() ? "" : seen->second});
  }
  return out;
}

Status::Table RotationBoard::failures() const {
  Status::Table out{.title = "In vain", .columns = {"step", "why", "times", "last"}, .rows = {}};
  for (const Failure& one : failures_) {
    out.rows.push_back({one.step, one.why, std::to_string(one.times), one.at});
  }
  return out;
}

Status RotationBoard::status() const {
  const std::lock_guard lock(mutex_);
  return {.title = "hawser rotate " + plan_.name,
          .headline = headline(),
          .tone = tone(),
          .sections = {standing(), waves(), trust(), flow()},
          .tables = {targets(), failures()},
          .links = {{"/status", "As JSON", "what is shown here"},
                    {"/metrics", "Metrics", "how far it is, and the flow, for Prometheus"},
                    {"/healthz", "Health", "503 once it has stopped"}}};
}

admin::Health RotationBoard::health() const {
  const std::lock_guard lock(mutex_);
  const bool stopped = phase_ == Phase::stopped;
  return {.checks = {{"rotation", !stopped, stopped ? headline() : std::string(to_string(phase_))}}};
}

std::string RotationBoard::metrics() const {
  const std::lock_guard lock(mutex_);
  std::size_t moved = 0;
  for (std::size_t wave = 0; wave < plan_.waves.size(); ++wave) {
    moved += proven_in(wave);
  }
  metrics::Registry out;
  out.counter("hawser_rotation_steps_total", "Steps that this process has done").add(steps_done_);
  out.counter("hawser_rotation_in_vain_total", "Looks and steps that failed").add(in_vain_);
  out.gauge("hawser_rotation_targets", "Targets of the plan").set(static_cast<double>(target_count(plan_)));
  out.gauge("hawser_rotation_targets_moved", "Targets that are proven").set(static_cast<double>(moved));
  out.gauge("hawser_rotation_stopped", "1: it has stopped before its end").set(phase_ == Phase::stopped ? 1 : 0);
  for (const FlowInfo& curve : kFlowCurves) {
    if (flow_ && flow_->values.contains(curve.curve)) {
      out.gauge("hawser_rotation_flow", "The flow through all brokers and agents, by curve",
                {{"curve", std::string(curve.key)}})
          .set(flow_->values.at(curve.curve));
    }
  }
  return out.expose();
}

Result<std::unique_ptr<admin::Server>> serve_board(std::string_view listen, const RotationBoard& board) {
  admin::Endpoints endpoints;
  endpoints.metrics = [&board] { return board.metrics(); };
  endpoints.health = [&board] { return board.health(); };
  endpoints.status = [&board] { return board.status(); };
  return admin::Server::start(listen, std::move(endpoints));
}

}  // namespace hawser::cli
