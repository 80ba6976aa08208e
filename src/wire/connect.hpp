// CONNECT: what a client says of itself, credentials included.
//
// A move-only value, since it holds secrets; parse it once from Frame::payload. Absent keys have nats-server's
// defaults. Keys are compared without case, the last of several wins and null changes nothing, as in nats-server's
// decoder. Stricter than there: `null` for the whole object, and text that is not UTF-8, are refused.
//
//   auto options = parse_connect(frame.payload);
//   if (!options) close();   // WIR-421; nats-server closes without a word
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace hawser::wire {

struct ConnectOptions {
  bool verbose = true;
  bool pedantic = true;
  bool echo = true;
  bool tls_required = false;
  bool headers = false;
  bool no_responders = false;
  int protocol = 0;  // 0 or 1; with 1 the server sends INFO again when it changes
  std::string name;
  std::string lang;
  std::string version;
  std::string user;
  std::string nkey;  // public
  Secret pass;
  Secret auth_token;
  Secret jwt;
  Secret sig;
  std::string account;  // this and the next are from old times: an Authorization Violation
  bool new_account = false;
};

// WIR-421 names the key or the place; nothing of the content. `onto`: what absent keys keep, for a second CONNECT on
// the same connection.
[[nodiscard]] Result<ConnectOptions> parse_connect(std::string_view json, ConnectOptions onto = {});

// What nats-server answers with -ERR before it closes; empty: acceptable. `server_headers` is what INFO said.
[[nodiscard]] std::string_view connect_refusal(const ConnectOptions& options, bool server_headers) noexcept;

// The object. Empty strings are left out; the booleans and the protocol never are.
[[nodiscard]] Secret to_json(const ConnectOptions& options);

}  // namespace hawser::wire
