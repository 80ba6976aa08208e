// Rules about the keys of a nats-server configuration: unknown ones, well-meant ones, and durations that are numbers.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <span>

#include "base/nearest.hpp"
#include "config/letters.hpp"
#include "config/server_conf_rules.hpp"

namespace hawser::config {

namespace {

using Kind = ConfNode::Kind;
using posture::Severity;

// Every key of nats-server 2.2 to 2.12, in small letters.
constexpr std::array<std::string_view, 100> kTopKeys{"account_resolver",
                                                     "accounts",
                                                     "accounts_resolver",
                                                     "allow_non_tls",
                                                     "authorization",
                                                     "client_advertise",
                                                     "cluster",
                                                     "connect_error_reports",
                                                     "debug",
                                                     "default_js_domain",
                                                     "default_sentinel",
                                                     "disable_sublist_cache",
                                                     "feature_flags",
                                                     "gateway",
                                                     "host",
                                                     "http",
                                                     "http_base_path",
                                                     "http_port",
                                                     "https",
                                                     "https_port",
                                                     "include",
                                                     "jetstream",
                                                     "lame_duck_duration",
                                                     "lame_duck_grace_period",
                                                     "leaf",
                                                     "leafnodes",
                                                     "listen",
                                                     "log_file",
                                                     "log_max_num",
                                                     "log_size_limit",
                                                     "logfile",
                                                     "logfile_max_num",
                                                     "logfile_size_limit",
                                                     "logtime",
                                                     "logtime_utc",
                                                     "mappings",
                                                     "maps",
                                                     "max_closed_clients",
                                                     "max_conn",
                                                     "max_connections",
                                                     "max_control_line",
                                                     "max_payload",
                                                     "max_pending",
                                                     "max_sub_tokens",
                                                     "max_subs",
                                                     "max_subscription_tokens",
                                                     "max_subscriptions",
                                                     "max_traced_msg_len",
                                                     "monitor_port",
                                                     "mqtt",
                                                     "net",
                                                     "no_auth_user",
                                                     "no_fast_producer_stall",
                                                     "no_header_support",
                                                     "no_sublist_cache",
                                                     "no_sys_acc",
                                                     "no_system",
                                                     "no_system_account",
                                                     "ocsp",
                                                     "ocsp_cache",
                                                     "operator",
                                                     "operators",
                                                     "pid_file",
                                                     "pidfile",
                                                     "ping_interval",
                                                     "ping_max",
                                                     "port",
                                                     "ports_file_dir",
                                                     "prof_block_rate",
                                                     "prof_port",
                                                     "proxies",
                                                     "proxy_protocol",
                                                     "reconnect_error_reports",
                                                     "remote_syslog",
                                                     "resolver",
                                                     "resolver_pinned_accounts",
                                                     "resolver_preload",
                                                     "resolver_tls",
                                                     "root",
                                                     "root_operator",
                                                     "root_operators",
                                                     "roots",
                                                     "server_metadata",
                                                     "server_name",
                                                     "server_tags",
                                                     "store_dir",
                                                     "storedir",
                                                     "syslog",
                                                     "system",
                                                     "system_account",
                                                     "tls",
                                                     "trace",
                                                     "trace_headers",
                                                     "trace_verbose",
                                                     "trusted",
                                                     "trusted_keys",
                                                     "websocket",
                                                     "write_deadline",
                                                     "write_timeout",
                                                     "ws"};
constexpr std::array<std::string_view, 26> kTlsKeys{"allow_insecure_cipher_suites",
                                                    "ca_certs_match",
                                                    "ca_file",
                                                    "cert_file",
                                                    "cert_match",
                                                    "cert_match_by",
                                                    "cert_match_skip_invalid",
                                                    "cert_store",
                                                    "certificates",
                                                    "certs",
                                                    "cipher_suites",
                                                    "connection_rate_limit",
                                                    "curve_preferences",
                                                    "first",
                                                    "handshake_first",
                                                    "immediate",
                                                    "insecure",
                                                    "key_file",
                                                    "min_version",
                                                    "ocsp_peer",
                                                    "pinned_certs",
                                                    "timeout",
                                                    "verify",
                                                    "verify_and_map",
                                                    "verify_cert_and_check_known_urls",
                                                    "client_auth"};
constexpr std::array<std::string_view, 13> kAuthorizationKeys{"auth_callout",
                                                              "auth_hook",
                                                              "default_permission",
                                                              "default_permissions",
                                                              "pass",
                                                              "password",
                                                              "permissions",
                                                              "proxy_required",
                                                              "timeout",
                                                              "token",
                                                              "user",
                                                              "username",
                                                              "users"};
constexpr std::array<std::string_view, 13> kMisplacedKeys{
    "operator",          "operators",    "resolver", "accounts",      "resolver_preload",
    "system_account",    "trusted_keys", "trusted",  "root_operator", "account_resolver",
    "accounts_resolver", "roots",        "root"};
constexpr std::array<std::string_view, 19> kDurationKeys{"timeout",
                                                         "ping_interval",
                                                         "write_deadline",
                                                         "write_timeout",
                                                         "lame_duck_duration",
                                                         "lame_duck_grace_period",
                                                         "auth_timeout",
                                                         "interval",
                                                         "ttl",
                                                         "max_age",
                                                         "expires",
                                                         "reconnect",
                                                         "reconnect_interval",
                                                         "ack_wait",
                                                         "fetch_timeout",
                                                         "sync_interval",
                                                         "first_info_timeout",
                                                         "handshake_first",
                                                         "pong_timeout"};

template <class Keys>
bool contains(const Keys& keys, std::string_view word) {
  return std::any_of(keys.begin(), keys.end(), [word](std::string_view key) { return same_letters(key, word); });
}

std::string shown(std::string_view key) {
  std::string out;
  for (const char c : key.substr(0, 64)) out += c >= ' ' && c <= '~' ? c : '?';
  return out;
}

}  // namespace

void ServerConfLint::keys() {
  const auto unknown = [this](const ConfNode& block, std::span<const std::string_view> known, const std::string& path) {
    for (const ConfMember& member : block.members) {
      if (contains(known, member.key) || member.used_as_variable) continue;
      const std::string where = path.empty() ? "" : " in " + path;
      if (member.key.find('{') != std::string::npos) {
        error(Errc::server_unknown_key,
              fmt::format("\"{}\"{} is read as one key: put a space before the '{{'", shown(member.key), where),
              member.place);
        continue;
      }
      const auto near = nearest(member.key, std::vector<std::string>(known.begin(), known.end()));
      warning(Errc::server_unknown_key,
              fmt::format("nats-server does not know the key \"{}\"{}{}", shown(member.key), where,
                          near ? fmt::format(" (did you mean \"{}\"?)", *near) : ""),
              member.place);
    }
  };
  for (const ConfMember& member : conf_.root.members) {
    if (same_letters(member.key, "client_auth")) misspelt_client_auth(conf_.root, "the top level");
  }
  std::vector<std::string_view> top(kTopKeys.begin(), kTopKeys.end());
  top.push_back("client_auth");
  unknown(conf_.root, top, "");
  durations(conf_.root, "");
  for (const std::string_view name : {"", "cluster", "gateway", "leafnodes", "leaf", "websocket", "ws", "mqtt"}) {
    const ConfNode* block = name.empty() ? &conf_.root : conf_.root.find(name);
    const ConfNode* tls = block == nullptr ? nullptr : block->find("tls");
    if (tls == nullptr) continue;
    const std::string path = name.empty() ? "tls" : fmt::format("{}.tls", name);
    misspelt_client_auth(*tls, path);
    if (tls->is(Kind::map)) unknown(*tls, kTlsKeys, path);
  }
  const ConfNode* authorization = conf_.root.find("authorization");
  if (authorization == nullptr) return;
  std::vector<std::string_view> known(kAuthorizationKeys.begin(), kAuthorizationKeys.end());
  for (const ConfMember& member : authorization->members) {
    if (!contains(kMisplacedKeys, member.key)) continue;
    known.push_back(member.key);
    error(Errc::server_misplaced_operator,
          fmt::format("\"{}\" stands in authorization; nats-server knows it at the top level only", member.key),
          member.place);
  }
  unknown(*authorization, known, "authorization");
}

void ServerConfLint::misspelt_client_auth(const ConfNode& block, const std::string& path) {
  const ConfMember* member = block.member("client_auth");
  if (member != nullptr)
    error(Errc::server_misspelt_client_auth,
          fmt::format("client_auth in {} is no key of nats-server: it is verify: true, in tls", path), member->place);
}

// `1m` is a million, and where a duration is meant that many seconds.
void ServerConfLint::durations(const ConfNode& block, const std::string& path) {
  for (const ConfMember& member : block.members) {
    const std::string below = path.empty() ? member.key : path + '.' + member.key;
    if (member.value.is(Kind::integer) && member.value.form == ConfNode::Form::suffixed &&
        contains(kDurationKeys, member.key)) {
      error(Errc::server_duration_as_number,
            fmt::format("{}: {} is read as {} seconds; write \"{}\"", below, member.value.text, member.value.integer,
                        member.value.text),
            member.place);
    }
    durations(member.value, below);
  }
  for (const ConfNode& item : block.items) durations(item, path);
}

}  // namespace hawser::config
