#include "admin/page.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "admin/page_look.hpp"
#include "base/log.hpp"

namespace hawser::admin {
namespace {

constexpr std::size_t kLongCell = 60;  // may take several lines

std::string_view name_of(Tone tone) {
  constexpr std::array<std::string_view, 4> kNames{"neutral", "good", "warning", "bad"};
  return kNames.at(static_cast<std::size_t>(tone));
}

void append_section(std::string& out, const Status::Section& section, std::size_t number) {
  out += fmt::format("<section data-part id=\"s{}\"><h2>{}</h2><dl>\n", number, html_escaped(section.title));
  for (const Status::Item& item : section.items) {
    const std::string bar =
        item.progress ? fmt::format("<progress value=\"{}\" max=\"{}\" aria-label=\"{}\"></progress>", item.progress->done,
                                    item.progress->of, html_escaped(item.name))
                      : std::string();
    out += fmt::format("<dt>{}</dt><dd class=\"{}\">{}{}</dd>\n", html_escaped(item.name), name_of(item.tone), bar,
                       html_escaped(item.value));
  }
  out += "</dl></section>\n";
}

// Focusable, since a keyboard has to be able to scroll it sideways.
void append_table(std::string& out, const Status::Table& table, std::size_t number) {
  out += fmt::format(
      "<section class=\"wide\" data-part id=\"t{0}\" tabindex=\"0\" aria-labelledby=\"h{0}\"><h2 id=\"h{0}\">{1}</h2>\n<table><thead><tr>",
      number, html_escaped(table.title));
  for (const std::string& column : table.columns) {
    out += "<th scope=\"col\">" + html_escaped(column) + "</th>";
  }
  out += "</tr></thead><tbody>\n";
  const std::size_t shown = std::min(table.rows.size(), kRowsShown);
  for (std::size_t i = 0; i < shown; ++i) {
    out += "<tr>";
    for (const std::string& value : table.rows[i]) {
      out += (value.size() > kLongCell ? "<td class=\"long\">" : "<td>") + html_escaped(value) + "</td>";
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
    out += fmt::format("<li><a href=\"{}\"><b>{}</b><span>{}</span></a></li>\n", html_escaped(link.href), html_escaped(link.name),
                       html_escaped(link.about));
  }
  out += "</ul></nav></section>\n";
}

// For those who hand over no links of their own.
constexpr std::string_view kOwnPaths =
    " &middot; <a href=\"/metrics\">metrics</a> &middot; <a href=\"/healthz\">health</a> &middot; "
    "<a href=\"/readyz\">readiness</a> &middot; <a href=\"/status\">as JSON</a>";

}  // namespace

std::string html_escaped(std::string_view text) {
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

bool Health::ok() const {
  return std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.ok; });
}

std::string render_parts(const Status& status) {
  std::string out = fmt::format("<div id=\"parts\" data-title=\"{0}: {1}\">\n<h1>{0}</h1>\n", html_escaped(status.title), html_escaped(status.headline));
  out += fmt::format("<div class=\"headline {}\" role=\"status\" data-part id=\"headline\">{}</div>\n<div class=\"sections\">\n",
                     name_of(status.tone), html_escaped(status.headline));
  for (std::size_t i = 0; i < status.sections.size(); ++i) {
    append_section(out, status.sections[i], i);
  }
  out += "</div>\n";
  for (std::size_t i = 0; i < status.tables.size(); ++i) {
    append_table(out, status.tables[i], i);
  }
  if (!status.links.empty()) {
    append_links(out, status.links);
  }
  return out + "</div>\n";
}

std::string render_page(const Status& status, WallTime now) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n<link rel=\"icon\" href=\"data:,\">\n"
      "<style>{}</style>\n<title>{}: {}</title>\n</head>\n<body><main>\n{}<footer><span id=\"state\">{}</span>{}</footer>\n"
      "</main><script>{}</script></body>\n</html>\n",
      kPageStyle, html_escaped(status.title), html_escaped(status.headline), render_parts(status), to_rfc3339(now),
      status.links.empty() ? kOwnPaths : std::string_view(), kPageScript);
}

std::string event_of(std::string_view text) {
  std::string event;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    event += "data: ";
    event += text.substr(0, end);
    event += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return event + "\n";
}

std::string status_json(const Status& status) {
  boost::json::array sections;
  for (const Status::Section& section : status.sections) {
    boost::json::array items;
    for (const Status::Item& item : section.items) {
      boost::json::object one{{"name", item.name}, {"value", item.value}, {"tone", name_of(item.tone)}};
      if (item.progress) {
        one["progress"] = {{"done", item.progress->done}, {"of", item.progress->of}};
      }
      items.push_back(std::move(one));
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
