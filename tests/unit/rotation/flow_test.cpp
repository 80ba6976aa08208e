#include "rotation/flow.hpp"

#include <gtest/gtest.h>

#include "rotation/counters.hpp"
#include "rotation/plans.hpp"
#include "rotation/varz.hpp"

namespace hawser::rotation {
namespace {

using namespace std::chrono_literals;
using enum FlowCurve;

constexpr Time kStart{std::chrono::hours(1)};

FlowReading broker(Duration at, double in, double out = 0, double count = 1) {
  return {kStart + at,
          {{in_msgs, in}, {out_msgs, out}, {in_bytes, 10 * in}, {FlowCurve::connections, count}, {slow_consumers, 0}}};
}

TEST(RotationFlow, makes_rates_of_counters_and_adds_them_up_over_brokers) {
  FlowAccount account(2, 0);
  const FlowSample first = account.take(1000, {broker(0s, 100), broker(0s, 5000)});
  EXPECT_FALSE(first.values.contains(in_msgs)) << "a rate needs two readings";
  EXPECT_EQ(first.values.at(connections), 2);
  const FlowSample second = account.take(3000, {broker(2s, 200, 40), broker(2s, 5010, 20)});
  EXPECT_EQ(second.values.at(in_msgs), 55);
  EXPECT_EQ(second.values.at(out_msgs), 30);
  EXPECT_EQ(second.values.at(in_bytes), 550);
  EXPECT_EQ(second.at_ms, 3000);
}

TEST(RotationFlow, is_not_negative_when_a_broker_begins_anew) {
  FlowAccount account(1, 0);
  static_cast<void>(account.take(0, {broker(0s, 1'000'000)}));
  EXPECT_EQ(account.take(1, {broker(1s, 30)}).values.at(in_msgs), 30);
}

TEST(RotationFlow, has_a_gap_while_a_source_is_silent_and_says_how_many_are) {
  FlowAccount account(2, 1);
  const FlowReading agent{kStart, {{queued, 3}, {sessions, 1}, {splices, 4}, {disconnects, 0}}};
  static_cast<void>(account.take(0, {broker(0s, 10), broker(0s, 10), agent}));
  const FlowSample gap = account.take(1, {broker(1s, 20), std::nullopt, agent});
  EXPECT_FALSE(gap.values.contains(in_msgs));
  EXPECT_FALSE(gap.values.contains(connections));
  EXPECT_EQ(gap.values.at(queued), 3) << "agents answer";
  EXPECT_EQ(gap.values.at(silent), 1);
  // Back again, the broker's rate is that since it was last seen.
  const FlowSample back = account.take(2, {broker(2s, 30), broker(2s, 50), agent});
  EXPECT_EQ(back.values.at(in_msgs), 10 + 20);
  EXPECT_EQ(back.values.at(silent), 0);
}

TEST(RotationFlow, takes_each_source_by_its_own_moment) {
  FlowAccount account(2, 0);
  static_cast<void>(account.take(0, {broker(0s, 0), broker(10ms, 0)}));
  // The second one has kept the look waiting for a second; the first one had been read before that.
  EXPECT_EQ(account.take(1000, {broker(1s, 100), broker(2010ms, 200)}).values.at(in_msgs), 100 + 100);
}

TEST(RotationFlow, counts_events_since_its_first_sample) {
  FlowAccount account(0, 1);
  EXPECT_EQ(account.take(0, {FlowReading{kStart + 0s, {{splices, 40}}}}).values.at(splices), 0);
  EXPECT_EQ(account.take(1, {FlowReading{kStart + 1s, {{splices, 42}}}}).values.at(splices), 2);
  EXPECT_FALSE(account.take(2, {std::nullopt}).values.contains(splices));
  EXPECT_EQ(account.take(3, {FlowReading{kStart + 3s, {{splices, 1}}}}).values.at(splices), 3) << "it began anew";
}

TEST(RotationFlow, has_no_curve_of_what_no_source_has) {
  FlowAccount account(1, 1);
  const FlowSample sample = account.take(0, {broker(0s, 1), FlowReading{}});
  EXPECT_FALSE(sample.values.contains(queued));
}

TEST(RotationFlow, thins_out_and_never_keeps_more_than_it_may) {
  FlowThinning thinning(0);
  const FlowSample sample{.at_ms = 0, .values = {{in_msgs, 1}, {out_msgs, 1}}};
  std::size_t kept = 0;
  std::size_t in_first_half = 0;
  for (std::size_t i = 0; i < 10'000'000; ++i) {
    kept += thinning.keeps(sample) ? 2U : 0U;
    in_first_half = i + 1 == FlowThinning::kMostRows / 4 ? kept : in_first_half;
  }
  EXPECT_EQ(in_first_half, FlowThinning::kMostRows / 2) << "every one at first";
  EXPECT_LE(kept, FlowThinning::kMostRows);
  EXPECT_GE(kept, FlowThinning::kMostRows * 9 / 10);
  FlowThinning full(FlowThinning::kMostRows);
  EXPECT_FALSE(full.keeps(sample));
}

TEST(RotationFlow, keys_in_journals_are_frozen) {
  std::string keys;
  for (const FlowInfo& info : kFlowCurves) {
    keys += std::string(info.key) + " ";
    EXPECT_EQ(&info_of(info.curve), &info);
    EXPECT_EQ(flow_curve(info.key), info.curve);
  }
  EXPECT_EQ(keys, "in_msgs out_msgs in_bytes connections slow_consumers sessions queued splices disconnects silent ");
  EXPECT_FALSE(flow_curve("later").has_value());
}

TEST(RotationFlow, samples_become_curves_with_their_gaps) {
  const std::vector<FlowSample> samples{{1, {{in_msgs, 5}}}, {2, {{queued, 1}}}, {3, {{in_msgs, 6}}}};
  const std::vector<Series> series = series_of(samples);
  ASSERT_EQ(series.size(), 2U);
  EXPECT_EQ(series[0].name, "messages in");
  EXPECT_EQ(series[0].points, (std::vector<std::pair<std::int64_t, double>>{{1, 5}, {3, 6}}));
  EXPECT_EQ(series[1].unit, "messages");
}

TEST(RotationVarz, takes_what_nats_server_says_and_refuses_what_is_not_that) {
  const auto varz = parse_varz(
      R"({"server_id":"N","in_msgs":7,"out_msgs":8,"in_bytes":9,"out_bytes":1,"connections":2,"slow_consumers":0,"jetstream":{}})");
  ASSERT_TRUE(varz.has_value()) << varz.error().doing;
  EXPECT_EQ(varz->in_msgs, 7U);
  EXPECT_EQ(varz->connections, 2U);
  for (const std::string_view text :
       {"", "[]", "{", "{}", R"({"in_msgs":-1,"out_msgs":8,"in_bytes":9,"connections":2,"slow_consumers":0})",
        R"({"in_msgs":"x","out_msgs":8,"in_bytes":9,"connections":2,"slow_consumers":0})"}) {
    ASSERT_FALSE(parse_varz(text).has_value()) << text;
    EXPECT_EQ(parse_varz(text).error().code, Errc::rotation_monitor_silent);
  }
}

TEST(RotationGuards, gauges_are_judged_as_they_are_and_before_the_first_wave_too) {
  Plan plan = plan_of(1, {1});
  plan.guards.gauges = {{"queued", 10}};
  EXPECT_TRUE(judge_start(plan, {{"queued", 10}}).has_value());
  EXPECT_EQ(judge_start(plan, {{"queued", 11}}).error().doing, "queued is 11 of 10 before the first wave");
  EXPECT_EQ(judge_counters(plan, {{"queued", 3}}, {{"queued", 10}}).value(), "queued is 10 of 10");
  const auto breached = judge_counters(plan, {{"queued", 11}}, {{"queued", 11}});
  EXPECT_EQ(breached.error().code, Errc::rotation_guard_breached);
  EXPECT_EQ(breached.error().doing, "queued is 11 of 10") << "that it was so before does not help";
}

TEST(RotationGuards, the_flow_has_to_be_a_share_of_what_it_was) {
  Plan plan = plan_of(1, {1});
  plan.guards.flow = 0.5;
  EXPECT_TRUE(judge_counters(plan, {{"in_msgs/s", 100}}, {{"in_msgs/s", 50}}).has_value());
  EXPECT_TRUE(judge_counters(plan, {{"in_msgs/s", 0}}, {{"in_msgs/s", 0}}).has_value()) << "nothing flowed";
  const auto breached = judge_counters(plan, {{"in_msgs/s", 100}}, {{"in_msgs/s", 49.9}});
  ASSERT_FALSE(breached.has_value());
  EXPECT_EQ(breached.error().code, Errc::rotation_guard_breached);
  EXPECT_NE(breached.error().doing.find("49.9 messages a second"), std::string::npos) << breached.error().doing;
  EXPECT_EQ(judge_counters(plan, {}, {{"in_msgs/s", 49.9}}).error().code, Errc::rotation_journal_unusable);
}

TEST(RotationGuards, what_was_kept_by_an_older_one_is_still_read) {
  const auto before = parse_counters("hawser_disconnects_total 3\nslow_consumers 0\n");
  ASSERT_TRUE(before.has_value());
  Plan plan = plan_of(1, {1});
  plan.guards.counters = {{"hawser_disconnects_total", 0}};
  EXPECT_TRUE(judge_counters(plan, *before, {{"hawser_disconnects_total", 3}}).has_value());
  const Counters all{{"in_msgs/s", 480.125}, {"queued", 2}};
  EXPECT_EQ(*parse_counters(to_text(all)), all);
}

TEST(RotationGuards, an_endpoint_that_several_targets_name_counts_once) {
  Plan plan = plan_of(1, {2, 2});
  const Endpoint one{"127.0.0.1", 9222};
  plan.waves[0].targets[0].metrics = one;
  plan.waves[1].targets[1].metrics = one;
  plan.waves[1].targets[0].metrics = Endpoint{"127.0.0.1", 9223};
  const auto sources = metrics_sources(plan);
  ASSERT_EQ(sources.size(), 2U);
  EXPECT_EQ(sources[0].target, "a1");
  EXPECT_EQ(sources[1].at.port, 9223);
}

TEST(RotationGuards, a_metric_is_there_by_its_whole_name) {
  constexpr std::string_view kText = "# HELP x_total about x_more 3\nx_total{a=\"1\"} 2\ny 1\n";
  EXPECT_TRUE(has_metric(kText, "x_total"));
  EXPECT_TRUE(has_metric(kText, "y"));
  for (const std::string_view name : {"x", "x_more", "total", "z", "HELP"}) {
    EXPECT_FALSE(has_metric(kText, name)) << name;
  }
}

TEST(RotationGuards, the_flow_is_looked_at_for_as_long_as_waves_settle_within_bounds) {
  Plan plan = plan_of(1, {1, 1});
  plan.waves[0].settle = 100ms;
  plan.waves[1].settle = 0s;
  EXPECT_EQ(flow_window(plan), 1s);
  plan.waves[1].settle = 5s;
  EXPECT_EQ(flow_window(plan), 5s);
  plan.waves[0].settle = 1h;
  EXPECT_EQ(flow_window(plan), 10s);
}

}  // namespace
}  // namespace hawser::rotation
