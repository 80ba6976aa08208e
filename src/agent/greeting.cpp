#include "agent/greeting.hpp"

#include <algorithm>

namespace hawser::agent {

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
  info.max_payload = context.max_payload > 0 ? std::min(context.max_payload, upstream.max_payload) : upstream.max_payload;
  info.client_id = context.client_id;
  info.client_ip = context.client_ip;
  return info;
}

}  // namespace hawser::agent
