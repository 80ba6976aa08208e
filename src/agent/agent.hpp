// The agent: a loopback listener, a session of its own towards the server, and a worker a thread for the clients.
//
// start() returns once it listens; it connects in the background and for ever. Material and credentials are watched, and taken
// up by every session. stop() is bounded: clients are closed once their publishes are confirmed, or after `stop_within`.
//
//   auto agent = Agent::start(std::move(options));
//   wait_for_signal();
//   (*agent)->stop();
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/outage.hpp"
#include "agent/worker_context.hpp"
#include "base/error.hpp"
#include "net/address.hpp"
#include "posture/evaluate.hpp"
#include "session/session.hpp"
#include "tls/material.hpp"
#include "tls/watcher.hpp"

namespace hawser::agent {

struct Options {
  net::Address listen;
  std::string admin;  // "127.0.0.1:9222"; empty: no admin endpoint
  std::size_t threads = 1;
  std::size_t max_clients = 65536;
  std::shared_ptr<const posture::Settings> settings;  // evaluated again when a credential's file changes
  std::shared_ptr<const posture::Decision> decision;  // ok()
  tls::MaterialPtr material;
  tls::WatchOptions watch;
  session::SessionOptions session;
  ClientLimits limits;
  std::optional<store::QueueOptions> queue;  // on disk; nothing: what waits for a server waits in memory
  Fallback fallback;
  bool dedupe_header = false;  // each message gets a Nats-Msg-Id, if it has none
  Duration spread = std::chrono::milliseconds(500);  // over which clients' sessions splice when material changes
  Duration stop_within = std::chrono::seconds(5);
  std::string version;
};

class Agent {
 public:
  // Errors: listen_failed, not_loopback, those of make_access, the watcher and the disk queue.
  [[nodiscard]] static Result<std::unique_ptr<Agent>> start(Options options);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  [[nodiscard]] net::Address listen_address() const;
  [[nodiscard]] std::string admin_address() const;  // empty: none

  // Reads material and credentials again now (SIGHUP). Any thread; the outcome is in the log and the metrics.
  void reload();
  void stop();

 private:
  class Impl;
  explicit Agent(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hawser::agent
