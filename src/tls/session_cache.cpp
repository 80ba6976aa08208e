#include "tls/session_cache.hpp"

#include <algorithm>

namespace hawser::tls {
namespace {

constexpr std::size_t kMostSessions = 64;
constexpr std::ptrdiff_t kMostForOneServer = 4;  // a server gives two a handshake

// A resumed handshake verifies nothing again, so it must not outlive the certificate that it stands for.
bool still_good(SSL_SESSION* session, WallTime now) {
  const Seconds second = std::chrono::floor<std::chrono::seconds>(now);
  const X509* peer = SSL_SESSION_get0_peer(session);
  const Seconds given{std::chrono::seconds(SSL_SESSION_get_time(session))};
  return SSL_SESSION_is_resumable(session) == 1 && peer != nullptr && to_seconds(X509_get0_notAfter(peer)) > second &&
         given + std::chrono::seconds(SSL_SESSION_get_timeout(session)) > second;
}

}  // namespace

void SessionCache::keep(const std::string& server, Owned<SSL_SESSION> session) {
  const std::scoped_lock lock(mutex_);
  const auto same_server = [&server](const auto& one) { return one.first == server; };
  if (std::count_if(kept_.begin(), kept_.end(), same_server) >= kMostForOneServer) {
    kept_.erase(std::find_if(kept_.begin(), kept_.end(), same_server));
  }
  if (kept_.size() >= kMostSessions) {
    kept_.pop_front();
  }
  kept_.emplace_back(server, std::move(session));
}

Owned<SSL_SESSION> SessionCache::take(const std::string& server, WallTime now) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(kept_, [now](const auto& one) { return !still_good(one.second.get(), now); });
  const auto newest =
      std::find_if(kept_.rbegin(), kept_.rend(), [&server](const auto& one) { return one.first == server; });
  if (newest == kept_.rend()) {
    return nullptr;
  }
  if (SSL_SESSION_get_protocol_version(newest->second.get()) < TLS1_3_VERSION) {
    // A copy: OpenSSL spoils the session of a connection that ends without a TLS close.
    return Owned<SSL_SESSION>(SSL_SESSION_dup(newest->second.get()));
  }
  Owned<SSL_SESSION> session = std::move(newest->second);
  kept_.erase(std::next(newest).base());
  return session;
}

std::size_t SessionCache::size() const {
  const std::scoped_lock lock(mutex_);
  return kept_.size();
}

}  // namespace hawser::tls
