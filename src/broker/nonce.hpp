// The nonce of INFO that a client signs with its NKey, and what comes back. Thread-safe.
//
//   const std::string nonce = make_nonce();   // 15 characters; the text itself is what is signed
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hawser::broker {

// 11 random bytes in base64url, as nats-server's.
[[nodiscard]] std::string make_nonce();

// CONNECT's `sig` as bytes: base64url without padding, or, as some clients send it, base64 with.
[[nodiscard]] std::optional<std::string> decode_signature(std::string_view text);

}  // namespace hawser::broker
