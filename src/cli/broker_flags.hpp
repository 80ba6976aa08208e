// The flags of `hawser broker`: nats-server's, read as Go reads flags, and a few of our own.
//
// One dash or two, `-p 4222` or `-p=4222`, switches as `-D` or `-D=false`; the last of equal flags counts. Pure; the
// flags outlive a reload of the file and lie over it each time.
//
//   Result<BrokerFlags> flags = parse_broker_flags({"-c", "nats.conf", "-DV"});
//   Result<void> applied = apply(*flags, settings);
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/secret.hpp"
#include "broker/settings.hpp"

namespace CLI {
class App;
}

namespace hawser::cli {

struct BrokerFlags {
  bool help = false;
  bool version = false;
  bool test = false;
  std::string config;
  std::string signal;  // "reload", "reload=4711", "reload=/run/nats.pid"

  std::optional<std::string> host;
  std::optional<std::int64_t> port;  // -1: a free one; 0: as if it was not given
  std::optional<std::int64_t> http_port;
  std::optional<std::int64_t> https_port;
  std::optional<std::int64_t> threads;
  std::optional<std::string> server_name;
  std::optional<std::string> client_advertise;
  std::optional<std::string> pid_file;
  std::optional<std::string> ports_file_dir;
  std::optional<std::string> log_file;
  std::optional<std::int64_t> log_size_limit;
  std::optional<std::int64_t> max_traced_msg_len;
  std::optional<std::string> log_format;  // "nats", "text", "json"
  std::optional<bool> debug;
  std::optional<bool> trace;
  std::optional<bool> trace_verbose;
  std::optional<bool> logtime;
  std::optional<bool> logtime_utc;
  std::optional<std::string> user;
  std::optional<Secret> password;
  std::optional<Secret> token;
  std::optional<bool> tls;  // false: none, whatever the file says
  std::optional<bool> tls_verify;
  std::optional<std::string> tls_cert;
  std::optional<std::string> tls_key;
  std::optional<std::string> tls_ca;
};

// Errors: bad_usage; broker_needs_nats_server for a flag of a feature that is nats-server's alone.
[[nodiscard]] Result<BrokerFlags> parse_broker_flags(std::span<const std::string> arguments);

// What the flags say, over what the file said. Errors: bad_usage, broker_tls_incomplete.
[[nodiscard]] Result<void> apply(const BrokerFlags& flags, broker::Settings& settings);

// Where the log goes, of settings that flags were applied to.
[[nodiscard]] log::Output log_output(const BrokerFlags& flags, const broker::Logging& logging);

// The same flags for --help and the completion scripts.
void describe_broker_flags(CLI::App& command);

// Overwrites the values of secret flags in the process's own arguments, where `ps` would show them.
void hide_secret_arguments(int argc, char** argv);

}  // namespace hawser::cli
