// Kept TLS sessions of a client, by server: bounded, and gone with its context.
//
// Thread-safe: connections of one context may live on several threads.
//
//   sessions.keep("nats.example.com:4222", std::move(session));   Owned<SSL_SESSION> one = sessions.take("…");
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "tls/certificate.hpp"
#include "tls/openssl.hpp"

namespace hawser::tls {

class SessionCache {
 public:
  // Over the bound, the oldest is dropped.
  void keep(const std::string& server, Owned<SSL_SESSION> session);
  // The newest one that is still good, out of the cache when it may be used only once (TLS 1.3, RFC 8446 C.4). Null:
  // none.
  [[nodiscard]] Owned<SSL_SESSION> take(const std::string& server, WallTime now);
  [[nodiscard]] std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::deque<std::pair<std::string, Owned<SSL_SESSION>>> kept_;  // oldest first
};

}  // namespace hawser::tls
