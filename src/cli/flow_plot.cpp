#include "cli/flow_plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

#include "admin/page.hpp"
#include "base/clock.hpp"
#include "cli/flow_points.hpp"

namespace hawser::cli {

using rotation::Series;

const std::string_view kPlotStyle = R"(
:root{--plot-0:#1f5fa8;--plot-1:#a34a00;--plot-2:#2b7a3d;--plot-3:#7a3fa0;--plot-span:#66788a;--plot-ink:#1b1f24;--plot-soft:#5c6670;--plot-line:#d8dde2;--plot-page:#fff}
@media (prefers-color-scheme:dark){:root{--plot-0:#6ba6e8;--plot-1:#f0a060;--plot-2:#62c97c;--plot-3:#c79bea;--plot-span:#9fb2c4;--plot-ink:#e6e9ec;--plot-soft:#9aa4ae;--plot-line:#343b42;--plot-page:#15181b}}
svg.plot{display:block;width:100%;margin:.5rem 0 1.25rem;font:12px system-ui,sans-serif}
.plot text{fill:var(--plot-soft)}.plot .title{fill:var(--plot-ink);font-weight:600;font-size:13px}.plot .name{fill:var(--plot-ink)}
.plot .on{paint-order:stroke;stroke:var(--plot-page);stroke-width:3px;stroke-linejoin:round}
.plot .grid{stroke:var(--plot-line);stroke-width:1;vector-effect:non-scaling-stroke}
.plot .span{fill:var(--plot-span);opacity:.16}.plot .edge{stroke:var(--plot-span);stroke-width:1;opacity:.6;vector-effect:non-scaling-stroke}
.plot .curve{fill:none;stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round;vector-effect:non-scaling-stroke}
.plot .c0{stroke:var(--plot-0)}.plot .c1{stroke:var(--plot-1);stroke-dasharray:7 4}.plot .c2{stroke:var(--plot-2);stroke-dasharray:2 4}.plot .c3{stroke:var(--plot-3);stroke-dasharray:10 4 2 4}
.plot .c4{stroke:var(--plot-1);stroke-dasharray:1 5}.plot .c5{stroke:var(--plot-2);stroke-dasharray:14 5}.plot .c6{stroke:var(--plot-3);stroke-dasharray:4 2}.plot .c7{stroke:var(--plot-0);stroke-dasharray:12 3 2 3 2 3}
)";

namespace {

constexpr double kWide = 1000;      // of what stretches
constexpr int kTall = 150;          // pixels of one pair of axes
constexpr int kRow = 16;            // of a line of text
constexpr double kNarrowest = 330;  // pixels that a plot has on a telephone
constexpr double kLetter = 6.8;     // a letter's width, on the safe side
constexpr double kSmallest = 1e-9;  // range of values that is told from none
constexpr std::size_t kLabelRows = 3;
constexpr std::size_t kNameBytes = 60;

// Where a time or a value stands.
struct Scale {
  std::int64_t from = 0;
  std::int64_t to = 1;
  double least = 0;
  double most = 1;
  [[nodiscard]] double share(std::int64_t ms) const {
    return std::clamp(static_cast<double>(ms - from) / static_cast<double>(to - from), 0.0, 1.0);
  }
  [[nodiscard]] double x(std::int64_t ms) const { return kWide * share(ms); }
  [[nodiscard]] double y(double value) const { return kTall * (1 - (value - least) / (most - least)); }
};

std::string escaped(std::string_view name) { return admin::html_escaped(name.substr(0, kNameBytes)); }

std::string clock_of(std::int64_t ms, bool days) {
  const std::string text = to_rfc3339(WallTime(std::chrono::milliseconds(ms)));
  return days ? text.substr(5, 5) + " " + text.substr(11, 5) : text.substr(11, 8);
}

std::string path_of(const Points& points, const Scale& scale) {
  std::string out;
  for (const Points& part : parts_of(points)) {
    const std::size_t share = std::max<std::size_t>(2, kPlotPoints * part.size() / points.size());
    const char* to = "M";
    for (const auto& [ms, value] : thinned(part, share)) {
      out += fmt::format("{}{:.1f} {:.1f}", to, scale.x(ms), scale.y(value));
      to = "L";
    }
    // A point alone would not be drawn.
    out += part.size() == 1 ? "h.1" : "";
  }
  return out;
}

// "480–520 messages/s"
std::string range_text(const Series& series) {
  const Extent extent = extent_of(series.points);
  const std::string low = plot_number(extent.least);
  const std::string high = plot_number(extent.most);
  return low == high ? fmt::format("{} {}", low, series.unit) : fmt::format("{}\u2013{} {}", low, high, series.unit);
}

class Plot {
 public:
  Plot(std::string title, std::vector<Series> series, std::vector<PlotSpan> spans)
      : title_(std::move(title)), series_(std::move(series)), spans_(std::move(spans)) {
    scale_.from = series_.front().points.front().first;
    scale_.to = scale_.from + 1;
    for (const Series& one : series_) {
      scale_.from = std::min(scale_.from, one.points.front().first);
      scale_.to = std::max(scale_.to, one.points.back().first);
    }
    std::erase_if(spans_, [](const PlotSpan& span) { return span.ended_ms < span.begun_ms; });
    for (const PlotSpan& span : spans_) {
      scale_.from = std::min(scale_.from, span.begun_ms);
      scale_.to = std::max(scale_.to, span.ended_ms);
    }
    days_ = scale_.to - scale_.from > std::int64_t{24} * 3600 * 1000;
  }

  std::string svg() {
    for (std::size_t begin = 0; begin < series_.size();) {
      const auto end = std::find_if(series_.begin() + static_cast<std::ptrdiff_t>(begin), series_.end(),
                                    [&](const Series& one) { return one.unit != series_[begin].unit; });
      const auto count = static_cast<std::size_t>(end - series_.begin()) - begin;
      panel({series_.data() + begin, count}, begin == 0);
      begin += count;
    }
    list_spans();
    return fmt::format(
        "<svg class=\"plot\" role=\"img\" height=\"{}\" aria-label=\"{}\">\n"
        "<text class=\"title\" x=\"0\" y=\"13\">{}</text>\n{}</svg>\n",
        y_ + 4, admin::html_escaped(essence()), escaped(title_), out_);
  }

 private:
  void text(std::string_view css, const std::string& x, int y, std::string_view anchor, const std::string& words) {
    out_ +=
        fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n", css, x, y, anchor, words);
  }

  void panel(std::span<const Series> series, bool first) {
    Extent all;
    for (const Series& one : series) {
      const Extent its = extent_of(one.points);
      all = {std::min(all.least, its.least), std::max(all.most, its.most)};
    }
    const double step = all.most - all.least > kSmallest ? step_of(all.most - all.least) : 1;
    scale_.least = std::floor(all.least / step) * step;
    scale_.most = std::max(scale_.least + step, std::ceil(all.most / step) * step);
    if (first) {
      label_spans();
    }
    const int top = y_ + 14;
    out_ += fmt::format(
        "<svg x=\"0\" y=\"{}\" width=\"100%\" height=\"{}\" viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\" "
        "overflow=\"visible\">\n",
        top, kTall, kWide, kTall);
    for (const PlotSpan& span : spans_) {
      const double x = scale_.x(span.begun_ms);
      out_ += fmt::format(
          "<rect class=\"span\" x=\"{:.1f}\" y=\"0\" width=\"{:.1f}\" height=\"{}\"/><path class=\"edge\" d=\"M{:.1f} "
          "0V{}\"/>\n",
          x, std::max(1.0, scale_.x(span.ended_ms) - x), kTall, x, kTall);
    }
    const auto ticks = static_cast<int>(std::lround((scale_.most - scale_.least) / step));
    for (int i = 0; i <= ticks; ++i) {
      out_ += fmt::format("<path class=\"grid\" d=\"M0 {0:.1f}H{1}\"/>\n", scale_.y(scale_.least + i * step), kWide);
    }
    for (std::size_t i = 0; i < std::min(series.size(), kPlotSeries); ++i) {
      out_ += fmt::format("<path class=\"curve c{}\" d=\"{}\"/>\n", i, path_of(series[i].points, scale_));
    }
    out_ += "</svg>\n";
    for (int i = 0; i <= ticks; ++i) {
      const double value = scale_.least + i * step;
      text("on", "0", top + static_cast<int>(scale_.y(value)) - 3, "start",
           plot_number(value) + (i == ticks ? " " + escaped(series[0].unit) : ""));
    }
    y_ = top + kTall;
    time_axis();
    legend(series);
  }

  void time_axis() {
    y_ += 15;
    const std::int64_t step = time_step_of(scale_.to - scale_.from);
    for (std::int64_t at = (scale_.from + step - 1) / step * step; at <= scale_.to; at += step) {
      const double percent = 100 * scale_.share(at);
      text("", fmt::format("{:.2f}%", percent), y_,
           percent < 9    ? "start"
           : percent > 91 ? "end"
                          : "middle",
           clock_of(at, days_));
    }
  }

  void legend(std::span<const Series> series) {
    for (std::size_t i = 0; i < std::min(series.size(), kPlotSeries); ++i) {
      y_ += kRow;
      out_ += fmt::format("<path class=\"curve c{}\" d=\"M2 {}h30\"/>\n", i, y_ - 4);
      text("name", "40", y_, "start",
           fmt::format("{}: {}", escaped(series[i].name), admin::html_escaped(range_text(series[i]))));
    }
    if (series.size() > kPlotSeries) {
      y_ += kRow;
      text("", "40", y_, "start", fmt::format("and {} more", series.size() - kPlotSeries));
    }
  }

  // Names above the axes, where they have room at any width; otherwise their number in the list below.
  void label_spans() {
    y_ = 18;
    std::array<double, kLabelRows> taken{};
    int rows = 0;
    for (std::size_t i = 0; i < spans_.size(); ++i) {
      const double x = kNarrowest * scale_.share(spans_[i].begun_ms);
      const double room = kNarrowest * scale_.share(spans_[i].ended_ms) - x;
      const bool fits = kLetter * static_cast<double>(std::min(spans_[i].name.size(), kNameBytes)) <= room;
      const std::string words = fits ? escaped(spans_[i].name) : fmt::format("{}", i + 1);
      const double wide =
          fits ? kLetter * static_cast<double>(spans_[i].name.size()) : kLetter * static_cast<double>(words.size());
      const double left = std::min(x, kNarrowest - wide);
      const auto row = static_cast<std::size_t>(
          std::find_if(taken.begin(), taken.end(), [left](double end) { return end <= left; }) - taken.begin());
      if (!fits || row == kLabelRows) {
        listed_.push_back(i);
      }
      if (row == kLabelRows) {
        continue;
      }
      taken[row] = left + wide + kLetter;
      rows = std::max(rows, static_cast<int>(row) + 1);
      text("", fmt::format("{:.2f}%", 100 * left / kNarrowest), y_ + 14 * (static_cast<int>(row) + 1), "start", words);
    }
    y_ += 14 * rows;
  }

  [[nodiscard]] std::string span_text(std::size_t i) const {
    return fmt::format("{}, {} to {}", spans_[i].name.substr(0, kNameBytes), clock_of(spans_[i].begun_ms, days_),
                       clock_of(spans_[i].ended_ms, days_));
  }

  void list_spans() {
    const std::size_t shown = std::min(listed_.size(), kPlotSpansNamed);
    for (std::size_t i = 0; i < shown; ++i) {
      y_ += kRow;
      text("", "14", y_, "end", fmt::format("{}", listed_[i] + 1));
      text("name", "40", y_, "start", admin::html_escaped(span_text(listed_[i])));
    }
    if (listed_.size() > shown) {
      y_ += kRow;
      text("", "40", y_, "start", fmt::format("and {} more", listed_.size() - shown));
    }
  }

  [[nodiscard]] std::string essence() const {
    std::string out = fmt::format("{}, {} to {} UTC", title_, clock_of(scale_.from, days_), clock_of(scale_.to, days_));
    for (const Series& one : series_) {
      out += fmt::format("; {}: {}, at last {}", one.name.substr(0, kNameBytes), range_text(one),
                         plot_number(one.points.back().second));
    }
    for (std::size_t i = 0; i < std::min(spans_.size(), kPlotSpansNamed); ++i) {
      out += (i == 0 ? "; during " : "; ") + span_text(i);
    }
    return out;
  }

  std::string title_;
  std::vector<Series> series_;
  std::vector<PlotSpan> spans_;
  std::vector<std::size_t> listed_;  // spans whose names have no room above the axes
  Scale scale_;
  bool days_ = false;
  std::string out_;
  int y_ = 18;
};

}  // namespace

std::string plot_svg(const std::string& title, const std::vector<Series>& series, const std::vector<PlotSpan>& spans) {
  std::vector<Series> drawn;
  for (const Series& one : series) {
    Series its = finite(one);
    if (!its.points.empty()) {
      // Beside those of its unit, in the order of the first of each.
      const auto after =
          std::find_if(drawn.rbegin(), drawn.rend(), [&](const Series& other) { return other.unit == its.unit; });
      drawn.insert(after == drawn.rend() ? drawn.end() : after.base(), std::move(its));
    }
  }
  return drawn.empty() ? std::string() : Plot(title, std::move(drawn), spans).svg();
}

}  // namespace hawser::cli
