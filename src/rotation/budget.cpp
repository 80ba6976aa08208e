#include "rotation/budget.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "base/quantity.hpp"
#include "rotation/step.hpp"

namespace hawser::rotation {
namespace {

using std::chrono::nanoseconds;

nanoseconds sum(const StepTimes& times, std::initializer_list<StepKind> kinds) {
  nanoseconds all{};
  for (const StepKind kind : kinds) {
    all += time_limit(times, kind);
  }
  return all;
}

nanoseconds length_of(const Wave& wave, const StepTimes& times) {
  const auto rounds = static_cast<std::int64_t>((wave.targets.size() + wave.parallel - 1) / wave.parallel);
  return rounds * sum(times, {StepKind::deliver, StepKind::apply, StepKind::prove}) + wave.settle +
         time_limit(times, StepKind::guard);
}

// Certificates go to the year 9999, which nanoseconds do not.
tls::Seconds rounded_up(WallTime time) { return std::chrono::ceil<std::chrono::seconds>(time); }

}  // namespace

TimeNeeded time_needed(const Plan& plan) {
  const auto brokers = static_cast<std::int64_t>(plan.brokers.size());
  TimeNeeded out;
  nanoseconds at{};
  const auto add = [&out, &at](std::string what, nanoseconds takes) {
    out.lines.push_back({std::move(what), at, takes});
    at += takes;
  };
  add("preflight", plan.times.preflight);
  const bool ca = plan.kind == PlanKind::ca;
  add(ca ? "broaden trust" : "let old and new in",
      brokers * sum(plan.times, {StepKind::write_broad, StepKind::reload_broad, StepKind::prove_broad}));
  add("read counters", time_limit(plan.times, StepKind::measure));
  std::vector<nanoseconds> ends;
  nanoseconds last = at;
  for (const Wave& wave : plan.waves) {
    nanoseconds begins = at;
    for (const std::size_t earlier : wave.after) {
      begins = std::max(begins, ends[earlier]);
    }
    const nanoseconds takes = length_of(wave, plan.times);
    out.lines.push_back({"wave " + wave.name, begins, takes});
    ends.push_back(begins + takes);
    last = std::max(last, ends.back());
  }
  at = last;
  add("converge", plan.times.converge);
  out.moved = at;
  add(ca ? "narrow trust" : "let new alone in",
      brokers * sum(plan.times,
                    {StepKind::converge, StepKind::write_narrow, StepKind::reload_narrow, StepKind::prove_narrow}));
  out.total = at;
  out.narrowed = plan.times.preflight + plan.times.converge + (out.total - out.moved);
  return out;
}

std::vector<Error> outlived(std::span<const Lifetime> lifetimes, const TimeNeeded& needed, nanoseconds margin,
                            WallTime now, Ahead ahead) {
  std::vector<Error> out;
  const tls::Seconds begins = std::chrono::floor<std::chrono::seconds>(now);
  for (const Lifetime& one : lifetimes) {
    if (one.until == NeededUntil::moved && ahead == Ahead::narrowing) {
      continue;
    }
    const nanoseconds left = ahead == Ahead::narrowing ? needed.narrowed : needed.total;
    const nanoseconds wanted = one.until == NeededUntil::moved      ? needed.moved
                               : one.until == NeededUntil::narrowed ? left
                                                                    : left + margin;
    if (one.from > begins) {
      out.push_back(
          {Errc::rotation_no_time, fmt::format("{} is not valid before {}", one.what, tls::format_time(one.from))});
    } else if (one.to <= begins) {
      out.push_back({Errc::rotation_no_time, fmt::format("{} ended at {}", one.what, tls::format_time(one.to))});
    } else if (one.to < rounded_up(now + wanted)) {
      out.push_back({Errc::rotation_no_time,
                     fmt::format("{} ends at {}, and the plan may need it for {}", one.what, tls::format_time(one.to),
                                 format_duration(std::chrono::ceil<std::chrono::seconds>(wanted)))});
    }
  }
  return out;
}

}  // namespace hawser::rotation
