// hawser agent: the sidecar.
#include <CLI/CLI.hpp>
#include <poll.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <tuple>

#include "agent/agent.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "broker/hub.hpp"
#include "cli/agent_local.hpp"
#include "cli/command.hpp"
#include "config/agent_file.hpp"
#include "posture/gather.hpp"

namespace hawser::cli {
namespace {

struct AgentCommand {
  std::string config;
  std::string listen;
  std::string admin;
  std::string ports_file;
  std::string log_level;
  std::string log_format;
  std::size_t threads = 0;
  bool check = false;
};

// The file (when there is one), under the flags.
Result<config::AgentFile> read_file(const AgentCommand& command) {
  if (command.config.empty() && !config::find_agent_file("./config")) {
    config::AgentFile none;
    return none;
  }
  return config::load_agent_directory(command.config.empty() ? "./config" : command.config);
}

Result<void> apply_flags(const AgentCommand& command, config::AgentFile& file) {
  if (!command.listen.empty()) {
    auto listen = config::parse_listen_address(command.listen);
    if (!listen) {
      return std::unexpected(std::move(listen.error()));
    }
    file.agent.listen = *listen;
  }
  if (command.admin == "off") {
    file.agent.admin.reset();
  } else if (!command.admin.empty()) {
    auto admin = config::parse_listen_address(command.admin);
    if (!admin) {
      return std::unexpected(std::move(admin.error()));
    }
    file.agent.admin = *admin;
  }
  if (command.threads != 0) {
    file.agent.threads = static_cast<std::uint32_t>(command.threads);
  }
  static const std::map<std::string, log::Level> levels{{"debug", log::Level::debug},
                                                        {"info", log::Level::info},
                                                        {"warn", log::Level::warn},
                                                        {"error", log::Level::error}};
  if (!command.log_level.empty()) {
    file.agent.log_level = levels.at(command.log_level);
  }
  if (!command.log_format.empty()) {
    file.agent.log_format = command.log_format == "json" ? log::Format::json : log::Format::text;
  }
  return {};
}

// Logs every finding; the first error is what stops the start. With --check there is no log to find it in later: main prints it.
Result<void> obey(const posture::Decision& decision, bool check) {
  Result<void> verdict;
  for (const posture::Finding& finding : decision.findings) {
    const bool first_error = verdict && finding.severity == posture::Severity::error;
    if (first_error) {
      verdict = std::unexpected(posture::to_error(finding));
    }
    if (first_error && check) {
      continue;
    }
    const log::Level level = finding.severity == posture::Severity::error     ? log::Level::error
                             : finding.severity == posture::Severity::warning ? log::Level::warn
                                                                              : log::Level::info;
    std::string sources;
    for (const std::string& source : finding.sources) {
      sources += (sources.empty() ? "" : ", ") + source;
    }
    log::write(level, finding.message,
               {{"id", error_id(finding.code)},
                {"code", info(finding.code).name},
                {"source", sources},
                {"hint", finding.hint}});
  }
  return verdict;
}

// Being its own server, it would open connection after connection to itself. Without any URL, the default is just that.
Result<void> leads_elsewhere(const posture::Decision& decision, const net::Address& listen) {
  for (const posture::ServerUrl& server : decision.servers) {
    const auto address = net::Address::literal(server.host == "localhost" ? listen.ip() : server.host, server.port);
    if (!address || !(*address == listen)) {
      continue;
    }
    const bool default_url = std::ranges::any_of(
        decision.findings, [](const posture::Finding& finding) { return finding.code == Errc::url_missing; });
    return fail(default_url ? Errc::config_not_found : Errc::config_bad_value,
                "the agent would connect to itself: it listens on " + listen.text() + ", and the server is " +
                    server.printable());
  }
  return {};
}

// The file under the flags; from here on the log is as they say.
Result<config::AgentFile> make_file(const AgentCommand& command) {
  auto file = read_file(command);
  if (!file) {
    return file;
  }
  if (auto applied = apply_flags(command, *file); !applied) {
    return std::unexpected(std::move(applied.error()));
  }
  log::configure(file->agent.log_level, file->agent.log_format);
  return file;
}

Result<agent::Options> make_options(const AgentCommand& command, config::AgentFile& file) {
  agent::Options options;
  auto settings = std::make_shared<posture::Settings>(
      posture::merge(posture::from_environment(posture::process_environment), std::move(file.connection)));
  auto decision = std::make_shared<posture::Decision>(posture::evaluate(
      *settings, posture::gather(*settings, wall_now()), wall_now(), posture::Purpose::start_up));
  if (auto allowed = obey(*decision, command.check); !allowed) {
    return std::unexpected(std::move(allowed.error()));
  }
  auto material = tls::load(decision->tls.source, std::chrono::floor<std::chrono::seconds>(wall_now()));
  if (!material) {
    return std::unexpected(std::move(material.error()));
  }
  auto listen = net::Address::parse(file.agent.listen.text());
  if (!listen) {
    return std::unexpected(std::move(listen.error()));
  }
  if (auto elsewhere = leads_elsewhere(*decision, *listen); !elsewhere) {
    return std::unexpected(std::move(elsewhere.error()));
  }
  options.listen = *listen;
  options.admin = file.agent.admin ? file.agent.admin->text() : std::string();
  options.threads = file.agent.threads;
  options.max_clients = file.agent.max_clients;
  options.settings = std::move(settings);
  options.decision = std::move(decision);
  options.material = std::move(*material);
  options.watch.automatic = file.tls_reload.mode == config::Reload::automatic;
  options.watch.quiet = std::chrono::duration_cast<std::chrono::milliseconds>(file.tls_reload.quiet);
  options.session.window_bytes = file.agent.window;
  options.session.pool.backoff.wait = file.reconnect.wait;
  options.session.pool.backoff.max_wait = file.reconnect.max_wait;
  options.limits.max_pending_bytes = file.agent.client_max_pending;
  options.limits.max_payload = static_cast<std::int64_t>(file.limits.max_payload.value_or(0));
  if (file.persistence.enabled) {
    store::QueueOptions& queue = options.queue.emplace();
    queue.directory = file.persistence.path;
    queue.sync = file.persistence.sync == config::Sync::full ? store::Sync::full : store::Sync::normal;
    queue.when_full = file.persistence.when_full == config::WhenFull::reject ? store::WhenFull::reject : store::WhenFull::shed_oldest;
    queue.max_bytes = file.persistence.max_bytes;
    queue.max_messages = file.limits.max_pending;
  }
  options.dedupe_header = file.persistence.dedupe_header;
  options.fallback.mode = file.fallback.mode == config::FallbackMode::fail   ? agent::FallbackMode::fail
                          : file.fallback.mode == config::FallbackMode::drop ? agent::FallbackMode::drop
                                                                             : agent::FallbackMode::local_queue;
  options.fallback.drain = file.fallback.drain_on_reconnect;
  options.fallback.drain_delay = file.fallback.drain_delay;
  options.fallback.local_delivery = file.fallback.local_delivery;
  options.fallback.queue_requests = file.fallback.requests == config::FallbackRequests::queue;
  options.version = HAWSER_VERSION;
  return options;
}

// SIGHUP reloads, SIGINT and SIGTERM stop in order.
template <class Running>
void serve(Running& agent, int hangups) {
  std::array<pollfd, 2> watched{{{stop_descriptor(), POLLIN, 0}, {hangups, POLLIN, 0}}};
  while (true) {
    if (::poll(watched.data(), watched.size(), -1) < 0) {
      continue;
    }
    if ((watched[1].revents & POLLIN) != 0) {
      signalfd_siginfo info;
      [[maybe_unused]] const auto n = ::read(hangups, &info, sizeof info);
      log::info("reload asked for", {{"by", "SIGHUP"}});
      std::ignore = (agent.reload(), 0);  // it tells the log itself
    }
    if ((watched[0].revents & POLLIN) != 0) {
      sd_notify(0, "STOPPING=1");
      log::info("stopping", {{"signal", stop_signal()}});
      agent.stop();
      return;
    }
  }
}

std::string text_of(const net::Address& address) { return address.text(); }
std::string text_of(const std::string& address) { return address; }

// From when it listens to the end.
template <class Running>
Result<void> announce_and_serve(Running& agent, const AgentCommand& command, int hangups) {
  const std::string listen = text_of(agent.listen_address());
  const std::string admin = agent.admin_address();
  log::info("agent listens",
            {{"listen", listen}, {"admin", admin.empty() ? "off" : admin}, {"version", HAWSER_VERSION}});
  if (!command.ports_file.empty()) {
    const std::string json = "{\"listen\":\"" + listen + "\",\"admin\":\"" + admin + "\"}\n";
    if (auto written = write_file_atomically(command.ports_file, json, FileMode::world_readable); !written) {
      return written;
    }
  }
  sd_notify(0, "READY=1");
  serve(agent, hangups);
  return {};
}

Result<void> run_with_server(const AgentCommand& command, config::AgentFile file, int hangups) {
  auto options = make_options(command, file);
  if (!options) {
    return std::unexpected(std::move(options.error()));
  }
  if (command.check) {
    std::printf("the configuration is good: %zu server(s), %s, authentication %s\n", options->decision->servers.size(),
                std::string(to_string(options->decision->transport)).c_str(),
                std::string(to_string(options->decision->auth_mode)).c_str());
    return {};
  }
  auto agent = agent::Agent::start(std::move(*options));
  return agent ? announce_and_serve(**agent, command, hangups) : std::unexpected(std::move(agent.error()));
}

Result<void> run_with_local_broker(const AgentCommand& command, config::AgentFile file, int hangups) {
  if (posture::process_environment("NATS_URL")) {
    log::warn("NATS_URL is not used: broker.type is local", {{"source", file.origins["broker.type"]}});
  }
  if (command.check) {
    auto conf = local_broker(file);
    const auto made = conf ? broker::configure(std::move(conf->settings)) : std::unexpected(std::move(conf.error()));
    if (!made) {
      return std::unexpected(made.error());
    }
    std::printf("the configuration is good: the embedded broker%s\n", file.local.config.empty() ? "" : ", also for others");
    return {};
  }
  auto agent = LocalAgent::start(std::move(file), HAWSER_VERSION);
  return agent ? announce_and_serve(**agent, command, hangups) : std::unexpected(std::move(agent.error()));
}

Result<void> run(const AgentCommand& command) {
  sigset_t hangup;
  sigemptyset(&hangup);
  sigaddset(&hangup, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &hangup, nullptr);  // before threads: they inherit it
  auto file = make_file(command);
  if (!file) {
    return std::unexpected(std::move(file.error()));
  }
  const int hangups = signalfd(-1, &hangup, SFD_CLOEXEC | SFD_NONBLOCK);
  const bool local = file->broker == config::BrokerType::local;
  return local ? run_with_local_broker(command, std::move(*file), hangups)
               : run_with_server(command, std::move(*file), hangups);
}

}  // namespace

void add_agent(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<AgentCommand>();
  CLI::App* command = add_command(app, "agent", "Stand between local NATS clients and a server: mutual TLS, rotation without loss",
                                  "hawser agent --config ./config\n"
                                  "hawser agent --config /etc/hawser --check\n"
                                  "NATS_URL=tls://nats:4222 NATS_TLS_CA=ca.crt hawser agent --listen 127.0.0.1:4333");
  command->add_option("-c,--config", options->config, "Directory with broker.yaml (default: ./config, if there is one)")
      ->type_name("DIR");
  command->add_option("--listen", options->listen, "Loopback address for clients; port 0 takes a free one");
  command->add_option("--admin", options->admin, "Loopback address for metrics, health and status, or \"off\"");
  command->add_option("--threads", options->threads, "Event loops; more than one pays with many busy clients");
  command->add_option("--ports-file", options->ports_file, "Write the bound addresses there, as JSON")
      ->type_name("FILE");
  command->add_option("--log-level", options->log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  command->add_option("--log-format", options->log_format, "text or json")->check(CLI::IsMember({"text", "json"}));
  command->add_flag("--check", options->check, "Validate the configuration and posture, and exit");
  command->callback([options, &exit] { exit = run(*options); });
}

}  // namespace hawser::cli
