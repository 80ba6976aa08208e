// The INFO that the agent says to a local client, made from the server's.
//
// What leads around the agent stays out: connect_urls, nonces, TLS and authentication, which the agent does itself. Pure.
//
//   client.write(to_json(greeting(upstream, {.agent_id = id, .client_id = 7, .client_ip = "127.0.0.1", .port = 4222})));
#pragma once

#include <cstdint>
#include <string>

#include "wire/info.hpp"

namespace hawser::agent {

struct GreetingContext {
  std::string agent_id;
  std::uint64_t client_id = 0;
  std::string client_ip;
  std::string host;
  std::uint16_t port = 0;
  std::int64_t max_payload = 0;  // of the configuration; 0: the server's
  std::int64_t added = 0;        // bytes that the agent may add to a message
};

// Of a local client's message: what the server still takes once the agent has added its own.
[[nodiscard]] std::int64_t payload_limit(const wire::ServerInfo& upstream, const GreetingContext& context);

[[nodiscard]] wire::ServerInfo greeting(const wire::ServerInfo& upstream, const GreetingContext& context);

}  // namespace hawser::agent
