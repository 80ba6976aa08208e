#include "agent/greeting.hpp"

#include <algorithm>

namespace hawser::agent {

std::int64_t payload_limit(const wire::ServerInfo& upstream, const GreetingContext& context) {
  const std::int64_t servers = std::max<std::int64_t>(upstream.max_payload - context.added, 0);
  return context.max_payload > 0 ? std::min(context.max_payload, servers) : servers;
}

wire::ServerInfo greeting(const wire::ServerInfo& upstream, const GreetingContext& context) {
  wire::ServerInfo info;
  info.server_id = context.agent_id;
  info.server_name = upstream.server_name.empty() ? "hawser" : "hawser/" + upstream.server_name;
  info.version = upstream.version.empty() ? "2.9.10" : upstream.version;  // clients ask it for features
  info.go = "hawser";
  info.host = context.host;
  info.port = context.port;
  info.proto = 1;
  info.headers = upstream.headers;
  info.jetstream = upstream.jetstream;
  info.domain = upstream.domain;
  info.max_payload = payload_limit(upstream, context);
  info.client_id = context.client_id;
  info.client_ip = context.client_ip;
  return info;
}

}  // namespace hawser::agent
