// One thread of the agent: a reactor and the clients that live on it.
//
// start() runs the thread; everything marked "any thread" is posted to it. The destructor stops it and waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "agent/client.hpp"
#include "agent/worker_context.hpp"
#include "net/listener.hpp"

namespace hawser::agent {

class Worker {
 public:
  struct Shared {  // with the other workers
    net::Resolver& resolver;
    Metrics& metrics;
    const session::SessionOptions& session_options;
    const ClientLimits& limits;
    GreetingContext greeting;
    std::size_t max_clients;
    std::atomic<std::size_t>& clients;
    std::atomic<std::uint64_t>& next_client_id;
    Outage* outage;  // or null
    std::string message_ids;
    std::function<void(const wire::ServerInfo&)> heard_of_upstream;  // any thread
  };

  [[nodiscard]] static Result<std::unique_ptr<Worker>> make(Shared shared, std::uint32_t number,
                                                            session::AccessPtr access,
                                                            std::shared_ptr<const wire::ServerInfo> upstream);
  ~Worker();

  // Where clients find the agent, for its INFO. Before start().
  void listens_on(const net::Address& address);
  void start();
  // Ends the thread; clients that are left lose their connections, and what they published goes to the disk queue.
  void stop();
  [[nodiscard]] net::Reactor& reactor() noexcept { return *reactor_; }

  // Any thread.
  void accept(net::Fd fd, std::string ip);
  // Each client's session moves there within `spread`, at a random time of its own.
  void take_up(session::AccessPtr access, Duration spread);
  void heard(std::shared_ptr<const wire::ServerInfo> upstream);
  void check_posture();
  void deliver(std::vector<LocalDelivery> deliveries);
  void queue_progressed();
  // Closes every client once its publishes are confirmed; `done` is called on the worker's thread when none is left.
  void drain(std::function<void()> done);

  // One line of the status page.
  struct ClientView {
    std::uint64_t id;
    std::string name;
    std::string server;
    std::size_t subscriptions;
    std::size_t unconfirmed_bytes;
    bool up;
  };
  // Any thread; waits for the worker at most a second.
  [[nodiscard]] std::vector<ClientView> view(std::size_t at_most);

 private:
  Worker(Shared shared, std::uint32_t number, std::unique_ptr<net::Reactor> reactor, session::AccessPtr access,
         std::shared_ptr<const wire::ServerInfo> upstream);
  void take_in(net::Fd fd, std::string ip);
  void remove(Client& client);
  void deliver_now(const std::vector<LocalDelivery>& deliveries);
  void tell_those_who_wait();

  Shared shared_;
  std::unique_ptr<net::Reactor> reactor_;
  WorkerContext context_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Client>> clients_;
  std::unordered_set<std::uint64_t> await_queue_;  // clients
  std::atomic<bool> progress_posted_{false};
  std::function<void()> drained_;
  std::thread thread_;
};

}  // namespace hawser::agent
