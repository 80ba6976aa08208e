// Everything that a broker can be told, as plain values; config/broker_conf.hpp reads them from nats-server's language.
//
// Move-only, since it holds passwords; shared between threads as a pointer to const. Defaults are nats-server's. What
// is here was parsed and is well-formed by itself; whether it fits together is validate()'s to say.
//
//   Settings settings; settings.listen = {"127.0.0.1", 0}; auto broker = Broker::start(std::move(settings));
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "broker/operator_settings.hpp"
#include "tls/context.hpp"
#include "tls/material.hpp"

namespace hawser::broker {

// Where something listens. An empty host and "0.0.0.0" mean every interface; port 0 takes a free one (nats-server's -1).
struct Listen {
  std::string host = "0.0.0.0";
  std::uint16_t port = 0;
  bool operator==(const Listen&) const = default;
};

enum class HandshakeFirst : std::uint8_t { off, always, fallback };  // fallback: INFO in clear if nothing comes in time

struct TlsSettings {
  tls::Source source{.usage = tls::Usage::server};
  bool verify = false;          // a client certificate is required
  bool verify_and_map = false;  // and names the user
  Duration timeout = std::chrono::seconds(2);
  tls::Version min_version = tls::Version::tls12;
  std::vector<std::string> cipher_suites;      // Go's names, as nats-server's
  std::vector<std::string> curve_preferences;  // "X25519", "CurveP256" …
  std::set<std::string> pinned_certs;          // SHA-256 of the SPKI, lowercase hex
  HandshakeFirst handshake_first = HandshakeFirst::off;
  Duration handshake_fallback = std::chrono::milliseconds(50);
  std::uint32_t connection_rate_limit = 0;  // handshakes a second; 0: no limit
  bool recheck = true;  // a reload ends connections whose certificate the new trust would refuse
  std::uint32_t tickets = 0;  // TLS 1.3 session tickets a handshake; a resumed session is verified again
  bool operator==(const TlsSettings&) const = default;
};

// Subjects, or "subject queue" for subscriptions. Without `allow`, everything is allowed that is not denied.
struct PermissionRules {
  std::optional<std::vector<std::string>> allow;
  std::vector<std::string> deny;
  bool operator==(const PermissionRules&) const = default;
};

struct ResponsePermission {
  int max = 1;                                // answers to one request; negative: any number
  Duration expires = std::chrono::minutes(2);  // negative: never
  bool operator==(const ResponsePermission&) const = default;
};

struct Permissions {
  PermissionRules publish;
  PermissionRules subscribe;
  std::optional<ResponsePermission> responses;  // allow_responses
  bool operator==(const Permissions&) const = default;
};

enum class ConnectionType : std::uint8_t { standard, websocket, leafnode, leafnode_ws, mqtt, mqtt_ws, in_process };

struct User {
  std::string name;     // empty when it is an NKey
  std::string nkey;     // public, U…
  Secret password;      // plain, or a bcrypt hash ($2a$, $2b$, $2y$)
  std::string account;  // empty: the global account
  std::optional<Permissions> permissions;
  std::set<ConnectionType> connection_types;  // empty: any
  std::string place;                          // file:line:column, for messages
};

enum class ExportKind : std::uint8_t { stream, service };
enum class ResponseType : std::uint8_t { singleton, stream, chunked };

struct Export {
  ExportKind kind = ExportKind::stream;
  std::string subject;
  std::optional<std::vector<std::string>> accounts;  // private, for these alone; without it, public
  ResponseType response = ResponseType::singleton;
  Duration response_threshold = std::chrono::minutes(2);  // until which an answer is waited for
  std::uint32_t account_token_position = 0;               // 1-based; of a `*` that the importer's name fills; 0: none
  std::string place;
  bool operator==(const Export& other) const {
    return kind == other.kind && subject == other.subject && accounts == other.accounts && response == other.response &&
           response_threshold == other.response_threshold && account_token_position == other.account_token_position;
  }
};

struct Import {
  ExportKind kind = ExportKind::stream;
  std::string account;
  std::string subject;  // the exporter's
  std::string to;       // the importer's own subject; empty: the same. May use $1, {{wildcard(1)}}
  std::string prefix;   // of a stream, put before the exporter's subject
  bool share = false;   // services: the exporter hears who asks (Nats-Request-Info)
  std::string place;
  bool activated = false;  // the exporter has signed that it may be had although it is private
  bool operator==(const Import& other) const {
    return kind == other.kind && account == other.account && subject == other.subject && to == other.to &&
           prefix == other.prefix && share == other.share && activated == other.activated;
  }
};

struct MappingTarget {
  std::string destination;
  std::uint32_t weight = 100;  // per cent
  std::string cluster;         // kept; this broker has none
  bool operator==(const MappingTarget&) const = default;
};

// Messages published to `source` go to one of the targets instead; what the weights leave over is dropped if a
// target's source is the mapping's own, and otherwise stays.
struct Mapping {
  std::string source;
  std::vector<MappingTarget> targets;
  std::string place;
  bool operator==(const Mapping& other) const { return source == other.source && targets == other.targets; }
};

struct Account {
  std::string name;
  std::string nkey;  // public, A…; empty: none
  std::vector<Export> exports;
  std::vector<Import> imports;
  std::vector<Mapping> mappings;
  std::optional<Permissions> default_permissions;
  std::int64_t max_connections = -1;  // negative: no limit
  std::int64_t max_subscriptions = -1;
  std::int64_t max_payload = -1;
  std::string place;
};

struct Authorization {
  std::string user;  // a single user, or empty
  Secret password;
  Secret token;
  std::vector<User> users;  // of `authorization` and of every account
  std::optional<Permissions> default_permissions;
  std::string no_auth_user;
  std::optional<Duration> timeout;  // without it: 2 s, or the TLS timeout and a second
  // Nobody has to say who he is.
  [[nodiscard]] bool open() const { return user.empty() && token.empty() && users.empty(); }
};

struct Limits {
  std::size_t max_connections = 65536;  // 0: none may connect
  std::size_t max_subscriptions = 0;    // a connection; 0: no limit
  std::size_t max_subscription_tokens = 0;
  std::size_t max_control_line = 4096;
  std::size_t max_payload = 1UL << 20U;
  std::size_t max_pending = 64UL << 20U;
  Duration write_deadline = std::chrono::seconds(10);
  Duration ping_interval = std::chrono::minutes(2);
  std::uint32_t ping_max = 2;
  bool operator==(const Limits&) const = default;
};

struct Logging {
  bool debug = false;
  bool trace = false;
  bool trace_verbose = false;  // -DVV: payloads of internal messages too
  bool logtime = true;
  bool logtime_utc = false;
  std::filesystem::path file;           // empty: standard error
  std::uint64_t file_size_limit = 0;    // bytes, then it is rotated; 0: no limit
  std::size_t file_backups = 0;         // rotated files that are kept; 0: all
  std::size_t max_traced_msg_len = 0;   // 0: whole messages
  bool operator==(const Logging&) const = default;
};

struct Monitoring {
  std::optional<Listen> http;
  std::optional<Listen> https;  // with the certificate of `tls`
  std::string base_path = "/";
  bool operator==(const Monitoring&) const = default;
};

// A second listener that is plain and asks for no credentials, for programs of this machine: loopback only.
struct TrustedListen {
  std::string address;  // "127.0.0.1:4222"
  std::string user;     // whose account and permissions they get; empty: the global account, everything
  bool operator==(const TrustedListen&) const = default;
};

inline constexpr const char* kGlobalAccount = "$G";
inline constexpr const char* kSystemAccount = "$SYS";

struct Settings {
  std::optional<Listen> listen = Listen{"0.0.0.0", 4222};  // none: only the trusted one
  std::optional<TrustedListen> trusted;
  std::string client_advertise;  // "host:port" in INFO instead of what it listens on
  std::string server_name;       // empty: the server's id
  std::size_t threads = 1;
  std::optional<TlsSettings> tls;
  bool allow_non_tls = false;
  bool always_enable_nonce = false;
  bool no_header_support = false;
  bool no_fast_producer_stall = false;
  Authorization authorization;
  std::vector<Account> accounts;
  std::optional<OperatorSettings> operator_mode;  // users and accounts come from JWTs, and from nowhere else
  std::string system_account = kSystemAccount;  // empty: none
  Limits limits;
  Duration lame_duck_duration = std::chrono::minutes(2);
  Duration lame_duck_grace_period = std::chrono::seconds(10);
  Monitoring monitoring;
  Logging logging;
  std::filesystem::path pid_file;
  std::filesystem::path ports_file_dir;
  std::uint32_t connect_error_reports = 3600;
  std::size_t max_closed_clients = 10'000;  // remembered for /connz
  // Of the files that made it: "sha256:…"; shown by /varz.
  std::string config_digest;

  // Nobody has to say who he is.
  [[nodiscard]] bool open() const { return authorization.open() && !operator_mode; }
};

}  // namespace hawser::broker
