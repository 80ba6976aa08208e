#include "broker/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <regex>
#include <sstream>

#include "broker/monitor_source.hpp"

namespace hawser::broker {
namespace {

using testing::HasSubstr;

ServerFacts server() {
  ServerFacts facts;
  facts.id = "NID";
  facts.name = "a \"quoted\\\nname";
  facts.version = "2.10.29";
  facts.slow_consumers_pending = 1;
  facts.slow_consumers_deadline = 2;
  facts.reloads = 3;
  facts.failed_reloads = 4;
  facts.denied_publishes = 5;
  facts.traffic = {6, 7, 8, 18446744073709551615ULL};
  facts.tls_not_after = parse_rfc3339("2030-01-01T00:00:00Z");
  return facts;
}

TEST(BrokerMetrics, have_help_and_type_before_each_family_and_no_series_twice) {
  const std::string text = metrics_text(server(), {test::account("$G", 1), test::account("A", 2)}, {}, true);
  std::istringstream lines(text);
  std::map<std::string, int> series;
  std::string family;
  const std::regex sample(R"(([a-z_]+)(\{([a-z_]+="([^"\\\n]|\\.)*",?)+\})? -?[0-9.e+]+)");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(family.starts_with("hawser_broker_")) << line;
      EXPECT_EQ(++series["help " + family], 1) << line;
    } else if (line.starts_with("# TYPE ")) {
      EXPECT_TRUE(line.starts_with("# TYPE " + family + " ")) << line;
      EXPECT_EQ(line.ends_with(" counter"), family.ends_with("_total")) << line;
    } else {
      std::smatch parts;
      ASSERT_TRUE(std::regex_match(line, parts, sample)) << line;
      EXPECT_EQ(parts[1], family) << line;
      EXPECT_EQ(++series[line.substr(0, line.rfind(' '))], 1) << line;
    }
  }
}

TEST(BrokerMetrics, carry_what_was_counted) {
  const std::string text = metrics_text(server(), {}, {12.5, 4096}, false);
  for (const char* line :
       {"hawser_broker_slow_consumers_total{reason=\"pending_bytes\"} 1\n",
        "hawser_broker_slow_consumers_total{reason=\"write_deadline\"} 2\n",
        "hawser_broker_reloads_total{result=\"applied\"} 3\n", "hawser_broker_reloads_total{result=\"rejected\"} 4\n",
        "hawser_broker_denied_total{operation=\"publish\"} 5\n", "hawser_broker_messages_total{direction=\"in\"} 6\n",
        "hawser_broker_message_bytes_total{direction=\"out\"} 18446744073709551615\n",
        "hawser_broker_certificate_expiry_timestamp_seconds 1893456000\n", "hawser_broker_cpu_percent 12.5\n",
        "hawser_broker_resident_memory_bytes 4096\n", "hawser_broker_healthy 0\n",
        "server_name=\"a \\\"quoted\\\\\\nname\""}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  ServerFacts plain = server();
  plain.tls_not_after.reset();
  EXPECT_EQ(metrics_text(plain, {}, {}, true).find("certificate_expiry"), std::string::npos);
}

TEST(BrokerMetrics, sum_the_accounts_beyond_their_bound) {
  std::vector<AccountFacts> accounts;
  for (std::size_t i = 0; i < kAccountSeries + 10; ++i) {
    accounts.push_back(test::account("a" + std::to_string(1000 + i), i < 10 ? 0 : 2));
    accounts.back().traffic.in_msgs = 3;
  }
  const std::string text = metrics_text(server(), std::move(accounts), {}, true);
  EXPECT_THAT(text, HasSubstr("hawser_broker_account_messages_total{account=\"other\",direction=\"in\"} 30\n"));
  EXPECT_THAT(text, HasSubstr("hawser_broker_account_connections{account=\"a1010\"} 2\n"));
  EXPECT_EQ(text.find("account=\"a1009\""), std::string::npos) << "those with least connections are in the sum";
}

TEST(ResidentPages, are_the_second_number) {
  EXPECT_EQ(resident_pages("1000 250 30 4 0 5 0\n"), 250U);
  EXPECT_EQ(resident_pages("1000"), 0U);
  EXPECT_EQ(resident_pages(""), 0U);
  EXPECT_EQ(resident_pages("1 x"), 0U);
}

}  // namespace
}  // namespace hawser::broker
