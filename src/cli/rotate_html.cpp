// The report of a rotation as one HTML page that needs nothing else: no script, no outside asset.
#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "admin/page.hpp"
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

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5c6670;--line:#d8dde2;--page:#fff;--bar:#2f6fb4;--open:#b4532f}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa4ae;--line:#343b42;--page:#15181b;--bar:#6ba6e8;--open:#e8936b}}
body{font:16px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:72rem;margin:0 auto;padding:1.5rem 1rem}
h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.25rem 0;color:var(--soft)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line)}
td.n{white-space:nowrap;font-variant-numeric:tabular-nums}td.d{color:var(--soft);overflow-wrap:anywhere;min-width:14rem}
.lane{position:relative;height:.8rem;min-width:10rem}.lane i{position:absolute;height:100%;min-width:2px;border-radius:2px;background:var(--bar)}
.lane i.open{background:var(--open)}
</style>
)";

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

void append_bars(std::string& out, const std::vector<Bar>& bars) {
  std::int64_t first = bars.empty() ? 0 : bars.front().begun_ms;
  std::int64_t last = first + 1;
  for (const Bar& bar : bars) {
    last = std::max({last, bar.begun_ms, bar.ended_ms});
  }
  const auto percent = [&](std::int64_t ms) {
    return 100.0 * static_cast<double>(ms - first) / static_cast<double>(last - first);
  };
  out +=
      "<h2>Steps</h2><div class=\"wide\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">Begun</th><th "
      "scope=\"col\">Step</th>"
      "<th scope=\"col\">Seconds</th><th scope=\"col\">When</th><th scope=\"col\">What was "
      "seen</th></tr></thead><tbody>\n";
  for (const Bar& bar : bars) {
    const std::string seconds =
        bar.ended ? fmt::format("{:.3f}", static_cast<double>(bar.ended_ms - bar.begun_ms) / 1000.0) : "not ended";
    out += fmt::format(
        "<tr><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{}</td><td><div class=\"lane\"><i class=\"{}\" "
        "style=\"left:{:.2f}%;width:{:.2f}%\"></i></div></td><td class=\"d\">{}</td></tr>\n",
        time_of(bar.begun_ms), admin::html_escaped(bar.name), seconds, bar.ended ? "done" : "open", percent(bar.begun_ms),
        percent(bar.ended_ms) - percent(bar.begun_ms), admin::html_escaped(bar.detail));
  }
  out += "</tbody></table></div>\n";
}

void append_audit(std::string& out, const std::vector<AuditRow>& rows) {
  if (rows.empty()) {
    return;
  }
  out +=
      "<h2>What was waited for, or stopped it</h2><div class=\"wide\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">When</th>"
      "<th scope=\"col\">What</th><th scope=\"col\">Why</th></tr></thead><tbody>\n";
  for (const AuditRow& row : rows) {
    out += fmt::format("<tr><td class=\"n\">{}</td><td>{}</td><td class=\"d\">{}</td></tr>\n", time_of(row.at_ms),
                       admin::html_escaped(row.topic), admin::html_escaped(row.text));
  }
  out += "</tbody></table></div>\n";
}

}  // namespace

std::string render_html(const RotationRecord& record) {
  std::string out(kHead);
  const std::string title = admin::html_escaped("Rotation " + record.row.plan_name);
  out += fmt::format("<title>{0}</title></head><body><main>\n<h1>{0}: {1}</h1>\n", title, admin::html_escaped(state_of(record)));
  out += fmt::format("<p>begun {}, plan {} (SHA-256 {}…)</p>\n", time_of(record.row.begun_ms),
                     admin::html_escaped(record.row.plan_file), admin::html_escaped(record.row.plan_digest.substr(0, 16)));
  append_bars(out, bars_of(record.passed));
  append_audit(out, record.audit);
  return out + "</main></body></html>\n";
}

}  // namespace hawser::cli
