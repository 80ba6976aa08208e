// INFO: what a server says of itself when a client connects, and again whenever it changes.
//
// A value; parse it once from Frame::payload. Unknown keys are ignored, known ones of a wrong type are refused.
//
//   auto info = parse_info(frame.payload);
//   if (!info) return std::unexpected(info.error());   // WIR-420
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace hawser::wire {

inline constexpr std::int64_t kDefaultMaxPayload = 1 << 20;

struct ServerInfo {
  std::string server_id;
  std::string server_name;
  std::string version;
  std::string go;
  std::string host;
  std::string client_ip;
  std::string nonce;  // signed as it stands, not decoded
  std::string cluster;
  std::string domain;
  std::string xkey;
  std::vector<std::string> connect_urls;  // "host:port"
  std::int64_t max_payload = kDefaultMaxPayload;
  std::uint64_t client_id = 0;
  int proto = 0;
  std::uint16_t port = 0;
  bool headers = false;
  bool auth_required = false;
  bool tls_required = false;
  bool tls_verify = false;
  bool tls_available = false;
  bool ldm = false;  // lame duck: the server is going away
  bool jetstream = false;

  friend bool operator==(const ServerInfo&, const ServerInfo&) = default;
};

inline constexpr std::size_t kMaxConnectUrls = 4096;

// WIR-420 names the key or the place; nothing of the content.
[[nodiscard]] Result<ServerInfo> parse_info(std::string_view json);

// The object, with nats-server's choice of which keys are left out when they are empty.
[[nodiscard]] std::string to_json(const ServerInfo& info);

}  // namespace hawser::wire
