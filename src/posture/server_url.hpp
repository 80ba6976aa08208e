// The URL of a NATS server, parsed: scheme, host, port, and the credentials that people put into it.
//
// A value; printable() never shows the credentials, and an Error of parse_server_url never quotes the text.
//
//   auto url = parse_server_url("tls://nats.example.com");   // port 4222
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace hawser::posture {

enum class Scheme : std::uint8_t { nats, tls, ws, wss };

struct ServerUrl {
  Scheme scheme = Scheme::nats;
  std::string host;  // a name, an IPv4 address, or an IPv6 address without its brackets
  std::uint16_t port = 4222;
  bool host_is_ipv6 = false;
  Secret user;  // of "user:password@"; Secret, for a token stands here as well
  Secret password;
  bool has_userinfo = false;
  std::string path;  // of ws and wss

  [[nodiscard]] bool secure() const { return scheme == Scheme::tls || scheme == Scheme::wss; }
  // "tls://host:4222", "tls://[::1]:4222": without credentials.
  [[nodiscard]] std::string printable() const;
  [[nodiscard]] ServerUrl copy() const;
};

// One URL. Without a scheme it is nats://, as NATS clients take it. Errors: url_malformed, with the reason.
[[nodiscard]] Result<ServerUrl> parse_server_url(std::string_view text);

// The elements of a comma-separated list, trimmed; empty ones are left out.
[[nodiscard]] std::vector<std::string_view> split_server_list(std::string_view text);

[[nodiscard]] std::string_view to_string(Scheme scheme);

}  // namespace hawser::posture
