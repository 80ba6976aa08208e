// What a monitoring request asks for, parsed from its query as nats-server does; its error texts, too. Pure.
//
//   const auto query = connz_query(request.query);   if (!query) return bad_request(query.error());
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "admin/query.hpp"

namespace hawser::broker {

template <class T>
using Parsed = std::expected<T, std::string>;  // or what a 400 says

enum class ConnzSort : std::uint8_t {
  cid,
  start,
  subs,
  pending,
  msgs_to,
  msgs_from,
  bytes_to,
  bytes_from,
  last,
  idle,
  uptime,
  stop,
  reason,
  rtt,
};
enum class ConnzState : std::uint8_t { open, closed, all };

struct ConnzQuery {
  ConnzSort sort = ConnzSort::cid;
  ConnzState state = ConnzState::open;
  bool auth = false;
  bool subscriptions = false;
  bool subscriptions_detail = false;
  std::size_t offset = 0;
  std::size_t limit = 1024;
  std::uint64_t cid = 0;
  std::string user{};
  std::string account{};
  std::string filter_subject{};  // with an account only
  std::string mqtt_client{};     // there are none here
};
[[nodiscard]] Parsed<ConnzQuery> connz_query(const admin::Query& query);
// The rules that hold wherever the query comes from: what sorts what, which filter needs which.
[[nodiscard]] Parsed<ConnzQuery> checked(ConnzQuery query);
[[nodiscard]] Parsed<ConnzSort> connz_sort(std::string_view text);

struct SubszQuery {
  bool subscriptions = false;
  std::size_t offset = 0;
  std::size_t limit = 1024;
  std::string account{};
  std::string test{};  // a literal subject
};
[[nodiscard]] Parsed<SubszQuery> subsz_query(const admin::Query& query);
[[nodiscard]] Parsed<SubszQuery> checked(SubszQuery query);

struct AccstatzQuery {
  bool unused = false;
  std::vector<std::string> accounts{};  // empty: all
};
[[nodiscard]] Parsed<AccstatzQuery> accstatz_query(const admin::Query& query);

}  // namespace hawser::broker
