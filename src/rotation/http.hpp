// One HTTP request: what brokers' monitoring and agents' admin endpoints are asked by. Blocking; thread-safe.
//
//   Result<HttpAnswer> varz = ask({.to = broker.monitor, .target = "/varz", .trust = trust}, until, stop);
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rotation/endpoint.hpp"
#include "tls/context.hpp"

namespace hawser::rotation {

inline constexpr std::size_t kHttpBodyBytes = 64UL << 20U;  // beyond it: limit_exceeded

struct HttpQuestion {
  Endpoint to;
  std::string target;       // "/connz?auth=1", behind the endpoint's path
  bool post = false;        // otherwise GET
  tls::ContextPtr trust{};  // for https
};

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

// Any status is an answer. Errors: those of Conversation; server_protocol_error, limit_exceeded.
[[nodiscard]] Result<HttpAnswer> ask(const HttpQuestion& question, Time until, std::stop_token stop);

}  // namespace hawser::rotation
