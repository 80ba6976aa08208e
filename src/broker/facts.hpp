// What a broker tells about itself: the snapshots behind /varz, /connz, /subsz, /accountz and /metrics.
//
// Values, taken on the threads that own what they describe, and handed over whole. No secret is in them: of a token
// there is only that there was one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace hawser::broker {

// Why a connection ended; the texts of to_string() are nats-server's.
enum class CloseReason : std::uint8_t {
  none,
  client_closed,
  authentication_timeout,
  authentication_failure,
  authentication_expired,
  tls_handshake_failure,
  credentials_revoked,
  slow_consumer_pending_bytes,
  slow_consumer_write_deadline,
  write_error,
  read_error,
  parse_error,
  stale_connection,
  protocol_violation,
  bad_client_protocol,
  max_payload_exceeded,
  max_control_line_exceeded,
  max_connections_exceeded,
  max_account_connections_exceeded,
  max_subscriptions_exceeded,
  server_shutdown,
  kicked,
  missing_account,
  duplicate_client,
  no_responders_requires_headers,
  message_header_violation,
};
[[nodiscard]] std::string_view to_string(CloseReason reason) noexcept;

struct PeerCertificateFacts {
  std::string subject;  // RFC 2253
  std::string spki_sha256;
  std::string cert_sha256;
};

struct SubscriptionFacts {
  std::string account;
  std::string subject;
  std::string queue;
  std::string sid;
  std::uint64_t delivered = 0;
  std::uint64_t max = 0;
  std::uint64_t cid = 0;
};

struct Traffic {
  std::uint64_t in_msgs = 0;
  std::uint64_t in_bytes = 0;
  std::uint64_t out_msgs = 0;
  std::uint64_t out_bytes = 0;
};

struct ConnectionFacts {
  std::uint64_t cid = 0;
  std::string ip;
  std::uint16_t port = 0;
  WallTime start{};
  WallTime last_activity{};
  std::optional<WallTime> stop;  // closed ones
  CloseReason reason = CloseReason::none;
  Duration rtt{};
  std::size_t pending_bytes = 0;
  Traffic traffic;
  std::uint32_t subscriptions = 0;
  std::string name;
  std::string lang;
  std::string version;
  std::string tls_version;  // "1.3"; empty: plain
  std::string tls_cipher_suite;
  std::vector<PeerCertificateFacts> tls_peer_certs;  // the leaf first
  bool tls_first = false;
  std::string authorized_user;  // the user's name or NKey; "[REDACTED]" for a token
  std::string account;
  std::string issuer_key;  // these three of a user with a JWT
  std::string name_tag;
  std::vector<std::string> tags;
  std::vector<SubscriptionFacts> subscriptions_list;  // when asked for
};

// What to take of each connection; the rest of a ConnectionFacts stays empty.
struct ConnectionQuery {
  std::uint64_t cid = 0;  // 0: all
  bool subscriptions = false;
};

// Which subscriptions to list; in an order that stays while they do, so that pages fit together.
struct SubscriptionQuery {
  std::string account;      // empty: of every account
  std::string test;         // a literal subject: only those that a message to it would reach; empty: all
  std::size_t most = 1024;  // no more than these
};

struct SublistFacts {
  std::uint64_t subscriptions = 0;
  std::uint64_t cache = 0;
  std::uint64_t inserts = 0;
  std::uint64_t removes = 0;
  std::uint64_t matches = 0;
  std::uint64_t cache_hits = 0;
  std::uint32_t max_fanout = 0;
  double avg_fanout = 0;
};

struct AccountFacts {
  std::string name;
  std::uint64_t connections = 0;
  std::uint64_t total_connections = 0;
  std::uint64_t slow_consumers = 0;
  Traffic traffic;
  SublistFacts sublist;
};

struct ServerFacts {
  std::string id;
  std::string name;
  std::string version;
  std::string host;
  std::uint16_t port = 0;
  WallTime start{};
  WallTime config_loaded{};
  std::uint64_t connections = 0;
  std::uint64_t total_connections = 0;
  std::uint64_t slow_consumers_pending = 0;
  std::uint64_t slow_consumers_deadline = 0;
  std::uint64_t stale_connections = 0;
  std::uint64_t auth_failures = 0;
  std::uint64_t tls_failures = 0;
  std::uint64_t denied_publishes = 0;
  std::uint64_t denied_subscribes = 0;
  std::uint64_t reloads = 0;
  std::uint64_t failed_reloads = 0;
  Traffic traffic;
  SublistFacts sublist;  // of all accounts together
  bool lame_duck = false;
  std::optional<WallTime> tls_not_after;  // of the certificate in use
  std::size_t threads = 1;
};

}  // namespace hawser::broker
