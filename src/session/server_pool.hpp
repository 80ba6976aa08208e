// The servers that a session may connect to, and which of them to try next, and when.
//
// Configured ones in their order, then those that a server named in connect_urls (bounded, and replaced by each INFO).
// The last good one comes first; one that failed waits by its own back-off; one in lame-duck mode comes last. A
// gossiped server is never weaker than the one that named it: it inherits TLS, and the name that its certificate must
// carry. Pure: time is an argument, the random source is handed in. Belongs to one session.
//
//   ServerPool pool(servers, options, random);
//   const ServerPool::Attempt attempt = pool.next(now);   // dial pool.server(attempt.id) at attempt.at
//   pool.failed(attempt.id, Backoff::Failure::unreachable, now);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "session/backoff.hpp"

namespace hawser::session {

struct Server {
  std::string host;  // a name or an address, IPv6 without brackets
  std::uint16_t port = 4222;
  bool tls = true;
  std::string server_name;     // what the certificate must carry: the configured override, else the host
  bool name_is_fixed = false;  // server_name is configured, and so holds for every server
  bool gossiped = false;

  [[nodiscard]] std::string text() const;  // "host:4222", "[::1]:4222"
};

struct ServerPoolOptions {
  BackoffOptions backoff;
  bool randomize = true;                         // the configured ones are tried in a random order, as NATS clients do
  std::size_t max_gossiped = 128;                // more are left out
  Duration lame_duck = std::chrono::minutes(2);  // how long a lame duck is avoided
};

class ServerPool {
 public:
  using Id = std::uint32_t;
  struct Attempt {
    Id id;
    Time at;  // not before `now`
  };

  // At least one server (SES-520 otherwise). Once one of them has TLS, all of the pool has.
  [[nodiscard]] static Result<ServerPool> make(std::vector<Server> configured, const ServerPoolOptions& options,
                                               RandomBits random);

  // The server to try next. `prefer` is it when it may be tried now: a splice stays on its server if it can.
  [[nodiscard]] Attempt next(Time now, std::optional<Id> prefer = std::nullopt) const;
  // Valid until the next change of the pool; nothing if gossip removed it.
  [[nodiscard]] const Server* server(Id id) const;

  void connected(Id id);
  void failed(Id id, Backoff::Failure failure, Time now);
  // It said that it is going away.
  void lame_duck(Id id, Time now);
  // Credentials or material changed: every server may be tried at once.
  void inputs_changed();
  // INFO connect_urls, from the server that the session is connected to. What was gossiped before and is not named any
  // more goes, unless it is that server. Returns how many entries were left out (not host:port, or over the bound).
  std::size_t gossip(std::span<const std::string> connect_urls, Id from);

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] bool tls() const { return tls_; }

 private:
  struct Member {
    Member(Id number, Server address, Backoff schedule)
        : id(number), server(std::move(address)), backoff(std::move(schedule)) {}

    Id id;
    Server server;
    Backoff backoff;
    Time ready{};  // not before
    Time lame_until{};
    Time failed_at{};  // who failed longest ago is tried first
  };

  ServerPool(const ServerPoolOptions& options, RandomBits random);
  void add(Server server);
  [[nodiscard]] Member* member(Id id);
  [[nodiscard]] std::optional<Server> parse_gossip(std::string_view url, const Server& from) const;

  ServerPoolOptions options_;
  RandomBits random_;
  std::vector<Member> members_;  // in the order of preference
  Id next_id_ = 1;
  Id last_good_ = 0;
  bool tls_ = false;
};

}  // namespace hawser::session
