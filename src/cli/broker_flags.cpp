#include "cli/broker_flags.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <functional>
#include <limits>
#include <utility>

#include "base/nearest.hpp"

namespace hawser::cli {
namespace {

enum class Takes : std::uint8_t { nothing, text, number, secret };

// One flag under all its names. `set` gets "true" or "false" for a switch.
struct Flag {
  std::vector<std::string_view> names;  // the shortest first; the last one is shown
  Takes takes;
  std::string_view what;
  std::string_view value;  // of --help: FILE, PORT
  std::function<void(BrokerFlags&, std::string&&)> set;
};

// Flags that nats-server has for what the broker has not; taken without a value or with one.
struct Absent {
  std::string_view name;
  std::string_view feature;
};
constexpr Absent kAbsent[]{
    {"js", "JetStream"},
    {"jetstream", "JetStream"},
    {"sd", "JetStream"},
    {"store_dir", "JetStream"},
    {"cluster", "clustering"},
    {"cluster_listen", "clustering"},
    {"cluster_name", "clustering"},
    {"cluster_advertise", "clustering"},
    {"routes", "clustering"},
    {"no_advertise", "clustering"},
    {"connect_retries", "clustering"},
    {"profile", "the profiling endpoint"},
    {"s", "logging to syslog"},
    {"syslog", "logging to syslog"},
    {"r", "logging to syslog"},
    {"remote_syslog", "logging to syslog"},
};

template <class Member>
auto text(Member member) {
  return [member](BrokerFlags& flags, std::string&& value) { flags.*member = std::move(value); };
}
template <class Member>
auto secret(Member member) {
  return [member](BrokerFlags& flags, std::string&& value) { flags.*member = Secret::take(std::move(value)); };
}
template <class Member>
auto number(Member member) {
  return [member](BrokerFlags& flags, std::string&& value) {
    std::int64_t read = 0;
    std::from_chars(value.data(), value.data() + value.size(), read);  // it was checked
    flags.*member = read;
  };
}
template <class... Member>
auto on_off(Member... members) {
  return [members...](BrokerFlags& flags, std::string&& value) { ((flags.*members = value == "true"), ...); };
}

const std::vector<Flag>& all_flags() {
  using F = BrokerFlags;
  static const std::vector<Flag> flags{
      {{"c", "config"}, Takes::text, "Configuration file, nats-server's language or YAML", "FILE", text(&F::config)},
      {{"a", "net", "addr"}, Takes::text, "Address to listen on (0.0.0.0)", "HOST", text(&F::host)},
      {{"p", "port"}, Takes::number, "Port for clients (4222); -1 takes a free one", "PORT", number(&F::port)},
      {{"m", "http_port"},
       Takes::number,
       "Port for monitoring over HTTP; -1 takes a free one",
       "PORT",
       number(&F::http_port)},
      {{"ms", "https_port"}, Takes::number, "Port for monitoring over HTTPS", "PORT", number(&F::https_port)},
      {{"n", "name", "server_name"}, Takes::text, "The server's name (its id)", "NAME", text(&F::server_name)},
      {{"client_advertise"},
       Takes::text,
       "Address that clients are told to come to",
       "HOST:PORT",
       text(&F::client_advertise)},
      {{"threads"}, Takes::number, "Event loops (1)", "N", number(&F::threads)},
      {{"t"}, Takes::nothing, "Test the configuration and exit", "", on_off(&F::test)},
      {{"sl", "signal"},
       Takes::text,
       "Signal a running broker: reload, reopen, ldm, term, quit or stop, with =PID or =PIDFILE",
       "SIGNAL",
       text(&F::signal)},
      {{"P", "pid"}, Takes::text, "File to write the process's id to", "FILE", text(&F::pid_file)},
      {{"ports_file_dir"},
       Takes::text,
       "Directory to write nats-server_<pid>.ports to",
       "DIR",
       text(&F::ports_file_dir)},
      {{"l", "log"}, Takes::text, "Log to this file instead of standard error", "FILE", text(&F::log_file)},
      {{"log_size_limit"},
       Takes::number,
       "Bytes after which the log file is set aside for a new one",
       "BYTES",
       number(&F::log_size_limit)},
      {{"log_format"}, Takes::text, "nats, text or json (nats)", "FORMAT", text(&F::log_format)},
      {{"T", "logtime"}, Takes::nothing, "Begin log lines with the time (=false: do not)", "", on_off(&F::logtime)},
      {{"logtime_utc"}, Takes::nothing, "The time in UTC", "", on_off(&F::logtime_utc)},
      {{"D", "debug"}, Takes::nothing, "Log debug messages", "", on_off(&F::debug)},
      {{"V", "trace"}, Takes::nothing, "Log the protocol", "", on_off(&F::trace)},
      {{"VV"}, Takes::nothing, "Log the protocol, the system account's too", "", on_off(&F::trace, &F::trace_verbose)},
      {{"DV"}, Takes::nothing, "-D and -V", "", on_off(&F::debug, &F::trace)},
      {{"DVV"}, Takes::nothing, "-D and -VV", "", on_off(&F::debug, &F::trace, &F::trace_verbose)},
      {{"max_traced_msg_len"},
       Takes::number,
       "Bytes of a message that a trace shows (all)",
       "BYTES",
       number(&F::max_traced_msg_len)},
      {{"user"}, Takes::text, "User that clients have to be", "USER", text(&F::user)},
      {{"pass"}, Takes::secret, "Password of --user", "PASSWORD", secret(&F::password)},
      {{"auth"}, Takes::secret, "Token that clients have to show", "TOKEN", secret(&F::token)},
      {{"tls"}, Takes::nothing, "TLS, without client certificates", "", on_off(&F::tls)},
      {{"tlsverify"}, Takes::nothing, "TLS, with client certificates", "", on_off(&F::tls_verify)},
      {{"tlscert"}, Takes::text, "Server certificate", "FILE", text(&F::tls_cert)},
      {{"tlskey"}, Takes::text, "Private key of --tlscert", "FILE", text(&F::tls_key)},
      {{"tlscacert"}, Takes::text, "CA that client certificates are from", "FILE", text(&F::tls_ca)},
      {{"v", "version"}, Takes::nothing, "Print the version and exit", "", on_off(&F::version)},
      {{"h", "help", "help_tls"}, Takes::nothing, "Print this help and exit", "", on_off(&F::help)},
  };
  return flags;
}

const Flag* find_flag(std::string_view name) {
  for (const Flag& flag : all_flags()) {
    if (std::find(flag.names.begin(), flag.names.end(), name) != flag.names.end()) {
      return &flag;
    }
  }
  return nullptr;
}

Error unknown_flag(std::string_view name) {
  for (const Absent& absent : kAbsent) {
    if (absent.name == name) {
      return {Errc::broker_needs_nats_server, fmt::format("-{} is for nats-server's {}", name, absent.feature)};
    }
  }
  std::vector<std::string> known;
  for (const Flag& flag : all_flags()) {
    known.insert(known.end(), flag.names.begin(), flag.names.end());
  }
  const auto near = nearest(name, known);
  return {Errc::bad_usage, fmt::format("flag provided but not defined: -{}{}", name,
                                       near ? fmt::format(" (did you mean --{}?)", *near) : "")};
}

// Go's words for a switch: 1, t, true and so on.
std::optional<bool> switch_value(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) {
      return true;
    }
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) {
      return false;
    }
  }
  return std::nullopt;
}

bool is_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc{} && end == text.data() + text.size();
}

// A word that begins with a dash, without its dashes; nothing: it is none.
std::optional<std::string_view> flag_word(std::string_view argument) {
  if (argument.size() < 2 || argument[0] != '-') {
    return std::nullopt;
  }
  return argument.substr(argument[1] == '-' ? 2 : 1);
}

Result<void> set_port(const std::optional<std::int64_t>& flag, std::string_view name, std::uint16_t& out) {
  constexpr std::int64_t kMost = 65535;
  if (!flag || *flag == 0) {
    return {};
  }
  if (*flag < -1 || *flag > kMost) {
    return fail(Errc::bad_usage, fmt::format("-{} {}: not a port from 1 to 65535, nor -1", name, *flag));
  }
  out = *flag == -1 ? std::uint16_t{0} : static_cast<std::uint16_t>(*flag);
  return {};
}

Result<void> set_monitor(const std::optional<std::int64_t>& flag, std::string_view name,
                         const broker::Settings& settings, std::optional<broker::Listen>& out) {
  if (!flag || *flag == 0) {
    return {};
  }
  broker::Listen where = out.value_or(broker::Listen{settings.listen ? settings.listen->host : "0.0.0.0", 0});
  if (auto set = set_port(flag, name, where.port); !set) {
    return set;
  }
  out = where;
  return {};
}

// As nats-server: flags of TLS replace the whole block.
Result<void> set_tls(const BrokerFlags& flags, broker::Settings& settings) {
  if (flags.tls == false) {
    settings.tls.reset();
    return {};
  }
  if (!flags.tls && !flags.tls_verify && !flags.tls_cert && !flags.tls_key && !flags.tls_ca) {
    return {};
  }
  if (!flags.tls_cert) {
    return fail(Errc::broker_tls_incomplete, "TLS Server certificate must be present and valid (--tlscert)");
  }
  if (!flags.tls_key) {
    return fail(Errc::broker_tls_incomplete, "TLS Server private key must be present and valid (--tlskey)");
  }
  broker::TlsSettings tls;
  tls.source.cert_file = *flags.tls_cert;
  tls.source.key_file = *flags.tls_key;
  tls.source.ca_file = flags.tls_ca.value_or("");
  tls.verify = flags.tls_verify.value_or(false);
  if (tls.verify && tls.source.ca_file.empty()) {
    return fail(Errc::broker_tls_incomplete, "--tlsverify needs --tlscacert");
  }
  settings.tls = std::move(tls);
  return {};
}

template <class T, class U>
void set_if(const std::optional<T>& flag, U& out) {
  if (flag) {
    out = static_cast<U>(*flag);
  }
}

}  // namespace

Result<BrokerFlags> parse_broker_flags(std::span<const std::string> arguments) {
  BrokerFlags out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const auto word = flag_word(argument);
    if (!word || word->empty()) {
      const std::string_view rest =
          word ? (i + 1 < arguments.size() ? std::string_view(arguments[i + 1]) : "") : argument;
      out.version = out.version || rest == "version";
      out.help = out.help || rest == "help";
      if (!rest.empty() && rest != "version" && rest != "help") {
        return fail(Errc::bad_usage, fmt::format("unrecognized command: \"{}\"", rest));
      }
      break;
    }
    const std::size_t equals = word->find('=');
    const std::string_view name = word->substr(0, equals);
    const Flag* flag = find_flag(name);
    if (flag == nullptr) {
      return std::unexpected(unknown_flag(name));
    }
    std::string value = equals == std::string_view::npos ? "" : std::string(word->substr(equals + 1));
    if (flag->takes == Takes::nothing) {
      const auto on = equals == std::string_view::npos ? std::optional(true) : switch_value(value);
      if (!on) {
        return fail(Errc::bad_usage, fmt::format("invalid boolean value \"{}\" for -{}", value, name));
      }
      flag->set(out, *on ? "true" : "false");
      continue;
    }
    if (equals == std::string_view::npos) {
      if (i + 1 == arguments.size()) {
        return fail(Errc::bad_usage, fmt::format("flag needs an argument: -{}", name));
      }
      value = arguments[++i];
    }
    if (flag->takes == Takes::number && !is_number(value)) {
      return fail(Errc::bad_usage, fmt::format("invalid value \"{}\" for flag -{}: not a number", value, name));
    }
    flag->set(out, std::move(value));
  }
  if (out.log_format && *out.log_format != "nats" && *out.log_format != "text" && *out.log_format != "json") {
    return fail(Errc::bad_usage, fmt::format("-log_format {}: it is nats, text or json", *out.log_format));
  }
  return out;
}

Result<void> apply(const BrokerFlags& flags, broker::Settings& settings) {
  constexpr std::int64_t kMostThreads = 64;
  if (flags.threads && (*flags.threads < 1 || *flags.threads > kMostThreads)) {
    return fail(Errc::bad_usage, fmt::format("-threads {}: from 1 to {}", *flags.threads, kMostThreads));
  }
  if (flags.server_name && flags.server_name->find_first_of(" \t") != std::string::npos) {
    return fail(Errc::bad_usage, "server name cannot contain spaces");
  }
  if (flags.host && !flags.host->empty()) {
    // Monitoring follows the host of the file where the file gave it none of its own.
    for (auto* monitor : {&settings.monitoring.http, &settings.monitoring.https}) {
      if (*monitor && settings.listen && (*monitor)->host == settings.listen->host) {
        (*monitor)->host = *flags.host;
      }
    }
    settings.listen->host = *flags.host;
  }
  for (Result<void> set : {set_port(flags.port, "p", settings.listen->port),
                           set_monitor(flags.http_port, "m", settings, settings.monitoring.http),
                           set_monitor(flags.https_port, "ms", settings, settings.monitoring.https)}) {
    if (!set) {
      return set;
    }
  }
  set_if(flags.threads, settings.threads);
  set_if(flags.server_name, settings.server_name);
  set_if(flags.client_advertise, settings.client_advertise);
  set_if(flags.pid_file, settings.pid_file);
  set_if(flags.ports_file_dir, settings.ports_file_dir);
  broker::Logging& log = settings.logging;
  set_if(flags.log_file, log.file);
  if (flags.log_size_limit) {
    log.file_size_limit = static_cast<std::uint64_t>(std::max<std::int64_t>(0, *flags.log_size_limit));
  }
  if (flags.max_traced_msg_len) {
    log.max_traced_msg_len = static_cast<std::size_t>(std::max<std::int64_t>(0, *flags.max_traced_msg_len));
  }
  set_if(flags.debug, log.debug);
  set_if(flags.trace, log.trace);
  set_if(flags.trace_verbose, log.trace_verbose);
  set_if(flags.logtime, log.logtime);
  set_if(flags.logtime_utc, log.logtime_utc);
  set_if(flags.user, settings.authorization.user);
  if (flags.password) {
    settings.authorization.password = flags.password->copy();
  }
  if (flags.token) {
    settings.authorization.token = flags.token->copy();
  }
  return set_tls(flags, settings);
}

log::Output log_output(const BrokerFlags& flags, const broker::Logging& logging) {
  const std::string format = flags.log_format.value_or("nats");
  return {.format = format == "json"   ? log::Format::json
                    : format == "text" ? log::Format::text
                                       : log::Format::nats,
          .debug = logging.debug,
          .trace = logging.trace,
          .time = logging.logtime,
          .utc = logging.logtime_utc,
          .file = logging.file,
          .file_bytes = logging.file_size_limit,
          .file_backups = logging.file_backups};
}

void describe_broker_flags(CLI::App& command) {
  for (const Flag& flag : all_flags()) {
    if (flag.names.front() == "h") {
      continue;  // CLI11's own
    }
    std::string names;
    for (const std::string_view name : flag.names) {
      names += (names.empty() ? "" : ",") + std::string(name.size() == 1 ? "-" : "--") + std::string(name);
    }
    const std::string what(flag.what);
    if (flag.takes == Takes::nothing) {
      command.add_flag(names, what);
    } else {
      command
          .add_option(
              names, [](const CLI::results_t&) { return true; }, what)
          ->type_name(std::string(flag.value));
    }
  }
}

void hide_secret_arguments(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const auto word = flag_word(argv[i]);
    if (!word) {
      continue;
    }
    const std::size_t equals = word->find('=');
    const Flag* flag = find_flag(word->substr(0, equals));
    if (flag == nullptr || flag->takes != Takes::secret) {
      continue;
    }
    char* value = equals != std::string_view::npos ? std::strchr(argv[i], '=') + 1
                  : i + 1 < argc                   ? argv[i + 1]
                                                   : nullptr;
    if (value != nullptr) {
      std::memset(value, '*', std::strlen(value));
    }
  }
}

}  // namespace hawser::cli
