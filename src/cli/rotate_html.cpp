// The report of a rotation as one HTML page that needs nothing else: no script, no outside asset.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <initializer_list>
#include <map>

#include "admin/page.hpp"
#include "cli/flow_plot.hpp"
#include "cli/report_page.hpp"
#include "cli/rotate.hpp"

namespace hawser::cli {
namespace {

using namespace rotation;

// A step from its beginning to its end, or to nothing: it did not end.
struct Bar {
  std::string name;
  std::string detail;
  std::int64_t begun_ms = 0;
  std::int64_t ended_ms = 0;
  bool ended = false;
};

std::string time_of(std::int64_t ms) {
  return to_rfc3339(WallTime(std::chrono::milliseconds(ms)), Precision::milliseconds);
}

std::vector<Bar> bars_of(const std::vector<PassedRow>& rows) {
  std::vector<Bar> bars;
  std::map<Step, std::size_t> open;
  for (const PassedRow& row : rows) {
    const auto found = open.find(row.passed.step);
    if (row.passed.mark == Mark::begun || found == open.end()) {
      open[row.passed.step] = bars.size();
      bars.push_back({row.step, row.detail, row.at_ms, row.at_ms, row.passed.mark == Mark::done});
      continue;
    }
    Bar& bar = bars[found->second];
    bar.ended = true;
    bar.ended_ms = row.at_ms;
    bar.detail = row.detail.empty() ? bar.detail : row.detail;
    open.erase(found);
  }
  return bars;
}

// Focusable, since a keyboard has to be able to scroll it sideways.
void begin_table(std::string& out, std::string_view id, std::string_view title,
                 std::initializer_list<std::string_view> columns) {
  out += fmt::format(
      "<h2 id=\"{0}\">{1}</h2><div class=\"wide\" tabindex=\"0\" role=\"region\" "
      "aria-labelledby=\"{0}\"><table><thead><tr>",
      id, title);
  for (const std::string_view column : columns) {
    out += fmt::format("<th scope=\"col\">{}</th>", column);
  }
  out += "</tr></thead><tbody>\n";
}

void append_figures(std::string& out, const RotationRecord& record, const std::vector<Bar>& bars) {
  const auto done = std::count_if(bars.begin(), bars.end(), [](const Bar& bar) { return bar.ended; });
  const std::int64_t first = record.row.begun_ms;
  const std::int64_t last = record.passed.empty() ? first : std::max(first, record.passed.back().at_ms);
  const auto row = [&out](std::string_view name, const std::string& value) {
    out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, admin::html_escaped(value));
  };
  out += "<dl class=\"figures\">\n";
  row("Seconds", fmt::format("{:.3f}", static_cast<double>(last - first) / 1000.0));
  row("Steps done", std::to_string(done));
  row("Steps not ended", std::to_string(static_cast<std::ptrdiff_t>(bars.size()) - done));
  row("Waited for, or failed", std::to_string(record.audit.size()));
  out += fmt::format("</dl>\n<p>begun <time>{}</time>, last step <time>{}</time></p>\n", time_of(first), time_of(last));
  out += fmt::format("<p>plan {} (SHA-256 {}\u2026)</p>\n", admin::html_escaped(record.row.plan_file),
                     admin::html_escaped(record.row.plan_digest.substr(0, 16)));
}

void append_flow(std::string& out, const RotationRecord& record, const std::vector<PlotSpan>& spans) {
  if (record.flow.empty()) {
    return;
  }
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kPlots{{
      {"messages/s", "Messages a second, through all brokers"},
      {"bytes/s", "Bytes a second that brokers take in"},
      {"connections", "Connections"},
      {"messages", "Messages that wait in agents' queues"},
      {"events", "Since it was begun or resumed"},
      {"sources", "Brokers and agents that did not answer when they were asked"},
  }};
  out += "<h2>Flow</h2>\n";
  for (const auto& [unit, title] : kPlots) {
    std::vector<Series> its;
    std::copy_if(record.flow.begin(), record.flow.end(), std::back_inserter(its),
                 [wanted = unit](const Series& series) { return series.unit == wanted; });
    // That all of them answer is no picture.
    const bool silent =
        unit != info_of(FlowCurve::silent).unit || std::any_of(its.begin(), its.end(), [](const Series& one) {
          return std::any_of(one.points.begin(), one.points.end(), [](const auto& point) { return point.second > 0; });
        });
    out += silent ? plot_svg(std::string(title), its, spans) : std::string();
  }
  begin_table(out, "flow", "Flow in figures", {"What", "Unit", "Samples", "Least", "Most", "At last"});
  for (const Series& series : record.flow) {
    const auto [low, high] = std::minmax_element(series.points.begin(), series.points.end(),
                                                 [](const auto& a, const auto& b) { return a.second < b.second; });
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td></tr>\n",
        admin::html_escaped(series.name), admin::html_escaped(series.unit), series.points.size(), low->second,
        high->second, series.points.back().second);
  }
  out += "</tbody></table></div>\n";
}

void append_bars(std::string& out, const std::vector<Bar>& bars) {
  std::int64_t first = bars.empty() ? 0 : bars.front().begun_ms;
  std::int64_t last = first + 1;
  for (const Bar& bar : bars) {
    last = std::max({last, bar.begun_ms, bar.ended_ms});
  }
  const auto percent = [&](std::int64_t ms) {
    return 100.0 * static_cast<double>(ms - first) / static_cast<double>(last - first);
  };
  begin_table(out, "steps", "Steps", {"Begun", "Step", "Seconds", "When", "What was seen"});
  for (const Bar& bar : bars) {
    const std::string seconds =
        bar.ended ? fmt::format("{:.3f}", static_cast<double>(bar.ended_ms - bar.begun_ms) / 1000.0) : "not ended";
    out += fmt::format(
        "<tr><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{}</td><td aria-hidden=\"true\"><div class=\"lane\"><i "
        "class=\"{}\" "
        "style=\"left:{:.2f}%;width:{:.2f}%\"></i></div></td><td class=\"d\">{}</td></tr>\n",
        time_of(bar.begun_ms), admin::html_escaped(bar.name), seconds, bar.ended ? "done" : "open",
        percent(bar.begun_ms), percent(bar.ended_ms) - percent(bar.begun_ms), admin::html_escaped(bar.detail));
  }
  out += "</tbody></table></div>\n";
}

void append_audit(std::string& out, const std::vector<AuditRow>& rows) {
  if (rows.empty()) {
    return;
  }
  begin_table(out, "audit", "What was waited for, or stopped it", {"When", "What", "Why"});
  for (const AuditRow& row : rows) {
    out += fmt::format("<tr><td class=\"n\">{}</td><td>{}</td><td class=\"d\">{}</td></tr>\n", time_of(row.at_ms),
                       admin::html_escaped(row.topic), admin::html_escaped(row.text));
  }
  out += "</tbody></table></div>\n";
}

}  // namespace

std::vector<PlotSpan> spans_of(const Plan& plan, const RotationRecord& record) {
  std::vector<PlotSpan> spans{{"broaden trust", 0, 0}};
  const bool same = record.row.plan_digest == plan.digest;
  for (std::size_t wave = 0; same && wave < plan.waves.size(); ++wave) {
    spans.push_back({plan.waves[wave].name, 0, 0});
  }
  if (!same) {
    spans.push_back({"waves", 0, 0});
  }
  spans.push_back({"narrow trust", 0, 0});
  for (const PassedRow& row : record.passed) {
    std::size_t at = 0;
    switch (row.passed.step.kind) {
      case StepKind::write_broad:
      case StepKind::reload_broad:
      case StepKind::prove_broad: break;
      case StepKind::deliver:
      case StepKind::apply:
      case StepKind::prove: at = same ? 1 + place_of(plan, row.passed.step.number).wave : 1; break;
      case StepKind::guard: at = same ? 1 + row.passed.step.number : 1; break;
      case StepKind::converge:
      case StepKind::write_narrow:
      case StepKind::reload_narrow:
      case StepKind::prove_narrow: at = spans.size() - 1; break;
      default: continue;
    }
    if (at < spans.size()) {
      spans[at].begun_ms = spans[at].begun_ms == 0 ? row.at_ms : spans[at].begun_ms;
      spans[at].ended_ms = row.at_ms;
    }
  }
  std::erase_if(spans, [](const PlotSpan& span) { return span.begun_ms == 0; });
  return spans;
}

std::string render_html(const Plan& plan, const RotationRecord& record) {
  const std::vector<Bar> bars = bars_of(record.passed);
  std::string out = report_head(fmt::format("Rotation {}: {}", record.row.plan_name, state_of(record)));
  append_figures(out, record, bars);
  append_flow(out, record, spans_of(plan, record));
  append_bars(out, bars);
  append_audit(out, record.audit);
  return out.append(kReportFoot);
}

}  // namespace hawser::cli
