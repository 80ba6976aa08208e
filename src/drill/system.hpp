// The throw-away system of a drill: brokers that want mutual TLS, and agents in front of them, each a process of its
// own. Everything is in one directory and on loopback, and ends with this object.
//
//   DIR/ca-N/…            the CA of generation N and what it issued
//   DIR/n1/               a broker: nats.conf, clients.crt (its bundle), server.crt, server.key, pid, log
//   DIR/a1/               an agent: broker.yaml, tls.crt, tls.key, ca.crt, queue/, log
//
// One thread, which has to live as long as the system (child.hpp). Blocking.
//
//   auto system = System::start(options, stop_asked);
//   (*system)->kill_broker(0);  (*system)->restart_broker(0);
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "drill/child.hpp"
#include "drill/papers.hpp"

namespace hawser::drill {

struct SystemOptions {
  Path directory;           // exists, and is empty
  Path hawser;              // the program, for agents and the embedded broker
  std::string server_bin;   // a nats-server; empty: the embedded broker
  std::size_t brokers = 1;  // more of them are a cluster, which the embedded broker knows nothing of
  std::size_t agents = 4;
};

// Asked while something is waited for: true ends the wait with `interrupted`.
using StopAsked = std::function<bool()>;

class System {
 public:
  struct Broker {
    std::string name;  // "n1"
    Path directory;
    std::uint16_t port = 0;
    std::uint16_t monitor = 0;
    std::uint16_t cluster = 0;
    Child process{};
  };
  struct Agent {
    std::string name;  // "a1"
    Path directory;
    std::size_t broker = 0;
    std::uint16_t port = 0;
    std::uint16_t admin = 0;
    Child process{};
  };

  // Errors: drill_impossible, with the end of the log of what did not start; interrupted.
  [[nodiscard]] static Result<std::unique_ptr<System>> start(SystemOptions options, StopAsked stop_asked);

  // Certificates of the next generation: its number.
  Result<std::size_t> next_generation();

  void kill_broker(std::size_t number) { brokers_[number].process.kill(); }
  void kill_agent(std::size_t number) { agents_[number].process.kill(); }
  // On their old ports. They return when it is there, as start() does.
  Result<void> restart_broker(std::size_t number);
  Result<void> restart_agent(std::size_t number);
  // All agents are connected to their brokers.
  Result<void> wait_ready();

  [[nodiscard]] const std::vector<Broker>& brokers() const noexcept { return brokers_; }
  [[nodiscard]] const std::vector<Agent>& agents() const noexcept { return agents_; }
  [[nodiscard]] const SystemOptions& options() const noexcept { return options_; }
  [[nodiscard]] Papers& papers() noexcept { return papers_; }
  [[nodiscard]] const Papers& papers() const noexcept { return papers_; }
  // "embedded", or "nats-server 2.9.10", as it says itself.
  [[nodiscard]] const std::string& kind() const noexcept { return kind_; }

 private:
  System(SystemOptions options, StopAsked stop_asked);

  Result<void> bring_up();
  Result<void> find_out_kind();
  Result<void> start_broker(Broker& broker, std::size_t number);
  Result<void> start_agent(Agent& agent);
  Result<void> wait_for(Child& process, const Path& log, const std::string& what, const std::function<bool()>& there);

  SystemOptions options_;
  StopAsked stop_asked_;
  Papers papers_;
  std::size_t generation_ = 0;
  std::string kind_ = "embedded";
  std::vector<Broker> brokers_;  // they end after the agents
  std::vector<Agent> agents_;
};

}  // namespace hawser::drill
