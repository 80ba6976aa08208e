// `hawser agent` with broker.type: local: the embedded broker in this process, in place of a server elsewhere.
//
// Programs of this machine reach it on the agent's listener, plain and without credentials; a configuration of the
// broker's own may let others in on a second listener, by its rules. reload() is thread-safe.
//
//   auto agent = LocalAgent::start(file, HAWSER_VERSION);
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "admin/server.hpp"
#include "base/error.hpp"
#include "broker/broker.hpp"
#include "broker/monitor_views.hpp"
#include "config/agent_file.hpp"
#include "config/broker_conf.hpp"

namespace hawser::cli {

// What the broker is told, of an agent's file, with what is to be said of it. Errors: all mistakes of broker.config.
[[nodiscard]] Result<config::BrokerConf> local_broker(const config::AgentFile& file);

class LocalAgent {
 public:
  // Errors: those of the settings and of Broker::start; listen_failed of the admin endpoint.
  [[nodiscard]] static Result<std::unique_ptr<LocalAgent>> start(config::AgentFile file, std::string version);
  ~LocalAgent();
  LocalAgent(const LocalAgent&) = delete;
  LocalAgent& operator=(const LocalAgent&) = delete;

  // Reads broker.config and its certificates again; the outcome is logged, too.
  Result<std::string> reload();
  void stop();

  [[nodiscard]] std::string listen_address() const;
  [[nodiscard]] std::string admin_address() const;  // empty: none

 private:
  LocalAgent(config::AgentFile file, std::string version) : file_(std::move(file)), version_(std::move(version)) {}
  Result<void> open_admin();
  admin::Status status();

  config::AgentFile file_;
  std::string version_;
  std::mutex reloading_;
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<broker::MonitorViews> views_;
  std::unique_ptr<admin::Server> admin_;
};

}  // namespace hawser::cli
