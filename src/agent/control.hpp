// The agent's own session: it tells whether the server can be reached, and what its INFO says, before any client is there;
// and it drains the disk queue.
// Belongs to the first worker's thread; up() and state() are for any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "agent/drain.hpp"
#include "agent/metrics.hpp"
#include "agent/outage.hpp"
#include "session/session.hpp"
#include "store/breaker.hpp"

namespace hawser::agent {

class Control final : private session::SessionUser {
 public:
  struct Events {
    std::function<void(const wire::ServerInfo&)> heard;
    std::function<void()> refused = {};  // the server does not take our credential, or not any more
  };
  Control(net::Reactor& reactor, net::Resolver& resolver, const session::SessionOptions& options, Metrics& metrics,
          Outage* outage, Events events);
  ~Control();

  void start(session::AccessPtr access);
  void take_up(const session::AccessPtr& access);
  void check_posture();
  void queue_progressed();

  [[nodiscard]] bool up() const noexcept { return up_.load(std::memory_order_acquire); }
  // "connected to tls://nats:4222 (n1)", or why not.
  [[nodiscard]] std::string state() const;
  // "closed"; "open: authorization violation: tls://nats:4222 said …".
  [[nodiscard]] std::string breaker() const;

 private:
  void on_messages(std::string_view, std::size_t) override {}
  void on_flushed(std::uint64_t token) override;
  void on_client_error(std::string_view text) override;
  void on_up(const wire::ServerInfo& info) override;
  void on_down(const Error& error) override;
  void on_probe() override;
  void on_relieved() override;
  void renew();
  void stop_session();
  void tell_breaker();
  void set(bool up, std::string state);

  net::Reactor& reactor_;
  net::Resolver& resolver_;
  const session::SessionOptions& options_;
  Metrics& metrics_;
  Events events_;
  store::Breaker breaker_;
  session::AccessPtr access_;
  std::unique_ptr<session::Session> session_;
  std::unique_ptr<Drain> drain_;  // with a disk queue
  std::atomic<bool> up_{false};
  mutable std::mutex mutex_;
  std::string state_ = "not connected yet";  // guarded by mutex_
  std::string breaker_text_ = "open";        // guarded by mutex_
};

}  // namespace hawser::agent
