#include "cli/flow_plot.hpp"

#include <gtest/gtest.h>
#include <limits>

namespace hawser::cli {
namespace {

using rotation::Series;

constexpr std::int64_t kNoon = 1'796'040'000'000;  // 2026-11-30T12:00:00Z

Series straight(std::string name, std::string unit, std::size_t points, double value = 100) {
  Series out{.name = std::move(name), .unit = std::move(unit), .points = {}};
  for (std::size_t i = 0; i < points; ++i) {
    out.points.emplace_back(kNoon + 1000 * static_cast<std::int64_t>(i), value);
  }
  return out;
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

// The path of the curve with this number.
std::string curve(const std::string& svg, int number) {
  const std::size_t at = svg.find("<path class=\"curve c" + std::to_string(number) + "\" d=\"");
  if (at == std::string::npos) return {};
  const std::size_t begin = svg.find("d=\"", at) + 3;
  return svg.substr(begin, svg.find('"', begin) - begin);
}

TEST(FlowPlot, says_its_essence_to_those_who_do_not_see_it) {
  Series in = straight("messages in", "messages/s", 61);
  in.points[30].second = 480;
  const std::string svg = plot_svg("Messages a second", {in}, {{"wave canary", kNoon + 10'000, kNoon + 20'000}});
  EXPECT_NE(svg.find("role=\"img\""), std::string::npos);
  EXPECT_NE(
      svg.find("aria-label=\"Messages a second, 12:00:00 to 12:01:00 UTC; messages in: 100\u2013480 messages/s, at "
               "last 100; during wave canary, 12:00:10 to 12:00:20\""),
      std::string::npos)
      << svg;
}

TEST(FlowPlot, tells_curves_apart_by_class_and_names_all_of_them) {
  const std::string svg = plot_svg("t", {straight("in", "m/s", 3), straight("out", "m/s", 3, 50)}, {});
  EXPECT_EQ(count_of(svg, "class=\"curve c0\""), 2U) << "the curve and its sample in the legend";
  EXPECT_EQ(count_of(svg, "class=\"curve c1\""), 2U);
  EXPECT_NE(svg.find(">in: 100 m/s</text>"), std::string::npos);
  EXPECT_NE(svg.find(">out: 50 m/s</text>"), std::string::npos);
  EXPECT_EQ(count_of(svg, "preserveAspectRatio"), 1U) << "one pair of axes";
  EXPECT_EQ(count_of(kPlotStyle, "stroke-dasharray"), kPlotSeries - 1) << "one is solid";
}

TEST(FlowPlot, gives_each_unit_axes_of_its_own) {
  const std::string svg =
      plot_svg("t", {straight("a", "m/s", 3), straight("b", "bytes", 3), straight("c", "m/s", 3)}, {});
  EXPECT_EQ(count_of(svg, "preserveAspectRatio"), 2U);
}

TEST(FlowPlot, escapes_whatever_it_is_told) {
  const std::string bad = "<script>\"&'";
  const std::string svg = plot_svg(bad, {straight(bad, bad, 3)}, {{bad, kNoon, kNoon + 1000}});
  EXPECT_EQ(svg.find("<script>"), std::string::npos);
  EXPECT_EQ(svg.find("\"&'"), std::string::npos);
  EXPECT_NE(svg.find("&lt;script&gt;&quot;&amp;&#39;"), std::string::npos);
}

TEST(FlowPlot, keeps_the_least_and_the_most_of_many_points) {
  Series many = straight("in", "m/s", 200'000, 100);
  many.points[123'456].second = 0;
  many.points[150'001].second = 1000;
  const std::string path = curve(plot_svg("t", {many}, {}), 0);
  EXPECT_LE(count_of(path, "L") + count_of(path, "M"), kPlotPoints);
  EXPECT_NE(path.find(" 150.0"), std::string::npos) << "the least is at the bottom";
  EXPECT_NE(path.find(" 0.0L"), std::string::npos) << "the most is at the top";
}

TEST(FlowPlot, leaves_a_gap_where_nothing_was_seen_and_none_where_samples_are_further_apart_from_then_on) {
  Series gap = straight("in", "m/s", 20);
  gap.points.erase(gap.points.begin() + 8, gap.points.begin() + 14);
  EXPECT_EQ(count_of(curve(plot_svg("t", {gap}, {}), 0), "M"), 2U);
  Series thinned{.name = "in", .unit = "m/s", .points = {}};
  for (std::int64_t i = 0; i < 40; ++i) {
    thinned.points.emplace_back(kNoon + (i < 20 ? i * 1000 : 20'000 + (i - 20) * 8000), 1.0);
  }
  EXPECT_EQ(count_of(curve(plot_svg("t", {thinned}, {}), 0), "M"), 1U);
}

TEST(FlowPlot, draws_a_point_alone_and_nothing_at_all_of_nothing) {
  EXPECT_NE(curve(plot_svg("t", {straight("in", "m/s", 1)}, {}), 0).find("h.1"), std::string::npos);
  EXPECT_EQ(plot_svg("t", {}, {}), "");
  EXPECT_EQ(plot_svg("t", {straight("in", "m/s", 0)}, {{"w", 1, 2}}), "");
}

TEST(FlowPlot, leaves_out_what_is_no_number) {
  Series odd = straight("in", "m/s", 3);
  odd.points[1].second = std::numeric_limits<double>::quiet_NaN();
  odd.points[2].second = std::numeric_limits<double>::infinity();
  const std::string svg = plot_svg("t", {odd}, {});
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
  odd.points[1].second = -std::numeric_limits<double>::max();
  odd.points[2].second = std::numeric_limits<double>::max();
  odd.points.emplace_back(kNoon + 5000, 100 + std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(plot_svg("t", {odd}, {}).find("nan"), std::string::npos);
  odd.points = {{kNoon, 0}, {kNoon + 1, std::numeric_limits<double>::denorm_min()}};
  EXPECT_EQ(plot_svg("t", {odd}, {}).find("nan"), std::string::npos);
  EXPECT_EQ(plot_svg("t", {{.name = "x", .unit = "u", .points = {{1, std::numeric_limits<double>::quiet_NaN()}}}}, {}),
            "");
}

TEST(FlowPlot, names_spans_where_they_have_room_and_in_a_list_of_bounded_length) {
  std::vector<PlotSpan> spans{{"a wave with a long name", kNoon, kNoon + 60'000}};
  for (int i = 0; i < 40; ++i) {
    spans.push_back({"short" + std::to_string(i), kNoon + i * 1000, kNoon + i * 1000 + 500});
  }
  const std::string svg = plot_svg("t", {straight("in", "m/s", 61)}, spans);
  EXPECT_EQ(count_of(svg, ">a wave with a long name</text>"), 1U);
  EXPECT_EQ(count_of(svg, ">short1</text>"), 0U) << "no room";
  EXPECT_EQ(count_of(svg, ", 12:00:"), 1 + 2 * kPlotSpansNamed) << "the list, and what is read aloud";
  EXPECT_NE(svg.find("and 28 more"), std::string::npos) << "the one with room is not in the list";
  EXPECT_EQ(count_of(svg, "<rect class=\"span\""), 41U);
}

TEST(FlowPlot, counts_curves_that_are_too_many) {
  std::vector<Series> many;
  for (int i = 0; i < 11; ++i) many.push_back(straight("s" + std::to_string(i), "m/s", 3));
  const std::string svg = plot_svg("t", many, {});
  EXPECT_NE(svg.find("and 3 more"), std::string::npos);
}

TEST(FlowPlot, has_a_date_on_its_axis_when_it_is_longer_than_a_day) {
  Series days{.name = "in", .unit = "m/s", .points = {{kNoon, 1}, {kNoon + 3 * 86'400'000LL, 2}}};
  EXPECT_NE(plot_svg("t", {days}, {}).find("12-01 00:00"), std::string::npos);
}

TEST(FlowPlot, writes_numbers_with_three_digits_that_count) {
  struct Row {
    double value;
    std::string_view text;
  };
  for (const Row& row :
       {Row{0, "0"}, Row{0.25, "0.25"}, Row{5, "5"}, Row{12.34, "12.3"}, Row{480, "480"}, Row{999.7, "1k"},
        Row{1500, "1.5k"}, Row{2'314'000, "2.31M"}, Row{-3, "-3"}, Row{-0.001, "0"}, Row{3e12, "3T"}}) {
    EXPECT_EQ(plot_number(row.value), row.text);
  }
}

}  // namespace
}  // namespace hawser::cli
