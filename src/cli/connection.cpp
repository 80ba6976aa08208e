#include "cli/connection.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/quantity.hpp"
#include "config/agent_file.hpp"
#include "posture/gather.hpp"
#include "wire/subject.hpp"

namespace hawser::cli {
namespace {

using posture::Key;

// The file under the environment.
Result<posture::Settings> configured(const ConnectionFlags& flags) {
  posture::Settings environment = posture::from_environment(posture::process_environment);
  if (flags.config.empty() && !config::find_agent_file("./config")) {
    return environment;
  }
  auto file = config::load_agent_directory(flags.config.empty() ? "./config" : flags.config);
  if (!file) {
    return std::unexpected(std::move(file.error()));
  }
  return posture::merge(std::move(environment), std::move(file->connection));
}

// A secret flag, by value or as a file; the file may be a pipe, so it is read here and once.
Result<void> set_secret(posture::Settings& settings, Key key, std::string& value, const std::string& file,
                        std::string_view name) {
  const std::string flag = "flag --" + std::string(name);
  const Secret given = Secret::take(std::move(value));
  if (!given.empty() && !file.empty()) {
    return fail(Errc::bad_usage, "--" + std::string(name) + " and --" + std::string(name) + "-file exclude each other");
  }
  if (!given.empty()) {
    posture::set(settings, key, given.reveal(), flag);
  } else if (!file.empty()) {
    auto secret = file == "-" ? ask_secret(name) : read_secret_file(file, limits::kCredentialFileBytes);
    if (!secret) {
      return std::unexpected(std::move(secret.error()));
    }
    if (secret->reveal().find_first_not_of(" \t\r\n") == std::string_view::npos) {
      return fail(Errc::credential_malformed, flag + "-file: it is empty");
    }
    posture::set(settings, key, secret->reveal(), flag + "-file");
  }
  return {};
}

Result<posture::Settings> from_flags(ConnectionFlags& flags) {
  posture::Settings settings;
  const auto set = [&](Key key, const std::string& value, const char* name) {
    if (!value.empty()) {
      posture::set(settings, key, value, std::string("flag --") + name);
    }
  };
  set(Key::url, flags.server, "server");
  set(Key::username, flags.user, "user");
  set(Key::creds, flags.creds, "creds");
  set(Key::nkey_file, flags.nkey, "nkey");
  set(Key::tls_cert, flags.tlscert, "tlscert");
  set(Key::tls_key, flags.tlskey, "tlskey");
  set(Key::tls_ca, flags.tlsca, "tlsca");
  set(Key::tls_handshake_first, flags.tlsfirst ? "true" : "", "tlsfirst");
  wipe(flags.server);  // it may hold a password
  if (auto done = set_secret(settings, Key::password, flags.password, flags.password_file, "password"); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (auto done = set_secret(settings, Key::token, flags.token, flags.token_file, "token"); !done) {
    return std::unexpected(std::move(done.error()));
  }
  return settings;
}

// Prints warnings, and errors but the first, which is answered.
Result<void> obey(const posture::Decision& decision, bool json, const ConnectionFlags& flags) {
  Result<void> verdict;
  for (const posture::Finding& finding : decision.findings) {
    if (flags.made_for_this_run && finding.code == Errc::user_jwt_expiring) {
      continue;
    }
    if (finding.severity == posture::Severity::error && verdict) {
      verdict = std::unexpected(posture::to_error(finding));
    } else if (finding.severity != posture::Severity::note || flags.trace) {
      print_finding(finding, json);
    }
  }
  return verdict;
}

Result<std::string> inbox_prefix(const ConnectionFlags& flags, const std::string& of_context) {
  std::string prefix = !flags.inbox_prefix.empty() ? flags.inbox_prefix : of_context.empty() ? "_INBOX" : of_context;
  if (prefix.ends_with('.')) {
    prefix.pop_back();
  }
  if (const auto fault = wire::publish_fault(prefix); fault != wire::SubjectFault::none) {
    return std::unexpected(wire::bad_subject(prefix, fault));
  }
  return prefix;
}

}  // namespace

void add_connection_flags(CLI::App& command, ConnectionFlags& flags) {
  const auto add = [&](const char* name, std::string& into, const char* help, const char* type) {
    return command.add_option(name, into, help)->group("Connection")->type_name(type);
  };
  add("-s,--server", flags.server, "Server URL, or several with commas: tls://host:4222", "URL");
  add("--user", flags.user, "User name", "NAME");
  add("--password", flags.password,
      "Password. For a moment other users of this machine can see it: better --password-file or NATS_PASSWORD", "TEXT");
  add("--password-file", flags.password_file, "File (or pipe) with the password; \"-\" asks for it on the terminal",
      "FILE");
  add("--token", flags.token, "Token; seen by others for a moment, as --password is", "TEXT");
  add("--token-file", flags.token_file, "File (or pipe) with the token; \"-\" asks for it on the terminal", "FILE");
  add("--creds", flags.creds, "Creds file: user JWT and seed", "FILE");
  add("--nkey", flags.nkey, "File with an NKey seed", "FILE");
  add("--tlscert", flags.tlscert, "Client certificate, PEM", "FILE");
  add("--tlskey", flags.tlskey, "Its private key, PEM, or a pkcs11: URI", "FILE");
  add("--tlsca", flags.tlsca, "CAs that the server's certificate may come from, PEM", "FILE");
  command.add_flag("--tlsfirst", flags.tlsfirst, "TLS before the server's INFO (its handshake_first)")
      ->group("Connection");
  add("--timeout", flags.timeout, "How long to try to connect, and to wait for an answer", "DURATION")
      ->capture_default_str();
  add("--context", flags.context, "A context of the nats CLI, by name", "NAME");
  add("--config", flags.config, "Directory with broker.yaml (default: ./config, if there is one)", "DIR");
  add("--connection-name", flags.name, "How the server lists this connection", "TEXT");
  add("--inbox-prefix", flags.inbox_prefix, "Where replies are expected (default _INBOX)", "SUBJECT");
  command.add_flag("--trace", flags.trace, "Log the steps of the connection on standard error")->group("Connection");
}

Result<Connection> collect(ConnectionFlags& flags, std::string_view command, bool json) {
  hide_secret_arguments();
  log::configure(flags.trace ? log::Level::debug : log::Level::error, json ? log::Format::json : log::Format::text);
  Connection connection;
  connection.json = json;
  connection.name = flags.name.empty() ? std::string(command) : flags.name;
  auto timeout = parse_duration(flags.timeout);
  if (!timeout || *timeout <= std::chrono::nanoseconds::zero()) {
    return fail(timeout ? Errc::bad_quantity : timeout.error().code, "--timeout " + flags.timeout);
  }
  connection.timeout = *timeout;

  auto over = from_flags(flags);
  if (!over) {
    return std::unexpected(std::move(over.error()));
  }
  Context context;
  if (!flags.context.empty()) {
    auto read = read_context(flags.context);
    if (!read) {
      return std::unexpected(std::move(read.error()));
    }
    context = std::move(*read);
  }
  auto prefix = inbox_prefix(flags, context.inbox_prefix);
  if (!prefix) {
    return std::unexpected(std::move(prefix.error()));
  }
  connection.inbox_prefix = std::move(*prefix);
  auto under = configured(flags);
  if (!under) {
    return std::unexpected(std::move(under.error()));
  }
  using posture::Layering;
  connection.settings = std::make_shared<const posture::Settings>(
      posture::merge(posture::merge(std::move(*over), std::move(context.settings), Layering::deliberate),
                     std::move(*under), Layering::deliberate));
  return connection;
}

Result<Connection> settle(ConnectionFlags& flags, std::string_view command, bool json) {
  auto collected = collect(flags, command, json);
  if (!collected) {
    return collected;
  }
  Connection& connection = *collected;
  auto decision = std::make_shared<const posture::Decision>(posture::evaluate(
      *connection.settings, posture::gather(*connection.settings, wall_now()), wall_now(), posture::Purpose::start_up));
  if (auto allowed = obey(*decision, json, flags); !allowed) {
    return std::unexpected(std::move(allowed.error()));
  }
  auto material = tls::load(decision->tls.source, wall_now());
  if (!material) {
    return std::unexpected(std::move(material.error()));
  }
  auto access = session::make_access(std::move(decision), *material, 1);
  if (!access) {
    return std::unexpected(std::move(access.error()));
  }
  connection.material = std::move(*material);
  connection.access = std::move(*access);
  return collected;
}

void print_finding(const posture::Finding& finding, bool json) {
  const std::string message = log::redact(finding.message);
  std::string line;
  if (json) {
    boost::json::array sources;
    for (const std::string& source : finding.sources) {
      sources.emplace_back(log::redact(source));
    }
    const boost::json::value document = {{std::string(to_string(finding.severity)),
                                          {{"id", error_id(finding.code)},
                                           {"name", info(finding.code).name},
                                           {"message", message},
                                           {"hint", finding.hint},
                                           {"sources", std::move(sources)}}}};
    line = boost::json::serialize(document) + "\n";
  } else {
    std::string sources;
    for (const std::string& source : finding.sources) {
      sources += (sources.empty() ? " (" : ", ") + log::redact(source);
    }
    line = "hawser: " + std::string(to_string(finding.severity)) + ": " + error_id(finding.code) + " " + message +
           sources + (sources.empty() ? "" : ")") + "\n  hint: " + finding.hint + "\n";
  }
  std::fputs(line.c_str(), stderr);
}

void print_notice(std::string_view text, bool json) {
  const std::string safe = log::redact(text);
  const std::string line =
      json ? boost::json::serialize(boost::json::value{{"notice", safe}}) + "\n" : "hawser: " + safe + "\n";
  std::fputs(line.c_str(), stderr);
}

}  // namespace hawser::cli
