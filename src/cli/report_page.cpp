#include "cli/report_page.hpp"

#include <fmt/format.h>

#include "admin/page.hpp"
#include "cli/flow_plot.hpp"

namespace hawser::cli {

namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5c6670;--line:#d8dde2;--page:#fff;--bar:#2f6fb4;--open:#b4532f;--good:#1d7a46;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa4ae;--line:#343b42;--page:#15181b;--bar:#6ba6e8;--open:#e8936b;--good:#5cc98c;--bad:#ff8a80}}
body{font:16px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:72rem;margin:0 auto;padding:1.5rem 1rem}
h1{font-size:1.5rem;margin:0 0 .25rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.25rem 0;color:var(--soft);overflow-wrap:anywhere}
p.bad{color:var(--bad)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line)}
td.n{white-space:nowrap;font-variant-numeric:tabular-nums}td.d{color:var(--soft);overflow-wrap:anywhere;min-width:14rem}
.lane{position:relative;height:.8rem;min-width:10rem}.lane i{position:absolute;height:100%;min-width:2px;border-radius:2px;background:var(--bar)}
.lane i.open{background:var(--open)}
dl.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));gap:1rem;margin:.5rem 0}
dl.figures div{border-top:2px solid var(--line);padding-top:.4rem}dl.figures dt{color:var(--soft);font-size:.85rem}
dl.figures dd{margin:0;font-size:1.3rem;font-variant-numeric:tabular-nums}dd.bad{color:var(--bad);font-weight:600}
)";

}  // namespace

std::string report_head(std::string_view title) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, "
      "initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; "
      "img-src data:\">\n<link rel=\"icon\" "
      "href=\"data:,\">\n<style>{}{}</style>\n<title>{}</title></head><body><main>\n<h1>{}</h1>\n",
      kStyle, kPlotStyle, admin::html_escaped(title), admin::html_escaped(title));
}

}  // namespace hawser::cli
