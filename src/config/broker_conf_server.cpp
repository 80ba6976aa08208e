// The keys of a broker's configuration at its top level: where it listens, its limits, its log, its name.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <limits>

#include "base/limits.hpp"
#include "base/quantity.hpp"
#include "config/broker_conf_parts.hpp"
#include "config/letters.hpp"

namespace hawser::config {

namespace {

using Kind = ConfNode::Kind;
using DurationKind = ConfBlock::DurationKind;
using std::chrono::seconds;

constexpr std::int64_t kMostBytes = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMostNumber = std::numeric_limits<std::int32_t>::max();
constexpr std::uint16_t kClientPort = 4222;
constexpr std::size_t kLargePayload = 8UL << 20U;

// "host:port" or a port, as written: -1 and 0 have their own meanings for each key.
struct Written {
  std::string host;
  std::int64_t port = 0;
};

std::optional<Written> split_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!bracketed && host.find_first_of(":[]") != std::string_view::npos) return std::nullopt;
  Written out{std::string(host), 0};
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (port.empty() || failed != std::errc() || end != port.data() + port.size()) return std::nullopt;
  return out;
}

class ServerReader {
 public:
  ServerReader(BrokerDraft& draft, ConfBlock& top) : reading_(draft.reading), top_(top), out_(draft.settings) {}

  void read() {
    listen();
    monitoring();
    identity();
    logging();
    limits();
    times();
    system_account();
    ignored();
  }

 private:
  // Of a listen key's value.
  std::optional<Written> address(const ConfMember& member) {
    const ConfNode& value = member.value;
    if (value.is(Kind::integer)) return Written{"", value.integer};
    std::optional<Written> out;
    if (value.is(Kind::string)) out = split_address(value.text);
    if (!out)
      reading_.mistake(Errc::config_bad_value, value.place,
                       fmt::format("{} must be host:port, :port or a port", shown(member.key)),
                       "Like \"127.0.0.1:4222\", \":4222\" for every interface, \"[::1]:4222\".");
    return out;
  }

  // -1: a free one; 0: `zero`.
  std::optional<std::uint16_t> port(std::int64_t written, const Place& at, std::string_view key,
                                    std::optional<std::uint16_t> zero) {
    constexpr std::int64_t kMost = 65535;
    if (written == -1) return std::uint16_t{0};
    if (written == 0) return zero;
    if (written > 0 && written <= kMost) return static_cast<std::uint16_t>(written);
    reading_.mistake(Errc::config_bad_value, at, fmt::format("{}: {} is not a port", key, written),
                     "From 1 to 65535, or -1 for a free one.");
    return std::nullopt;
  }

  void listen() {
    const ConfMember* listen = top_.member({"listen"});
    const ConfMember* port_key = top_.member({"port"});
    const auto host = top_.text({"host", "net"});
    Written written{host.value_or(""), 0};
    Place at = port_key != nullptr ? port_key->value.place : Place{};
    if (port_key != nullptr) written.port = as_integer(reading_, port_key->value, "port").value_or(kClientPort);
    if (listen != nullptr) {
      const auto given = address(*listen);
      if (!given) return;
      if (port_key != nullptr && written.port != given->port)
        reading_.mistake(Errc::config_conflict, port_key->place, "listen and port name different ports",
                         "Keep listen.");
      if (host && !given->host.empty() && *host != given->host)
        reading_.mistake(Errc::config_conflict, listen->place, "listen and host name different addresses",
                         "Keep listen.");
      written.port = given->port;
      if (!given->host.empty()) written.host = given->host;
      at = listen->value.place;
    }
    if (at.line != 0 && written.port == 0)
      reading_.notice(Errc::broker_misspelt, Notice::Severity::warning, at,
                      fmt::format("port 0 means {} to nats-server, and here", kClientPort), "-1 takes a free one");
    if (const auto number = port(written.port, at, "port", kClientPort)) out_.listen->port = *number;
    if (!written.host.empty()) out_.listen->host = written.host;
    advertise();
    out_.allow_non_tls = top_.boolean({"allow_non_tls"}).value_or(false);
  }

  // "host:port", or a host whose port is the listener's.
  void advertise() {
    const auto told = top_.text({"client_advertise"});
    if (!told) return;
    const auto address = split_address(*told);
    constexpr std::int64_t kMost = 65535;
    const bool whole = address && !address->host.empty() && address->port > 0 && address->port <= kMost;
    if (whole || told->find(':') == std::string::npos) {
      out_.client_advertise = *told;
    } else {
      reading_.mistake(Errc::config_bad_value, top_.node().find("client_advertise")->place,
                       "client_advertise must be host:port, or a host");
    }
  }

  std::optional<broker::Listen> monitor(std::string_view key, Names port_keys) {
    const ConfMember* whole = top_.member({key});
    const ConfMember* port_alone = top_.member(port_keys);
    if (whole != nullptr && port_alone != nullptr) {
      reading_.mistake(Errc::config_conflict, port_alone->place,
                       fmt::format("{} and {} are two names for one setting", key, shown(port_alone->key)),
                       fmt::format("Keep {}.", key));
      return std::nullopt;
    }
    const ConfMember* given = whole != nullptr ? whole : port_alone;
    if (given == nullptr) return std::nullopt;
    const auto written = whole != nullptr ? address(*whole) : [&]() -> std::optional<Written> {
      const auto number = as_integer(reading_, port_alone->value, port_alone->key);
      return number ? std::optional(Written{"", *number}) : std::nullopt;
    }();
    if (!written || written->port == 0) return std::nullopt;
    const auto number = port(written->port, given->value.place, given->key, std::nullopt);
    if (!number) return std::nullopt;
    return broker::Listen{written->host.empty() ? out_.listen->host : written->host, *number};
  }

  void monitoring() {
    out_.monitoring.http = monitor("http", {"http_port", "monitor_port"});
    out_.monitoring.https = monitor("https", {"https_port"});
    if (const auto base = top_.text({"http_base_path"})) {
      const auto path = std::filesystem::path("/" + *base).lexically_normal().generic_string();
      out_.monitoring.base_path = path.size() > 1 && path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
      if (out_.monitoring.base_path.starts_with("//")) out_.monitoring.base_path.erase(0, 1);
    }
  }

  void identity() {
    if (const auto name = top_.text({"server_name"})) {
      if (name->find_first_of(" \t\r\n") != std::string::npos) {
        reading_.mistake(Errc::config_bad_value, top_.node().find("server_name")->place,
                         "server name cannot contain spaces");
      } else {
        out_.server_name = *name;
      }
    }
    constexpr std::int64_t kMostThreads = 64;
    if (const auto threads = top_.integer({"threads"}, 1, kMostThreads))
      out_.threads = static_cast<std::size_t>(*threads);
    out_.pid_file = top_.text({"pid_file", "pidfile"}).value_or("");
    out_.ports_file_dir = top_.text({"ports_file_dir"}).value_or("");
    out_.always_enable_nonce = top_.boolean({"always_enable_nonce"}).value_or(false);
    out_.no_header_support = top_.boolean({"no_header_support"}).value_or(false);
    out_.no_fast_producer_stall = top_.boolean({"no_fast_producer_stall"}).value_or(false);
  }

  void logging() {
    broker::Logging& log = out_.logging;
    log.debug = top_.boolean({"debug"}).value_or(false);
    const auto trace = top_.boolean({"trace"});
    log.trace_verbose = top_.boolean({"trace_verbose"}).value_or(false);
    log.trace = trace.value_or(false) || log.trace_verbose;
    log.logtime = top_.boolean({"logtime"}).value_or(true);
    log.logtime_utc = top_.boolean({"logtime_utc"}).value_or(false);
    log.file = top_.text({"log_file", "logfile"}).value_or("");
    constexpr std::int64_t kMostFileBytes = std::numeric_limits<std::int64_t>::max();
    log.file_size_limit = static_cast<std::uint64_t>(
        top_.integer({"logfile_size_limit", "log_size_limit"}, 0, kMostFileBytes).value_or(0));
    log.file_backups =
        static_cast<std::size_t>(top_.integer({"logfile_max_num", "log_max_num"}, 0, kMostNumber).value_or(0));
    log.max_traced_msg_len = static_cast<std::size_t>(
        std::max<std::int64_t>(0, top_.integer({"max_traced_msg_len"}, -1, kMostBytes).value_or(0)));
  }

  // A number where 0 means the default.
  template <class T>
  void count(Names names, T& out, std::int64_t most) {
    const auto number = top_.integer(names, 0, most);
    if (number && *number > 0) out = static_cast<T>(*number);
  }

  void limits() {
    broker::Limits& limits = out_.limits;
    constexpr std::int64_t kMostControlLine = 1LL << 20U;
    constexpr std::int64_t kMostTokens = 255;
    count({"max_control_line"}, limits.max_control_line, kMostControlLine);
    count({"max_pending"}, limits.max_pending, std::numeric_limits<std::int64_t>::max());
    count({"ping_max"}, limits.ping_max, kMostNumber);
    count({"connect_error_reports"}, out_.connect_error_reports, kMostNumber);
    count({"max_closed_clients"}, out_.max_closed_clients, kMostNumber);
    if (const auto most =
            top_.integer({"max_connections", "max_conn"}, std::numeric_limits<std::int32_t>::min(), kMostNumber))
      limits.max_connections = static_cast<std::size_t>(std::max<std::int64_t>(0, *most));
    if (const auto most = top_.integer({"max_subscriptions", "max_subs"}, -1, kMostNumber))
      limits.max_subscriptions = static_cast<std::size_t>(std::max<std::int64_t>(0, *most));
    if (const auto most = top_.integer({"max_subscription_tokens", "max_sub_tokens"}, 1, kMostTokens))
      limits.max_subscription_tokens = static_cast<std::size_t>(*most);
    payload(limits);
  }

  void payload(broker::Limits& limits) {
    constexpr auto kMost = static_cast<std::int64_t>(limits::kMaxPayloadBytes);
    const auto bytes = top_.integer({"max_payload"}, -1, kMost);
    if (!bytes || *bytes == 0) return;
    limits.max_payload = *bytes < 0 ? limits::kMaxPayloadBytes : static_cast<std::size_t>(*bytes);
    if (limits.max_payload > kLargePayload)
      reading_.notice(
          Errc::broker_unsafe_setting, Notice::Severity::note, top_.node().find("max_payload")->place,
          fmt::format("max_payload over {} is discouraged: one message holds up the others of its connection",
                      format_size(kLargePayload)));
    if (limits.max_payload > limits.max_pending)
      reading_.mistake(Errc::config_conflict, top_.node().find("max_payload")->place,
                       fmt::format("max_payload ({}) cannot be higher than max_pending ({})", limits.max_payload,
                                   limits.max_pending));
  }

  void positive(Names names, Duration& out) {
    const auto given = top_.duration(names, DurationKind::once_seconds);
    if (given && *given > Duration::zero()) out = *given;
  }

  void times() {
    positive({"ping_interval"}, out_.limits.ping_interval);
    positive({"write_deadline"}, out_.limits.write_deadline);
    if (const auto duration = top_.duration({"lame_duck_duration"}, DurationKind::text_only)) {
      if (*duration < seconds(30)) {
        reading_.mistake(
            Errc::config_bad_value, top_.node().find("lame_duck_duration")->place,
            fmt::format("invalid lame_duck_duration of {}, minimum is 30 seconds", format_duration(*duration)));
      } else {
        out_.lame_duck_duration = *duration;
      }
    }
    if (const auto grace = top_.duration({"lame_duck_grace_period"}, DurationKind::text_only))
      out_.lame_duck_grace_period = *grace > Duration::zero() ? *grace : out_.lame_duck_grace_period;
    if (out_.lame_duck_grace_period >= out_.lame_duck_duration)
      reading_.mistake(
          Errc::config_conflict, top_.node().find("lame_duck_grace_period")->place,
          fmt::format("lame duck grace period ({}) should be strictly lower than lame duck duration ({})",
                      format_duration(out_.lame_duck_grace_period), format_duration(out_.lame_duck_duration)));
  }

  void system_account() {
    const auto name = top_.text({"system_account", "system"});
    const auto none = top_.boolean({"no_system_account", "no_system", "no_sys_acc"});
    if (name) out_.system_account = *name;
    if (!none.value_or(false)) return;
    if (name)
      reading_.mistake(Errc::config_conflict, top_.member({"no_system_account", "no_system", "no_sys_acc"})->place,
                       "system_account and no_system_account contradict each other");
    out_.system_account.clear();
  }

  // Keys that nats-server has for what the broker does not do; none of them makes it do less safely.
  void ignored() {
    struct Ignored {
      std::string_view key;
      std::string_view why;
    };
    constexpr Ignored kIgnored[]{
        {"syslog", "the log goes to standard error or to log_file"},
        {"remote_syslog", "the log goes to standard error or to log_file"},
        {"trace_headers", "a trace shows messages whole or up to max_traced_msg_len; trace stays off"},
        {"write_timeout", "a slow consumer is closed after write_deadline"},
        {"disable_sublist_cache", "routes are always kept ready"},
        {"no_sublist_cache", "routes are always kept ready"},
        {"prof_port", "there is no profiling endpoint"},
        {"prof_block_rate", "there is no profiling endpoint"},
        {"server_tags", "there are no other servers to tell"},
        {"server_metadata", "there are no other servers to tell"},
        {"feature_flags", "they are of another version of nats-server"},
        {"ocsp", "OCSP staples are not made"},
        {"ocsp_cache", "OCSP is not asked"},
        {"store_dir", "nothing is stored"},
        {"storedir", "nothing is stored"},
        {"default_js_domain", "there is no JetStream"},
    };
    for (const Ignored& one : kIgnored) {
      const ConfMember* found = top_.member({one.key});
      const bool off = found == nullptr || (found->value.is(Kind::boolean) && !found->value.boolean) ||
                       (found->value.is(Kind::integer) && found->value.integer == 0);
      if (off) continue;
      reading_.notice(Errc::broker_ignored_setting, Notice::Severity::note, found->place,
                      fmt::format("{} has no effect: {}", one.key, one.why));
    }
    (void)top_.integer({"reconnect_error_reports"}, -1, kMostNumber);  // of routes alone
  }

  ConfReading& reading_;
  ConfBlock& top_;
  broker::Settings& out_;
};

}  // namespace

void read_server_keys(BrokerDraft& draft, ConfBlock& top) { ServerReader(draft, top).read(); }

}  // namespace hawser::config
