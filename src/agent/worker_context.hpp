// What the clients of one worker share. Belongs to the worker's thread, apart from what is marked.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "agent/greeting.hpp"
#include "agent/metrics.hpp"
#include "agent/outage.hpp"
#include "net/reactor.hpp"
#include "net/resolver.hpp"
#include "session/access.hpp"
#include "session/session.hpp"

namespace hawser::agent {

class Client;

struct ClientLimits {
  std::size_t max_pending_bytes = 64UL << 20U;             // towards one client
  Duration write_deadline = std::chrono::seconds(10);      // for a client that reads nothing at all
  Duration reject_after = std::chrono::seconds(10);        // back-pressure without a server, before publishes are refused
  Duration leave_within = std::chrono::seconds(10);        // for the last confirmations of a client that is gone
  std::int64_t max_payload = 0;                            // 0: the server's
};

struct WorkerContext {
  net::Reactor& reactor;
  net::Resolver& resolver;
  Metrics& metrics;
  session::AccessPtr access;
  std::shared_ptr<const wire::ServerInfo> upstream;  // what the server said last
  const session::SessionOptions& session_options;
  const ClientLimits& limits;
  GreetingContext greeting;
  Outage* outage = nullptr;  // null: what waits for a server waits in memory
  std::uint32_t number = 0;  // of the worker
  std::string message_ids;   // how the Nats-Msg-Id of a publish that has none begins; empty: none is added
  std::function<void(Client&)> gone;
  std::function<void(Client&)> await_queue;  // tell the client once the queue has got on
  std::function<void(const wire::ServerInfo&)> heard_of_upstream;
};

}  // namespace hawser::agent
