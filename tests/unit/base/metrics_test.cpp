#include "base/metrics.hpp"

#include <gtest/gtest.h>
#include <thread>

namespace hawser::metrics {
namespace {

TEST(Metrics, are_exposed_as_prometheus_text) {
  Registry registry;
  registry.counter("hawser_tls_reload_total", "TLS material reloads", {{"result", "rejected"}}).add(2);
  registry.counter("hawser_tls_reload_total", "TLS material reloads", {{"result", "accepted"}}).add_as_only_writer();
  registry.gauge("hawser_clients", "Connected local clients").set(3);
  registry.gauge_from("hawser_certificate_expiry_seconds", "When the certificate expires", {},
                      [] { return 1795341600.0; });
  EXPECT_EQ(registry.expose(),
            "# HELP hawser_tls_reload_total TLS material reloads\n"
            "# TYPE hawser_tls_reload_total counter\n"
            "hawser_tls_reload_total{result=\"accepted\"} 1\n"
            "hawser_tls_reload_total{result=\"rejected\"} 2\n"
            "# HELP hawser_clients Connected local clients\n"
            "# TYPE hawser_clients gauge\n"
            "hawser_clients 3\n"
            "# HELP hawser_certificate_expiry_seconds When the certificate expires\n"
            "# TYPE hawser_certificate_expiry_seconds gauge\n"
            "hawser_certificate_expiry_seconds 1795341600\n");
}

TEST(Metrics, a_histogram_counts_cumulatively_with_inclusive_bounds) {
  Registry registry;
  Histogram& histogram = registry.histogram("h", "help", {1, 2});
  for (const double value : {0.5, 1.0, 1.5, 2.0, 99.0}) {
    histogram.observe(value);
  }
  EXPECT_EQ(registry.expose(),
            "# HELP h help\n# TYPE h histogram\nh_count 5\nh_sum 104\n"
            "h_bucket{le=\"1\"} 2\nh_bucket{le=\"2\"} 4\nh_bucket{le=\"+Inf\"} 5\n");
}

TEST(Metrics, the_same_name_and_labels_give_the_same_metric) {
  Registry registry;
  Counter& first = registry.counter("c", "help", {{"a", "1"}});
  EXPECT_EQ(&first, &registry.counter("c", "help", {{"a", "1"}}));
  EXPECT_NE(&first, &registry.counter("c", "help", {{"a", "2"}}));
  registry.gauge_from("g", "help", {}, [] { return 1.0; });
  registry.gauge_from("g", "help", {}, [] { return 2.0; });
  EXPECT_NE(registry.expose().find("\ng 2\n"), std::string::npos);
}

TEST(Metrics, label_values_are_escaped) {
  Registry registry;
  registry.counter("c", "help", {{"reason", "a \"b\"\n\\"}}).add();
  EXPECT_NE(registry.expose().find(R"(c{reason="a \"b\"\n\\"} 1)"), std::string::npos) << registry.expose();
}

TEST(Metrics, labels_from_outside_cannot_grow_without_bound) {
  Registry registry;
  for (std::size_t i = 0; i < 3 * Registry::kSeriesPerName; ++i) {
    registry.counter("c", "help", {{"client", std::to_string(i)}}).add();
  }
  const std::string text = registry.expose();
  EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')), 2 + Registry::kSeriesPerName + 1);
  EXPECT_NE(text.find("c{client=\"other\"} 2000\n"), std::string::npos);
}

TEST(Metrics, many_threads_lose_no_count) {
  Registry registry;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&registry] {
      Counter& counter = registry.counter("c", "help");
      Gauge& gauge = registry.gauge("g", "help");
      Histogram& histogram = registry.histogram("h", "help", {1});
      for (int i = 0; i < 10000; ++i) {
        counter.add();
        gauge.add();
        histogram.observe(1);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(registry.counter("c", "help").value(), 40000U);
  EXPECT_EQ(registry.gauge("g", "help").value(), 40000);
  EXPECT_EQ(registry.histogram("h", "help", {1}).count_in_bucket(0), 40000U);
}

TEST(MetricsDeathTest, one_name_as_two_kinds_is_a_defect) {
  Registry registry;
  registry.counter("c", "help");
  EXPECT_DEATH(registry.gauge("c", "help"), "metric c is used as two kinds");
  EXPECT_DEATH(registry.gauge("c", "help", {{"a", "b"}}), "metric c is used as two kinds");
}

}  // namespace
}  // namespace hawser::metrics
