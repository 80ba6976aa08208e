#include <gtest/gtest.h>

#include "config/rotation_file.hpp"

namespace hawser::config {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kPlan = R"(name: r
journal: j
old_ca: o
new_ca: n
prober: {old: {cert_file: a, key_file: b}, new: {cert_file: c, key_file: d}, ca_file: s}
brokers: [{name: n1, url: "tls://n1", monitor: "http://n1:8222", bundle: ca.crt, reload: {pid: 7}}]
waves:
  - name: w
    targets: [{name: a1, deliver: {files: [{from: x, to: y}]}, apply: {admin: "http://127.0.0.1:9222"}, prove: {certificate: x}}]
)";

RotationPlanResult with(std::string_view more) {
  return parse_rotation_plan(std::string(kPlan) + std::string(more), "r.yaml");
}

TEST(RotationGuardsFile, takes_gauges_the_flow_and_how_often_it_is_sampled) {
  const RotationPlanResult plan =
      with("guards: {at_most: {hawser_queue_messages: 1000}, flow: 0.5}\ntimes: {sample: 250ms}\n");
  ASSERT_TRUE(plan.has_value()) << as_error(plan.error()).doing;
  ASSERT_EQ(plan->guards.gauges.size(), 1U);
  EXPECT_EQ(plan->guards.gauges[0].metric, "hawser_queue_messages");
  EXPECT_EQ(plan->guards.gauges[0].at_most, 1000U);
  EXPECT_EQ(plan->guards.flow, 0.5);
  EXPECT_EQ(plan->times.sample, 250ms);
  EXPECT_EQ(with("guards: {flow: 1}\n")->guards.flow, 1.0);
  EXPECT_FALSE(with("")->guards.flow.has_value());
  EXPECT_EQ(with("")->times.sample, 1s);
}

TEST(RotationGuardsFile, refuses_what_is_no_share_no_metric_and_no_interval) {
  struct Row {
    std::string_view text, why;
  };
  for (const Row& row :
       {Row{"guards: {flow: 0}", "guards.flow must be a share over 0 and at most 1"},
        Row{"guards: {flow: 50%}", "guards.flow must be a share"}, Row{"guards: {flow: 1.5}", "must be a share"},
        Row{"guards: {flow: nan}", "must be a share"}, Row{"guards: {flow: -1}", "must be a share"},
        Row{"guards: {flow: []}", "guards.flow"},
        Row{"guards: {at_most: {\"a b\": 1}}", "is not the name of a counter or gauge"},
        Row{"guards: {at_most: {queue: many}}", "is not a whole number"}, Row{"guards: {at_most: 7}", "guards.at_most"},
        Row{"times: {sample: 1ms}", "times.sample"}, Row{"times: {sample: 2m}", "times.sample"}}) {
    const RotationPlanResult plan = with(std::string(row.text) + "\n");
    ASSERT_FALSE(plan.has_value()) << row.text;
    EXPECT_NE(as_error(plan.error()).doing.find(row.why), std::string::npos) << row.text << "\n"
                                                                             << as_error(plan.error()).doing;
  }
}

}  // namespace
}  // namespace hawser::config
