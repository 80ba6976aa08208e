#include "cli/flow_points.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <iterator>

namespace hawser::cli {

using rotation::Series;

namespace {

constexpr double kMostValue = 1e300;  // beyond it differences are infinite

}  // namespace

Extent extent_of(const Points& points) {
  const auto [low, high] = std::minmax_element(points.begin(), points.end(),
                                               [](const auto& a, const auto& b) { return a.second < b.second; });
  return {low->second, high->second};
}

Series finite(const Series& series) {
  Series out{.name = series.name, .unit = series.unit, .points = {}};
  std::copy_if(series.points.begin(), series.points.end(), std::back_inserter(out.points),
               [](const auto& point) { return std::abs(point.second) < kMostValue; });
  std::sort(out.points.begin(), out.points.end());
  return out;
}

double step_of(double range) {
  const double power = std::pow(10.0, std::floor(std::log10(range / 4)));
  const double ratio = range / 4 / power;
  return power * (ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10);
}

std::int64_t time_step_of(std::int64_t range_ms) {
  constexpr std::array<std::int64_t, 20> kSeconds{1,   2,    5,    10,   15,    30,    60,    120,   300,    600,
                                                  900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 604800, 2592000};
  for (const std::int64_t seconds : kSeconds) {
    if (range_ms / (seconds * 1000) <= 4) {
      return seconds * 1000;
    }
  }
  return range_ms;
}

std::vector<Points> parts_of(const Points& points) {
  std::vector<Points> parts(1);
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i > 0) {
      const std::int64_t gap = points[i].first - points[i - 1].first;
      const std::int64_t before = i > 1 ? points[i - 1].first - points[i - 2].first : 0;
      const std::int64_t after = i + 1 < points.size() ? points[i + 1].first - points[i].first : 0;
      if (gap > 3 * std::max<std::int64_t>({before, after, 1}) && (before > 0 || after > 0)) {
        parts.emplace_back();
      }
    }
    parts.back().push_back(points[i]);
  }
  return parts;
}

Points thinned(const Points& points, std::size_t most) {
  if (points.size() <= most) {
    return points;
  }
  Points out;
  const std::size_t buckets = std::max<std::size_t>(1, most / 2);
  for (std::size_t b = 0; b < buckets; ++b) {
    const auto from = points.begin() + static_cast<std::ptrdiff_t>(points.size() * b / buckets);
    const auto to = points.begin() + static_cast<std::ptrdiff_t>(points.size() * (b + 1) / buckets);
    auto [low, high] = std::minmax_element(from, to, [](const auto& p, const auto& q) { return p.second < q.second; });
    if (high < low) {
      std::swap(low, high);
    }
    out.push_back(*low);
    if (high != low) {
      out.push_back(*high);
    }
  }
  return out;
}

std::string plot_number(double value) {
  constexpr std::array<std::pair<double, const char*>, 4> kBig{{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}}};
  const auto digits = [](double number) {
    const double size = std::abs(number);
    std::string text = fmt::format("{:.{}f}", number, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
    if (text.find('.') != std::string::npos) {
      text.erase(text.find_last_not_of('0') + 1);
      text.erase(text.find_last_not_of('.') + 1);
    }
    return text == "-0" ? std::string("0") : text;
  };
  for (const auto& [size, letter] : kBig) {
    if (std::abs(value) >= size * 0.9995) {
      return digits(value / size) + letter;
    }
  }
  return digits(value);
}

}  // namespace hawser::cli
