// The monitoring of a broker over HTTP: /varz, /connz, /subsz, /accountz, /healthz … as nats-server's, and /metrics.
//
// It is handed a source of snapshots and knows nothing of reactors. The source is called on the threads of the monitor,
// so it must be thread-safe; it has to outlive the monitor. stop() (and the destructor) ends thread and connections
// after the call that may be running: it must not be called from a thread that the source waits for.
//
//   auto monitor = Monitor::start(settings->monitoring, *this, [this] { return current_tls_context(); });
//   log::info("monitoring", {{"http", (*monitor)->http_address()}});   …   (*monitor)->stop();
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "broker/closed_connections.hpp"
#include "broker/facts.hpp"
#include "broker/settings.hpp"
#include "tls/context.hpp"

namespace hawser::broker {

class MonitorViews;

// What the monitoring asks for. Each call returns within about a second: of a reactor that does not answer in time,
// what it would have said is missing, and `trouble` says so.
class MonitorSource {
 public:
  virtual ~MonitorSource() = default;

  // As of the last start or reload.
  [[nodiscard]] virtual std::shared_ptr<const Settings> settings() = 0;
  // Those of the settings; in operator mode, of the JWTs.
  [[nodiscard]] virtual std::shared_ptr<const std::vector<Account>> configured_accounts() {
    const std::shared_ptr<const Settings> now = settings();
    return {now, &now->accounts};
  }
  // What is known without asking the threads: traffic and sublist stay empty.
  [[nodiscard]] virtual ServerFacts identity() = 0;
  // The same with the sums of all accounts.
  [[nodiscard]] ServerFacts server();
  // Open connections, in any order.
  [[nodiscard]] virtual std::vector<ConnectionFacts> connections(const ConnectionQuery& query) = 0;
  [[nodiscard]] virtual const ClosedConnections& closed() = 0;
  // Every account, $G and the system account among them, used or not.
  [[nodiscard]] virtual std::vector<AccountFacts> accounts() = 0;
  [[nodiscard]] virtual std::vector<SubscriptionFacts> subscriptions(const SubscriptionQuery& query) = 0;
  // Why the broker is not well ("thread 2 does not answer"); empty: it is. /healthz answers 503 with it.
  [[nodiscard]] virtual std::string trouble() = 0;
};

// The sums of all accounts, put into `server`.
[[nodiscard]] ServerFacts with_sums(ServerFacts server, const std::vector<AccountFacts>& accounts);

// The context that new connections to https_port are to use; asked for each of them, so that a reload is seen.
using MonitorTls = std::function<tls::ContextPtr()>;

class Monitor {
 public:
  // Listens on `http`, `https`, both or neither. `https` needs `tls`. Errors: bad_listen_address, listen_failed.
  [[nodiscard]] static Result<std::unique_ptr<Monitor>> start(const Monitoring& where, MonitorSource& source,
                                                              MonitorTls tls = {});
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // "127.0.0.1:8222", with the port that it got; nothing when it does not listen there.
  [[nodiscard]] std::optional<std::string> http_address() const;
  [[nodiscard]] std::optional<std::string> https_address() const;
  // What it shows, for those who show it elsewhere; also when it listens nowhere.
  [[nodiscard]] MonitorViews& views() noexcept;
  void stop();

 private:
  struct Impl;
  explicit Monitor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hawser::broker
