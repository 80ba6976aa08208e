// What a server's -ERR means: whose business it is, and whether the connection survives it. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.hpp"

namespace hawser::session {

enum class ServerErrorKind : std::uint8_t {
  client,  // the user of the session did something it may not: forwarded, the connection lives
  auth,    // our credential: kept to ourselves
  limit,   // the server is full, or throttles
  stale,   // the server did not hear our PONGs
  fatal,   // anything else; the server closes the connection
};

struct ServerErrorMeaning {
  ServerErrorKind kind;
  Errc code;  // of the links's end; unused for `client`
};

// Compared without case and by prefix, as the client libraries do. `text` is without quotes.
[[nodiscard]] ServerErrorMeaning meaning_of(std::string_view text);

}  // namespace hawser::session
