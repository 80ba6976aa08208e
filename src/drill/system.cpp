#include "drill/system.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <optional>
#include <thread>

#include "base/file.hpp"
#include "rotation/http.hpp"
#include "rotation/process.hpp"

namespace hawser::drill {

namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr Duration kStartsWithin = 30s;
constexpr Duration kLook = 10ms;
constexpr std::size_t kPortsBytes = 65'536;

// nats-server's words for "any free port"; once it has had one, that one.
int port_or_any(std::uint16_t port) { return port == 0 ? -1 : port; }

std::uint16_t port_of(std::string_view url) {
  int port = 0;
  for (const char c : url.substr(url.rfind(':') + 1)) {
    port = c >= '0' && c <= '9' && port < 100'000 ? port * 10 + (c - '0') : port;
  }
  return static_cast<std::uint16_t>(port);
}

// The port of a member that is an address, or a list of addresses. 0: it is not there.
std::uint16_t port_in(const json::object& ports, std::string_view member) {
  const json::value* value = ports.if_contains(member);
  if (value != nullptr && value->is_array() && !value->get_array().empty()) {
    value = &value->get_array().front();
  }
  return value != nullptr && value->is_string() ? port_of(value->get_string()) : std::uint16_t{0};
}

std::optional<json::object> read_ports(const Path& file) {
  const Result<std::string> text = read_file(file, kPortsBytes);
  std::error_code failed;
  json::value value = text ? json::parse(*text, failed) : json::value();
  return text && !failed && value.is_object() ? std::optional(std::move(value.get_object())) : std::nullopt;
}

Result<void> make_directory(const Path& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  return failed ? fail(Errc::drill_impossible, fmt::format("{}: {}", path.string(), failed.message())) : Result<void>();
}

std::string broker_conf(const System::Broker& broker, const std::vector<std::uint16_t>& routes, bool clustered) {
  const std::string directory = broker.directory.string();
  std::string text = fmt::format(
      "server_name: \"{0}\"\nlisten: \"127.0.0.1:{1}\"\nhttp: \"127.0.0.1:{2}\"\nports_file_dir: \"{3}\"\n"
      "pid_file: \"{3}/pid\"\n"
      "tls {{ cert_file: \"{3}/server.crt\", key_file: \"{3}/server.key\", ca_file: \"{3}/clients.crt\", "
      "verify: true, timeout: 10 }}\n",
      broker.name, port_or_any(broker.port), port_or_any(broker.monitor), directory);
  if (clustered) {
    std::string list;
    for (const std::uint16_t port : routes) {
      list += fmt::format("{}\"nats://127.0.0.1:{}\"", list.empty() ? "" : ", ", port);
    }
    text += fmt::format("cluster {{ name: drill, listen: \"127.0.0.1:{}\", routes: [{}] }}\n",
                        port_or_any(broker.cluster), list);
  }
  return text;
}

// The queue waits until other agents are back as well: their subscribers would miss what is drained before.
std::string agent_yaml(const System::Agent& agent, std::uint16_t broker_port) {
  return fmt::format(
      "broker:\n  type: nats\n  url: tls://127.0.0.1:{}\n"
      "  tls: {{ cert_file: ./tls.crt, key_file: ./tls.key, ca_file: ./ca.crt }}\n"
      "  persistence: {{ enabled: true, path: ./queue }}\n  fallback: {{ drain_delay: 1s }}\n"
      "  reconnect: {{ wait: 20ms, max_wait: 200ms }}\n"
      "agent:\n  listen: 127.0.0.1:{}\n  admin: 127.0.0.1:{}\n",
      broker_port, agent.port, agent.admin);
}

}  // namespace

System::System(SystemOptions options, StopAsked stop_asked)
    : options_(std::move(options)), stop_asked_(std::move(stop_asked)), papers_(options_.directory) {}

Result<std::unique_ptr<System>> System::start(SystemOptions options, StopAsked stop_asked) {
  std::unique_ptr<System> system(new System(std::move(options), std::move(stop_asked)));
  Result<void> up = system->find_out_kind();
  up = up ? system->bring_up() : up;
  up = up ? system->wait_ready() : up;
  return up ? Result<std::unique_ptr<System>>(std::move(system)) : std::unexpected(up.error());
}

Result<void> System::find_out_kind() {
  if (options_.server_bin.empty()) {
    return {};
  }
  const rotation::Command ask{{options_.server_bin, "--version"}, false};
  const Result<std::string> said = rotation::run_command(ask, now() + 10s, {});
  // "nats-server: v2.9.10"
  const std::size_t version = said ? said->find(": v") : std::string::npos;
  if (version == std::string::npos) {
    return fail(Errc::drill_impossible,
                fmt::format("{} is no nats-server: {}", options_.server_bin,
                            said ? "its --version is of another form" : said.error().message()));
  }
  const std::string number = said->substr(version + 3, said->find_first_of(" \r\n", version + 3) - version - 3);
  kind_ = "nats-server " + number;
  return {};
}

Result<void> System::bring_up() {
  std::vector<std::string> clients{"probe"};
  std::vector<std::string> servers;
  for (std::size_t i = 0; i < options_.brokers; ++i) {
    brokers_.push_back(
        {.name = fmt::format("n{}", i + 1), .directory = options_.directory / fmt::format("n{}", i + 1)});
    servers.push_back(brokers_.back().name);
  }
  for (std::size_t i = 0; i < options_.agents; ++i) {
    agents_.push_back({.name = fmt::format("a{}", i + 1),
                       .directory = options_.directory / fmt::format("a{}", i + 1),
                       .broker = i % options_.brokers});
    clients.push_back(agents_.back().name);
  }
  Result<void> done = papers_.make(0, clients, servers);
  for (std::size_t i = 0; done && i < brokers_.size(); ++i) {
    const Path& directory = brokers_[i].directory;
    done = make_directory(directory);
    done = done ? put_file(papers_.cert(0, brokers_[i].name), directory / "server.crt") : done;
    done = done ? put_file(papers_.key(0, brokers_[i].name), directory / "server.key") : done;
    done = done ? put_file(papers_.ca(0), directory / "clients.crt") : done;
    done = done ? start_broker(brokers_[i], i) : done;
  }
  for (std::size_t i = 0; done && i < agents_.size(); ++i) {
    const Path& directory = agents_[i].directory;
    done = make_directory(directory);
    done = done ? put_file(papers_.key(0, agents_[i].name), directory / "tls.key") : done;
    done = done ? put_file(papers_.cert(0, agents_[i].name), directory / "tls.crt") : done;
    done = done ? put_file(papers_.ca(0), directory / "ca.crt") : done;
    done = done ? start_agent(agents_[i]) : done;
  }
  return done;
}

Result<std::size_t> System::next_generation() {
  std::vector<std::string> clients{"probe"};
  std::vector<std::string> servers;
  for (const Agent& agent : agents_) {
    clients.push_back(agent.name);
  }
  for (const Broker& broker : brokers_) {
    servers.push_back(broker.name);
  }
  const Result<void> made = papers_.make(++generation_, clients, servers);
  return made ? Result<std::size_t>(generation_) : std::unexpected(made.error());
}

Result<void> System::start_broker(Broker& broker, std::size_t number) {
  std::vector<std::uint16_t> routes;
  for (std::size_t i = 0; i < brokers_.size(); ++i) {
    if (i != number && brokers_[i].cluster != 0) {
      routes.push_back(brokers_[i].cluster);
    }
  }
  const Path conf = broker.directory / "nats.conf";
  const Path log = broker.directory / "log";
  const bool clustered = brokers_.size() > 1;
  const Result<void> written =
      write_file_atomically(conf, broker_conf(broker, routes, clustered), FileMode::owner_only);
  if (!written) {
    return written;
  }
  std::vector<std::string> words{options_.server_bin, "-c", conf.string()};
  if (options_.server_bin.empty()) {
    words = {options_.hawser.string(), "broker", "-c", conf.string()};
  }
  Result<Child> process = Child::start(words, log, {});
  if (!process) {
    return std::unexpected(process.error());
  }
  broker.process = std::move(*process);
  // The file is called by the server's name and its process.
  const std::string suffix = fmt::format("_{}.ports", broker.process.pid());
  return wait_for(broker.process, log, broker.name + " does not listen", [&] {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(broker.directory, ignored)) {
      const auto ports = entry.path().string().ends_with(suffix) ? read_ports(entry.path()) : std::nullopt;
      if (ports) {
        broker.port = port_in(*ports, "nats");
        broker.monitor = port_in(*ports, "monitoring");
        broker.cluster = port_in(*ports, "cluster");
        return broker.port != 0 && broker.monitor != 0 && (broker.cluster != 0 || !clustered);
      }
    }
    return false;
  });
}

Result<void> System::start_agent(Agent& agent) {
  const Path yaml = agent.directory / "broker.yaml";
  const Path log = agent.directory / "log";
  const Path ports_file = agent.directory / "ports";
  std::error_code ignored;
  std::filesystem::remove(ports_file, ignored);
  const Result<void> written =
      write_file_atomically(yaml, agent_yaml(agent, brokers_[agent.broker].port), FileMode::owner_only);
  if (!written) {
    return written;
  }
  Result<Child> process = Child::start(
      {options_.hawser.string(), "agent", "--config", agent.directory.string(), "--ports-file", ports_file.string()},
      log, {"HAWSER_ENV=production"});
  if (!process) {
    return std::unexpected(process.error());
  }
  agent.process = std::move(*process);
  return wait_for(agent.process, log, agent.name + " does not listen", [&] {
    const auto ports = read_ports(ports_file);
    if (ports) {
      agent.port = port_in(*ports, "listen");
      agent.admin = port_in(*ports, "admin");
    }
    return ports.has_value();
  });
}

Result<void> System::restart_broker(std::size_t number) { return start_broker(brokers_[number], number); }

Result<void> System::restart_agent(std::size_t number) { return start_agent(agents_[number]); }

Result<void> System::wait_ready() {
  for (Agent& agent : agents_) {
    const rotation::Endpoint admin{.host = "127.0.0.1", .port = agent.admin};
    const Result<void> ready =
        wait_for(agent.process, agent.directory / "log", agent.name + " is not connected to its broker", [&] {
          const auto answer = rotation::ask({.to = admin, .target = "/readyz"}, now() + 5s, {});
          return answer && answer->status == 200;
        });
    if (!ready) {
      return ready;
    }
  }
  return {};
}

Result<void> System::wait_for(Child& process, const Path& log, const std::string& what,
                              const std::function<bool()>& there) {
  const Time until = now() + kStartsWithin;
  while (!there()) {
    if (stop_asked_()) {
      return fail(Errc::interrupted, "while the system was coming up");
    }
    if (!process.running() || now() > until) {
      return fail(Errc::drill_impossible, fmt::format("{}; the end of {}:\n{}", what, log.string(), end_of_log(log)));
    }
    std::this_thread::sleep_for(kLook);
  }
  return {};
}

}  // namespace hawser::drill
