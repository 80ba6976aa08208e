// What a broker says of its connections: /connz?auth=1 of nats-server and of our own broker, read into values. Pure.
//
//   Result<ConnzPage> page = parse_connz(answer.body);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace hawser::rotation {

struct SeenConnection {
  std::uint64_t cid = 0;
  std::string address;  // "10.0.0.1:40000"
  std::string since;    // as the broker writes it
  std::string name;
  std::string user;
  std::string certificate;  // SHA-256 of the leaf, lowercase hex; empty: none was presented
  std::string subject;      // of the leaf
  bool admitted = false;    // it got as far as CONNECT
};

struct ConnzPage {
  std::string server_id;
  std::uint64_t total = 0;  // connections there are; a page holds some of them
  std::vector<SeenConnection> connections;
};

inline constexpr std::size_t kMostConnections = 1'000'000;

// Errors: rotation_monitor_silent, saying what is not as it must be.
[[nodiscard]] Result<ConnzPage> parse_connz(std::string_view json);
// `slow_consumers` of /varz. Errors: the same.
[[nodiscard]] Result<std::uint64_t> parse_slow_consumers(std::string_view json);
// The sum of a metric over its labels, in Prometheus' text format; 0 when it is not there. Errors: the same.
[[nodiscard]] Result<double> sum_of_metric(std::string_view text, std::string_view name);

}  // namespace hawser::rotation
