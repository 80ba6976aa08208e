// What a plot makes of the points of a curve before it draws them: bounds, gaps, fewer of them, steps of axes. Pure.
//
//   for (const Points& part : parts_of(series.points)) … thinned(part, 2000) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "rotation/flow.hpp"

namespace hawser::cli {

using Points = std::vector<std::pair<std::int64_t, double>>;  // milliseconds, values

struct Extent {
  double least = 0;
  double most = 0;
};
// Of at least one point.
[[nodiscard]] Extent extent_of(const Points& points);

// Its points with finite values (and not near the end of numbers), in the order of time.
[[nodiscard]] rotation::Series finite(const rotation::Series& series);
// The curve falls into parts where nothing was seen for far longer than around it.
[[nodiscard]] std::vector<Points> parts_of(const Points& points);
// At most so many: the least and the most of each moment stay, in their order.
[[nodiscard]] Points thinned(const Points& points, std::size_t most);

// 1, 2 or 5 times a power of ten, so that some four of them make `range`, which is over 0.
[[nodiscard]] double step_of(double range);
// Seconds, minutes, hours or days, in milliseconds: at most five of them make the range.
[[nodiscard]] std::int64_t time_step_of(std::int64_t range_ms);

// "0", "0.25", "480", "1.5k", "2.31M": at most three digits that count.
[[nodiscard]] std::string plot_number(double value);

}  // namespace hawser::cli
