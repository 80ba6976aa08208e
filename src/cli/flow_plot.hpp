// Curves over time as inline SVG, for pages that need nothing else. Pure.
//
// Text keeps its size at any width and only the curves stretch, so that a plot is readable from 360 px on. Colours are
// CSS variables, light and dark; curves differ by their dashes, too. No script.
//
//   page += fmt::format("<style>{}</style>", kPlotStyle);   // once a page
//   page += plot_svg("Messages a second", series, {{"wave canary", begun_ms, ended_ms}});
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/flow_points.hpp"
#include "rotation/flow.hpp"

namespace hawser::cli {

// A wave, or a step: shaded behind the curves. Milliseconds since 1970.
struct PlotSpan {
  std::string name;
  std::int64_t begun_ms = 0;
  std::int64_t ended_ms = 0;
};

inline constexpr std::size_t kPlotPoints = 2000;  // of a curve; of more, the least and the most of each moment stay
inline constexpr std::size_t kPlotSeries = 8;     // of a unit; the rest is counted
inline constexpr std::size_t kPlotSpansNamed = 12;

extern const std::string_view kPlotStyle;

// Series of one unit share their axes; each further unit gets axes of its own below. Points without a finite value are
// left out; where the time between two points is far longer than around them, the curve has a gap. Empty when there is
// nothing to draw.
[[nodiscard]] std::string plot_svg(const std::string& title, const std::vector<rotation::Series>& series,
                                   const std::vector<PlotSpan>& spans);

}  // namespace hawser::cli
