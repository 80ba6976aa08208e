// The report of a drill as one HTML page that needs nothing else: no script, no outside asset.
#include <fmt/format.h>

#include "admin/page.hpp"
#include "cli/drill.hpp"
#include "cli/flow_plot.hpp"
#include "cli/report_page.hpp"

namespace hawser::cli {

namespace {

using admin::html_escaped;
using drill::Outcome;

void append_figures(std::string& out, const Outcome& outcome) {
  const drill::Counts& all = outcome.traffic.all;
  const auto figure = [&out](std::string_view id, std::string_view name, const std::string& value, bool bad) {
    out += fmt::format("<div><dt>{}</dt><dd id=\"{}\" class=\"{}\">{}</dd></div>\n", name, id, bad ? "bad" : "good",
                       value);
  };
  const auto number = [&figure](std::string_view id, std::string_view name, std::uint64_t value, bool bad) {
    figure(id, name, std::to_string(value), bad && value > 0);
  };
  out += "<h2>Verdict</h2>\n<dl class=\"figures\">\n";
  number("sent", "sent", all.sent, false);
  number("delivered", "delivered", all.delivered, false);
  number("lost", "lost", all.lost, true);
  number("duplicated", "duplicated", all.duplicated, true);
  number("reordered", "out of order", all.reordered, true);
  if (all.away > 0) {
    number("away", "sent while the subscriber, or its agent, had no connection", all.away, false);
  }
  figure("pause-p50", "pause, median (ms)", fmt::format("{:.1f}", outcome.pauses.p50), false);
  figure("pause-p99", "pause, p99 (ms)", fmt::format("{:.1f}", outcome.pauses.p99), false);
  figure("pause-max", "pause, longest (ms)", fmt::format("{:.1f}", outcome.pauses.max), false);
  figure("longest", "longest way of a message (ms)", fmt::format("{:.1f}", longest_ms(outcome)), false);
  figure("old-refused", "old certificate refused", outcome.old_refused ? "yes" : "no", false);
  figure("new-accepted", "new certificate accepted", outcome.new_accepted ? "yes" : "no", false);
  out += "</dl>\n";
}

std::vector<PlotSpan> spans_of(const Outcome& outcome) {
  std::vector<PlotSpan> out;
  for (const drill::Span& span : outcome.spans) {
    out.push_back({span.name, span.begun_ms, span.ended_ms});
  }
  return out;
}

void append_flow(std::string& out, const Outcome& outcome) {
  rotation::Series sent{"sent", "messages/s", {}};
  rotation::Series delivered{"delivered", "messages/s", {}};
  rotation::Series longest{"longest way", "ms", {}};
  constexpr double kPerSecond = 10;  // a moment is a tenth of a second
  // The last one is not over.
  for (std::size_t i = 0; i + 1 < outcome.traffic.moments.size(); ++i) {
    const drill::Moment& moment = outcome.traffic.moments[i];
    sent.points.emplace_back(moment.at_ms, kPerSecond * static_cast<double>(moment.sent));
    delivered.points.emplace_back(moment.at_ms, kPerSecond * static_cast<double>(moment.delivered));
    longest.points.emplace_back(moment.at_ms, std::chrono::duration<double, std::milli>(moment.longest).count());
  }
  const std::vector<PlotSpan> spans = spans_of(outcome);
  out += "<h2>Messages through the waves</h2>\n";
  out += plot_svg("Messages a second", {sent, delivered}, spans);
  out += plot_svg("Longest time from sent to delivered", {longest}, spans);
}

void append_flows(std::string& out, const Outcome& outcome) {
  out +=
      "<h2>Flows</h2>\n<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">Subject</th><th "
      "scope=\"col\">Sent</th>"
      "<th scope=\"col\">Delivered</th><th scope=\"col\">Lost</th><th scope=\"col\">Duplicated</th><th "
      "scope=\"col\">Out of order</th></tr></thead>"
      "<tbody>\n";
  for (const drill::FlowReport& flow : outcome.traffic.flows) {
    const drill::Counts& n = flow.counts;
    out += fmt::format(
        "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
        html_escaped(flow.subject), n.sent, n.delivered, n.lost, n.duplicated, n.reordered);
  }
  out += "</tbody></table></div>\n";
}

void append_steps(std::string& out, const Outcome& outcome) {
  out +=
      "<h2>Steps, each with its proof</h2>\n<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th "
      "scope=\"col\">Step</th>"
      "<th scope=\"col\">Seconds</th><th scope=\"col\">What was seen</th></tr></thead><tbody>\n";
  for (const drill::StepTaken& step : outcome.steps) {
    out += fmt::format("<tr><td>{}{}</td><td class=\"n\">{:.3f}</td><td class=\"d\">{}</td></tr>\n",
                       step.ok ? "" : "stopped at ", html_escaped(step.name), step.seconds, html_escaped(step.detail));
  }
  out += "</tbody></table></div>\n";
}

}  // namespace

std::string drill_html(const Outcome& outcome, const drill::DrillOptions& options) {
  const std::string title = options.fault != nullptr ? fmt::format("Drill with {}", options.fault->name) : "Drill";
  std::string out = report_head(fmt::format("{}: {}", title, outcome.wrong.empty() ? "passed" : "failed"));
  out += fmt::format("<p>{}: {}, {}; {}, {:.1f} s</p>\n", html_escaped(outcome.broker),
                     counted(options.system.brokers, "broker"), counted(options.system.agents, "agent"),
                     counted(outcome.rotations, "rotation"), outcome.seconds);
  if (options.fault != nullptr) {
    out += fmt::format("<p>On purpose: {}.</p>\n", html_escaped(options.fault->about));
  }
  for (const std::string& what : outcome.wrong) {
    out += fmt::format("<p class=\"bad\">{}</p>\n", html_escaped(what));
  }
  append_figures(out, outcome);
  append_flow(out, outcome);
  append_steps(out, outcome);
  append_flows(out, outcome);
  return out.append(kReportFoot);
}

}  // namespace hawser::cli
