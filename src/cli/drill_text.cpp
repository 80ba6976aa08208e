// The outcome of a drill, for people and as JSON.
#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/drill.hpp"

namespace hawser::cli {

namespace {

namespace json = boost::json;
using drill::Outcome;

// Its first line: preflight may have many.
std::string stopped_text(const drill::RotationEnd& end) {
  const std::string why = end.why ? end.why->message() : std::string(to_string(end.phase));
  return fmt::format("at \"{}\": {}{}", end.stopped_at ? step_text(end.plan, *end.stopped_at) : "-",
                     why.substr(0, why.find('\n')), why.find('\n') == std::string::npos ? "" : " …");
}

// Of the last one that came to an end.
std::string_view end_of(const Outcome& outcome) {
  return outcome.ends.empty() ? std::string_view("-") : to_string(outcome.ends.back().phase);
}

}  // namespace

std::string counted(std::size_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

double longest_ms(const Outcome& outcome) {
  Duration longest{};
  for (const drill::Moment& moment : outcome.traffic.moments) {
    longest = std::max(longest, moment.longest);
  }
  return std::chrono::duration<double, std::milli>(longest).count();
}

std::string render_drill(const Outcome& outcome, const drill::DrillOptions& options, const std::string& report) {
  const drill::Counts& all = outcome.traffic.all;
  std::string out =
      fmt::format("\n{}: {}\n", outcome.wrong.empty() ? "passed" : "FAILED",
                  options.fault != nullptr ? fmt::format("with {} ({})", options.fault->name, options.fault->about)
                                           : counted(outcome.rotations, "rotation"));
  for (const std::string& what : outcome.wrong) {
    out += fmt::format("  wrong          {}\n", what);
  }
  const auto row = [&out](std::string_view name, const std::string& text) {
    out += fmt::format("  {:<14} {}\n", name, text);
  };
  row("broker", fmt::format("{} ({}), {}", counted(options.system.brokers, "broker"), outcome.broker,
                            counted(options.system.agents, "agent")));
  if (options.fault != nullptr && !outcome.ends.empty()) {
    row("stopped", stopped_text(outcome.ends.front()));
    row("then", std::string(end_of(outcome)));
  }
  row("sent", std::to_string(all.sent));
  row("delivered", std::to_string(all.delivered));
  row("lost", std::to_string(all.lost));
  row("duplicated", std::to_string(all.duplicated));
  row("out of order", std::to_string(all.reordered));
  if (all.away > 0) {
    row("away", fmt::format("{}: sent while the subscriber, or its agent, had no connection", all.away));
  }
  if (outcome.pauses.moves > 0) {
    row("pause", fmt::format("{:.1f} ms median, {:.1f} ms p99, {:.1f} ms at most, of flows whose agent moved",
                             outcome.pauses.p50, outcome.pauses.p99, outcome.pauses.max));
  }
  row("longest way", fmt::format("{:.1f} ms from sent to delivered, of all messages", longest_ms(outcome)));
  row("at the end", fmt::format("old certificate {}, new one {}", outcome.old_refused ? "refused" : "accepted",
                                outcome.new_accepted ? "accepted" : "refused"));
  row("time", fmt::format("{:.1f} s", outcome.seconds));
  if (!report.empty()) {
    row("report", report);
  }
  return out;
}

std::string drill_json(const Outcome& outcome, const drill::DrillOptions& options, const std::string& report) {
  const drill::Counts& all = outcome.traffic.all;
  json::array steps;
  for (const drill::StepTaken& step : outcome.steps) {
    steps.push_back({{"name", step.name}, {"ok", step.ok}, {"seconds", step.seconds}, {"detail", step.detail}});
  }
  json::object out = {
      {"ok", outcome.wrong.empty()},
      {"broker", outcome.broker},
      {"brokers", options.system.brokers},
      {"agents", options.system.agents},
      {"rotations", outcome.rotations},
      {"sent", all.sent},
      {"delivered", all.delivered},
      {"lost", all.lost},
      {"duplicated", all.duplicated},
      {"reordered", all.reordered},
      {"away", all.away},
      {"pause_ms", {{"p50", outcome.pauses.p50}, {"p99", outcome.pauses.p99}, {"max", outcome.pauses.max}}},
      {"longest_ms", longest_ms(outcome)},
      {"old_refused", outcome.old_refused},
      {"new_accepted", outcome.new_accepted},
      {"seconds", outcome.seconds},
      {"steps", std::move(steps)},
      {"wrong", json::value_from(outcome.wrong)},
      {"report", report.empty() ? json::value() : json::value(report)}};
  if (options.fault != nullptr) {
    json::object inject = {{"fault", options.fault->name},
                           {"stops_at", to_string(options.fault->stops_at)},
                           {"stopped_at", nullptr},
                           {"reason", nullptr},
                           {"then", end_of(outcome)}};
    if (!outcome.ends.empty() && outcome.ends.front().why) {
      const drill::RotationEnd& end = outcome.ends.front();
      inject["stopped_at"] = end.stopped_at ? json::value(step_text(end.plan, *end.stopped_at)) : json::value();
      inject["reason"] = {{"id", error_id(end.why->code)}, {"message", end.why->message()}};
    }
    out["inject"] = std::move(inject);
  }
  return json::serialize(out) + "\n";
}

}  // namespace hawser::cli
