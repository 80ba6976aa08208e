// DIR/broker.yaml, read into settings: the connection for posture, and plain values for everything else.
//
// examples/agent/broker.yaml shows every key. Strict: an unknown key, a key that stands twice, a value of the wrong
// form is a mistake, and all mistakes come together. Relative paths are relative to the file. Values; `AgentFile` is
// move-only, as it may hold secrets. Pure but for `load_agent_file`.
//
//   Result<AgentFile> file = load_agent_directory("./config");
//   Settings settings = merge(from_environment(process_environment), std::move(file->connection));
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "config/place.hpp"
#include "posture/settings.hpp"

namespace hawser::config {

enum class BrokerType : std::uint8_t { nats, local };  // an outside server, or the embedded one
// What the embedded broker is told (broker.type: local).
struct LocalBroker {
  std::filesystem::path config;  // a broker's whole configuration, whose own listener serves others; empty: none
  std::string user;              // of that configuration: whose account and permissions local clients have
};

enum class Reload : std::uint8_t { automatic, on_signal };  // watch the files, or SIGHUP only
enum class Sync : std::uint8_t { full, normal };            // fdatasync before a flush is confirmed, or not
enum class WhenFull : std::uint8_t { reject, shed_oldest };
enum class FallbackMode : std::uint8_t { local_queue, fail, drop };
enum class FallbackRequests : std::uint8_t { fail_fast, queue };

struct TlsReload {
  Reload mode = Reload::automatic;
  std::chrono::nanoseconds quiet = std::chrono::milliseconds(250);  // without a change, before files are read
};

// The disk queue.
struct Persistence {
  bool enabled = false;
  std::filesystem::path path;  // empty: not set
  Sync sync = Sync::full;
  std::uint64_t max_bytes = 4ULL << 30U;
  WhenFull when_full = WhenFull::reject;
  bool dedupe_header = false;  // each message gets a Nats-Msg-Id if it has none, so that JetStream drops repeats
};

struct MessageLimits {
  std::optional<std::uint64_t> max_payload;  // not set: the server's
  std::uint64_t max_pending = 10'000'000;    // messages in the queue
};

struct Fallback {
  FallbackMode mode = FallbackMode::local_queue;
  bool drain_on_reconnect = true;
  std::chrono::nanoseconds drain_delay{};
  bool local_delivery = true;
  FallbackRequests requests = FallbackRequests::fail_fast;
};

struct Reconnect {
  std::chrono::nanoseconds wait = std::chrono::milliseconds(50);
  std::chrono::nanoseconds max_wait = std::chrono::seconds(2);
};

// A loopback address and port; 0 lets the system choose.
struct ListenAddress {
  std::string host = "127.0.0.1";  // a literal address, or "localhost"; IPv6 without brackets
  std::uint16_t port = 0;

  [[nodiscard]] std::string text() const;  // "127.0.0.1:4222", "[::1]:4222"
  bool operator==(const ListenAddress&) const = default;
};

struct AgentOptions {
  ListenAddress listen{"127.0.0.1", 4222};
  std::optional<ListenAddress> admin = ListenAddress{"127.0.0.1", 9222};  // nothing: `admin: off`
  std::uint32_t threads = 0;                                              // event loops; 0: one
  std::uint32_t max_clients = 65'536;
  std::uint64_t client_max_pending = 64ULL << 20U;  // bytes waiting for one local client, before it is a slow one
  std::uint64_t window = 8ULL << 20U;  // bytes that one client published and the server did not yet confirm
  log::Level log_level = log::Level::info;
  log::Format log_format = log::Format::text;
};

struct AgentFile {
  std::filesystem::path path;
  BrokerType broker = BrokerType::nats;
  LocalBroker local;
  posture::Settings connection;
  TlsReload tls_reload;
  Persistence persistence;
  MessageLimits limits;
  Fallback fallback;
  Reconnect reconnect;
  AgentOptions agent;
  // Where each value stands: "fallback.mode" -> "broker.yaml:31:5". A key that is not here was not set.
  std::map<std::string, std::string, std::less<>> origins;

  [[nodiscard]] bool is_set(std::string_view key) const { return origins.find(key) != origins.end(); }
};

// Every mistake of the text, in the order of the file; never empty when it fails.
using AgentFileResult = std::expected<AgentFile, std::vector<Mistake>>;
[[nodiscard]] AgentFileResult parse_agent_file(std::string_view text, const std::filesystem::path& path);

// The same from disk, the mistakes as one Error, one a line. Errors: CFG-7xx, file_unreadable, limit_exceeded.
[[nodiscard]] Result<AgentFile> load_agent_file(const std::filesystem::path& path);
// DIR/broker.yaml (or .yml; or DIR itself, when it is a file). Errors also: config_not_found.
[[nodiscard]] Result<AgentFile> load_agent_directory(const std::filesystem::path& directory);
// The file that load_agent_directory would read, or nothing.
[[nodiscard]] std::optional<std::filesystem::path> find_agent_file(const std::filesystem::path& directory);

// "127.0.0.1:4222", "[::1]:4222", "localhost:4222", "4222". Errors: config_bad_value, config_listen_not_loopback.
[[nodiscard]] Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace hawser::config
