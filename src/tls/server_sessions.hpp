// Kept TLS sessions of a server: what a client resumes by, in memory and not in the client's ticket.
//
// OpenSSL takes a session's word for the client that it was given to. Here a session belongs to the one context whose
// CAs, CRLs and pins have verified that client, is gone with it, and is good no longer than what was verified: when a
// certificate of the client's chain or a CRL ends, the client has to make a whole handshake, which refuses him with the
// reason. Tickets with the client's certificate in them would have to be verified at every use, and cost more than the
// handshake that they are to save: taking the certificate apart is a third of it.
//
// Thread-safe. Bounded: over it, the oldest go first.
//
//   sessions.keep(id, {std::move(session), until});   if (auto one = sessions.find(id, wall_now())) …
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "tls/certificate.hpp"
#include "tls/openssl.hpp"

namespace hawser::tls {

class ServerSessions {
 public:
  static constexpr std::size_t kMost = 4096;  // some KiB each

  struct Kept {
    Owned<SSL_SESSION> session;
    Seconds good_until;
  };

  void keep(const std::string& id, Kept one);
  // Nothing: there is none, or it is good no longer. A session may be used more than once: clients that open several
  // connections at a time have one to offer.
  [[nodiscard]] std::optional<Kept> find(const std::string& id, WallTime now);
  void clear();
  [[nodiscard]] std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Kept> kept_;
  std::deque<std::string> oldest_first_;  // names what is gone already, too, until its turn comes
};

// Makes a server's context keep sessions there instead of sealing tickets. Each connection's `server_sessions` says
// where.
void keep_sessions_of(SSL_CTX* ctx);

}  // namespace hawser::tls
