// What the threads of one broker have in common: accounts, configuration, counters, each other.
//
// Made before the workers and destroyed after them. `configuration` is replaced by reloads on the thread that reloads;
// workers get the new one posted and keep their own pointer.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/metrics.hpp"
#include "broker/account_rules.hpp"
#include "broker/accounts.hpp"
#include "broker/authenticator.hpp"
#include "broker/authority.hpp"
#include "broker/bcrypt_check.hpp"
#include "broker/closed_connections.hpp"
#include "broker/settings.hpp"
#include "broker/tls_policy.hpp"

namespace hawser::broker {

class ClientEvents;
class Worker;

// One generation of everything that a reload may change; immutable.
struct Configuration {
  std::shared_ptr<const Settings> settings;
  AuthorityPtr authority;                                // operator mode; otherwise null
  std::shared_ptr<const std::vector<Account>> accounts;  // of the settings, or of the authority
  std::shared_ptr<const Authenticator> authenticator;
  AccountRuleSetPtr rules;
  std::vector<Error> problems;           // operator mode: accounts and imports that cannot be used
  std::shared_ptr<const TlsPolicy> tls;  // null: plain
  tls::ContextPtr monitoring_tls;        // the same certificate, but browsers need none; null: no https_port
  std::string host;                      // where clients find it, for INFO
  std::uint16_t port = 0;
  WallTime loaded{};
};
using ConfigurationPtr = std::shared_ptr<const Configuration>;

// Validates, reads TLS material, and puts it all together; where clients find it is for the caller to fill in. Errors:
// those of validate(), Authenticator::make() and TlsPolicy::make().
// In operator mode also broker_account_invalid and broker_system_account: the accounts' JWTs are read, the resolver's
// directory too, and nothing is written.
[[nodiscard]] Result<ConfigurationPtr> configure(Settings settings);
// The same in operator mode with other accounts, or as time has changed them.
[[nodiscard]] std::shared_ptr<Configuration> with_accounts(const Configuration& before, AccountJwts jwts);

struct Counters {
  metrics::Counter connections;  // all that there ever were
  metrics::Counter slow_pending;
  metrics::Counter slow_deadline;
  metrics::Counter stale;
  metrics::Counter auth_failures;
  metrics::Counter tls_failures;
  metrics::Counter denied_publishes;
  metrics::Counter denied_subscribes;
};

// How many TLS handshakes may begin in a second. Any thread.
class HandshakeRate {
 public:
  [[nodiscard]] bool allow(std::uint32_t most_a_second, Time now) {
    const std::lock_guard lock(mutex_);
    if (now - since_ >= std::chrono::seconds(1)) {
      since_ = now;
      count_ = 0;
    }
    return ++count_ <= most_a_second;
  }

 private:
  std::mutex mutex_;
  Time since_{};
  std::uint32_t count_ = 0;
};

struct Hub {
  std::string server_id;  // N…
  std::string version;    // as INFO has it
  WallTime started{};
  Accounts accounts;
  Counters counters;
  ClosedConnections closed;
  std::atomic<std::uint64_t> next_client{0};
  std::atomic<std::size_t> clients{0};
  std::atomic<bool> lame_duck{false};
  std::vector<Worker*> workers;  // by their index
  ClientEvents* events = nullptr;
  HandshakeRate handshakes;
  std::unique_ptr<BcryptCheck> passwords = std::make_unique<BcryptCheck>();
};

}  // namespace hawser::broker
