#include "admin/page.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/log.hpp"

namespace hawser::admin {
namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<link rel="icon" href="data:,">
<style>
:root { --ink: #1b2733; --soft: #5b6b7a; --line: #dde3e9; --paper: #f4f6f8; --card: #fff;
        --good: #1a7f4b; --warning: #9a6200; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4eaf0; --soft: #93a3b3; --line: #2b3743; --paper: #11181f; --card: #18212a;
          --good: #4fc286; --warning: #e0a63c; --bad: #f2766d; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem; background: var(--paper); color: var(--ink);
       font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 72rem; margin: 0 auto; }
h1 { font-size: 1.1rem; margin: 0; color: var(--soft); font-weight: 600; }
h2 { font-size: .95rem; margin: 0 0 .5rem; }
.headline { font-size: 1.5rem; font-weight: 600; margin: .1rem 0 1.25rem; overflow-wrap: anywhere; }
.headline::before { content: "\25CF"; margin-right: .5rem; }
.sections { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1rem;
            margin-bottom: 1rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .9rem 1rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .15rem 1rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
section.wide { overflow-x: auto; margin-bottom: 1rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--soft); font-weight: 500; }
th, td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
.good { color: var(--good); } .warning { color: var(--warning); } .bad { color: var(--bad); }
nav ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .1rem 1.5rem;
         grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); }
nav a { display: block; padding: .35rem 0; text-decoration: none; }
nav b { font-weight: 600; text-decoration: underline; text-underline-offset: .2em; }
nav span { display: block; color: var(--soft); font-size: .85rem; }
p.more, footer { color: var(--soft); font-size: .85rem; }
a { color: inherit; }
</style>
)";

std::string_view name_of(Tone tone) {
  constexpr std::array<std::string_view, 4> kNames{"neutral", "good", "warning", "bad"};
  return kNames.at(static_cast<std::size_t>(tone));
}

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

void append_section(std::string& out, const Status::Section& section) {
  out += fmt::format("<section><h2>{}</h2><dl>\n", escaped(section.title));
  for (const Status::Item& item : section.items) {
    out += fmt::format("<dt>{}</dt><dd class=\"{}\">{}</dd>\n", escaped(item.name), name_of(item.tone),
                       escaped(item.value));
  }
  out += "</dl></section>\n";
}

void append_table(std::string& out, const Status::Table& table) {
  out += fmt::format("<section class=\"wide\"><h2>{}</h2>\n<table><thead><tr>", escaped(table.title));
  for (const std::string& column : table.columns) {
    out += "<th>" + escaped(column) + "</th>";
  }
  out += "</tr></thead><tbody>\n";
  const std::size_t shown = std::min(table.rows.size(), kRowsShown);
  for (std::size_t i = 0; i < shown; ++i) {
    out += "<tr>";
    for (const std::string& value : table.rows[i]) {
      out += "<td>" + escaped(value) + "</td>";
    }
    out += "</tr>\n";
  }
  out += "</tbody></table>\n";
  const std::size_t total = std::max(table.total, table.rows.size());
  if (total > shown) {
    out += fmt::format("<p class=\"more\">{} of {} shown</p>\n", shown, total);
  } else if (total == 0) {
    out += "<p class=\"more\">none</p>\n";
  }
  out += "</section>\n";
}

void append_links(std::string& out, const std::vector<Status::Link>& links) {
  out += "<section class=\"wide\"><h2 id=\"more\">More</h2>\n<nav aria-labelledby=\"more\"><ul>\n";
  for (const Status::Link& link : links) {
    out += fmt::format("<li><a href=\"{}\"><b>{}</b><span>{}</span></a></li>\n", escaped(link.href), escaped(link.name),
                       escaped(link.about));
  }
  out += "</ul></nav></section>\n";
}

// For those who hand over no links of their own.
constexpr std::string_view kOwnPaths =
    " &middot; <a href=\"/metrics\">metrics</a> &middot; <a href=\"/healthz\">health</a> &middot; "
    "<a href=\"/readyz\">readiness</a> &middot; <a href=\"/status\">as JSON</a>";

}  // namespace

bool Health::ok() const {
  return std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.ok; });
}

std::string render_page(const Status& status, WallTime now) {
  std::string out(kHead);
  out += fmt::format("<title>{}: {}</title>\n</head>\n<body><main>\n<h1>{}</h1>\n<div class=\"headline {}\">{}</div>\n",
                     escaped(status.title), escaped(status.headline), escaped(status.title), name_of(status.tone),
                     escaped(status.headline));
  out += "<div class=\"sections\">\n";
  for (const Status::Section& section : status.sections) {
    append_section(out, section);
  }
  out += "</div>\n";
  for (const Status::Table& table : status.tables) {
    append_table(out, table);
  }
  if (!status.links.empty()) {
    append_links(out, status.links);
  }
  return out + fmt::format("<footer>{}{}</footer>\n</main></body>\n</html>\n", to_rfc3339(now),
                           status.links.empty() ? kOwnPaths : std::string_view());
}

std::string status_json(const Status& status) {
  boost::json::array sections;
  for (const Status::Section& section : status.sections) {
    boost::json::array items;
    for (const Status::Item& item : section.items) {
      items.push_back({{"name", item.name}, {"value", item.value}, {"tone", name_of(item.tone)}});
    }
    sections.push_back({{"title", section.title}, {"items", std::move(items)}});
  }
  boost::json::array tables;
  for (const Status::Table& table : status.tables) {
    tables.push_back({{"title", table.title},
                      {"columns", boost::json::value_from(table.columns)},
                      {"rows", boost::json::value_from(table.rows)},
                      {"total", std::max(table.total, table.rows.size())}});
  }
  return boost::json::serialize(boost::json::value{{"title", status.title},
                                                   {"headline", status.headline},
                                                   {"tone", name_of(status.tone)},
                                                   {"sections", std::move(sections)},
                                                   {"tables", std::move(tables)}});
}

std::string health_json(const Health& health) {
  boost::json::array checks;
  for (const Check& check : health.checks) {
    checks.push_back({{"name", check.name}, {"ok", check.ok}, {"reason", check.reason}});
  }
  return boost::json::serialize(boost::json::value{{"ok", health.ok()}, {"checks", std::move(checks)}});
}

std::string outcome_json(const Result<std::string>& outcome) {
  if (outcome) {
    return boost::json::serialize(boost::json::value{{"ok", true}, {"detail", *outcome}});
  }
  const ErrorInfo& row = info(outcome.error().code);
  return boost::json::serialize(boost::json::value{{"ok", false},
                                                   {"error",
                                                    {{"id", error_id(row.code)},
                                                     {"name", row.name},
                                                     {"message", log::redact(outcome.error().message())},
                                                     {"hint", row.hint}}}});
}

}  // namespace hawser::admin
