// The nonce of INFO that a client signs with its NKey. Thread-safe.
//
//   const std::string nonce = make_nonce();   // 15 characters; the text itself is what is signed
#pragma once

#include <string>

namespace hawser::broker {

// 11 random bytes in base64url, as nats-server's.
[[nodiscard]] std::string make_nonce();

}  // namespace hawser::broker
