#include "tls/server_sessions.hpp"

#include <chrono>
#include <utility>

#include "tls/connection.hpp"

namespace hawser::tls {
namespace {

std::string id_of(const SSL_SESSION* session) {
  unsigned length = 0;
  const unsigned char* id = SSL_SESSION_get_id(session, &length);
  return {reinterpret_cast<const char*>(id), length};
}

int on_new(SSL* ssl, SSL_SESSION* session) {
  const Connection* connection = connection_of(ssl);
  if (connection == nullptr || connection->server_sessions == nullptr) {
    return 0;
  }
  // A copy, since OpenSSL spoils the session of a connection that ends without a TLS close; so in find().
  if (Owned<SSL_SESSION> copy(SSL_SESSION_dup(session)); copy != nullptr) {
    connection->server_sessions->keep(id_of(session), {std::move(copy), connection->verified_until});
  }
  return 0;  // the reference stays OpenSSL's
}

SSL_SESSION* on_wanted(SSL* ssl, const unsigned char* id, int length, int* copy) {
  *copy = 0;  // OpenSSL takes over the reference
  Connection* connection = connection_of(ssl);
  if (connection == nullptr || connection->server_sessions == nullptr || length <= 0) {
    return nullptr;
  }
  std::optional<ServerSessions::Kept> found = connection->server_sessions->find(
      {reinterpret_cast<const char*>(id), static_cast<std::size_t>(length)}, wall_now());
  if (!found) {
    return nullptr;
  }
  connection->verified_until = found->good_until;  // also of the sessions that follow from this one
  return found->session.release();
}

}  // namespace

void keep_sessions_of(SSL_CTX* ctx) {
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ctx, on_new);
  SSL_CTX_sess_set_get_cb(ctx, on_wanted);
}

void ServerSessions::keep(const std::string& id, Kept one) {
  const std::scoped_lock lock(mutex_);
  if (id.empty()) {
    return;
  }
  while (kept_.size() >= kMost || oldest_first_.size() >= 2 * kMost) {
    kept_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
  if (kept_.insert_or_assign(id, std::move(one)).second) {
    oldest_first_.push_back(id);
  }
}

std::optional<ServerSessions::Kept> ServerSessions::find(const std::string& id, WallTime now) {
  const std::scoped_lock lock(mutex_);
  const auto found = kept_.find(id);
  if (found == kept_.end()) {
    return std::nullopt;
  }
  if (found->second.good_until <=
      std::chrono::floor<std::chrono::seconds>(now)) {  // seconds reach further than WallTime
    kept_.erase(found);
    return std::nullopt;
  }
  return Kept{Owned<SSL_SESSION>(SSL_SESSION_dup(found->second.session.get())), found->second.good_until};
}

void ServerSessions::clear() {
  const std::scoped_lock lock(mutex_);
  kept_.clear();
  oldest_first_.clear();
}

std::size_t ServerSessions::size() const {
  const std::scoped_lock lock(mutex_);
  return kept_.size();
}

}  // namespace hawser::tls
