// The embedded broker: a NATS server for one machine.
//
// start() returns once it listens; from then on its threads serve. reload() applies a whole new configuration or
// nothing of it. All of it is thread-safe, and nothing may be called from a callback that it was given. The destructor
// stops it: connections are closed, what they had still to be sent is given a moment, the ports are free when it
// returns.
//
//   auto broker = Broker::start(std::move(settings), {.version = "1.0"});
//   log::info("listens", {{"listen", (*broker)->listen_address()->text()}});
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "broker/monitor.hpp"
#include "broker/settings.hpp"
#include "net/address.hpp"

namespace hawser::broker {

struct BrokerHost {
  std::string version = "0.0.0";              // of Hawser: part of what INFO says
  std::function<void()> lame_duck_over = {};  // once every client is gone; on a thread of the broker's
};

// The version of nats-server whose behaviour this is; clients decide by it what they may ask for.
inline constexpr const char* kNatsVersion = "2.10.29";

class Broker {
 public:
  // Errors: those of validate(), of TLS material, listen_failed, not_loopback (the trusted listener).
  [[nodiscard]] static Result<std::unique_ptr<Broker>> start(Settings settings, BrokerHost host);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // What changed, a line each ("tls", "authorization users" …). On an error nothing has changed. Returns when every
  // live connection was checked against it. Errors: those of start(), broker_reload_unsupported.
  [[nodiscard]] Result<std::vector<std::string>> reload(Settings settings);

  // A reload that failed before it came to that (a file that could not be read): counted with the others.
  void note_failed_reload();

  // Refuses new clients, tells those it has to go elsewhere, and closes them one after the other (lame_duck_duration).
  void lame_duck();
  // Closes everything; prompt. A second call does nothing.
  void stop();

  [[nodiscard]] std::optional<net::Address> listen_address() const;
  [[nodiscard]] std::optional<net::Address> trusted_address() const;
  [[nodiscard]] std::optional<std::string> http_address() const;
  [[nodiscard]] std::optional<std::string> https_address() const;
  [[nodiscard]] const std::string& server_id() const;

  // What monitoring shows, for those who show it elsewhere.
  [[nodiscard]] MonitorSource& facts();

 private:
  class Impl;
  explicit Broker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What a client reads in INFO as `version`, and `--version` prints after "nats-server: v".
[[nodiscard]] std::string version_text(const std::string& hawser_version);

}  // namespace hawser::broker
