// What a service in another account is told of who asks: the header Nats-Request-Info. Pure.
#pragma once

#include <string>
#include <string_view>

#include "broker/facts.hpp"

namespace hawser::broker {

struct RequestInfo {
  const ConnectionFacts& client;
  std::string_view account;  // the client's
  std::string_view via;      // the account that the request came through; empty: directly
  bool share = false;        // the import says that more than account and round-trip time may be told
  std::string_view server;   // its name; empty: not told
};

// nats-server's JSON.
[[nodiscard]] std::string request_info_json(const RequestInfo& info);

// Headers, payload and CRLF of a request, with this header in place of any that is there. `header_bytes`: how long the
// new block is.
[[nodiscard]] std::string with_request_info(std::string_view headers, std::string_view payload_and_end,
                                            std::string_view json, std::size_t& header_bytes);

}  // namespace hawser::broker
