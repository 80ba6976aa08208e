#include "broker/broker.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <netdb.h>
#include <set>

#include "base/log.hpp"
#include "broker/account_services.hpp"
#include "broker/claims_service.hpp"
#include "broker/excess_connections.hpp"
#include "broker/hub.hpp"
#include "broker/reload_changes.hpp"
#include "broker/survey.hpp"
#include "broker/system_service.hpp"
#include "broker/worker.hpp"
#include "identity/nkey.hpp"
#include "net/listener.hpp"
#include "wire/subject.hpp"

namespace hawser::broker {
namespace {

constexpr Duration kReloadWithin = std::chrono::seconds(10);

Result<net::Address> resolve(const Listen& listen) {
  const std::string host = listen.host.empty() ? "0.0.0.0" : listen.host;
  if (auto literal = net::Address::literal(host, listen.port)) {
    return literal;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(host.c_str(), nullptr, &hints, &found); code != 0 || found == nullptr) {
    return fail(Errc::listen_failed, "resolving " + host + ": " + gai_strerror(code));
  }
  // Go listens on a name's IPv4 address if it has one: "localhost" is 127.0.0.1, whatever /etc/hosts names first.
  const addrinfo* chosen = found;
  for (const addrinfo* each = found; each != nullptr && chosen->ai_family != AF_INET; each = each->ai_next) {
    chosen = each->ai_family == AF_INET ? each : chosen;
  }
  const std::string ip = net::Address::from(chosen->ai_addr, chosen->ai_addrlen).ip();
  freeaddrinfo(found);
  return net::Address::literal(ip, listen.port);
}

UserInfo user_info(const Settings& settings) {
  return settings.system_account.empty() ? UserInfo::none : UserInfo::answered;
}

}  // namespace

class Broker::Impl final : public MonitorSource, private AccountsOwner {
 public:
  Impl(ConfigurationPtr configuration, BrokerHost host)
      : host_(std::move(host)), configuration_(std::move(configuration)) {}
  ~Impl() override { stop(); }

  Result<void> start();
  Result<std::vector<std::string>> reload(Settings settings);
  void note_failed_reload() { failed_reloads_.fetch_add(1); }
  void lame_duck();
  void stop();

  std::shared_ptr<const Settings> settings() override { return configuration()->settings; }
  std::shared_ptr<const std::vector<Account>> configured_accounts() override { return configuration()->accounts; }
  ServerFacts identity() override;
  std::vector<ConnectionFacts> connections(const ConnectionQuery& query) override;
  const ClosedConnections& closed() override { return hub_.closed; }
  std::vector<AccountFacts> accounts() override;
  std::vector<SubscriptionFacts> subscriptions(const SubscriptionQuery& query) override;
  std::string trouble() override;

  std::optional<net::Address> listen_address;
  std::optional<net::Address> trusted_address;
  std::unique_ptr<Monitor> monitor;        // there even when it listens nowhere: the system service shows the same
  std::unique_ptr<ClaimsService> claims_;  // in operator mode
  std::unique_ptr<SystemService> system_;  // outlives the workers
  Hub hub_;

 private:
  Result<void> listen_on(const net::Address& address, Door door, std::optional<net::Address>& bound);
  Result<void> open_listeners();
  void accept(net::Fd fd, const net::Address& peer, Door door);
  void close_listeners();
  void tell_where(Configuration& configuration) const;
  void install(const ConfigurationPtr& placed);
  void tell_problems(const Configuration& now);
  Result<void> change_accounts(const Change& change) override;
  ConfigurationPtr configuration() const override {
    const std::lock_guard lock(mutex_);
    return configuration_;
  }

  BrokerHost host_;
  mutable std::mutex mutex_;
  ConfigurationPtr configuration_;  // guarded by mutex_
  std::mutex reloading_;
  std::set<std::string> told_problems_;  // guarded by reloading_
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;  // on the first worker's thread
  std::atomic<std::size_t> workers_left_{0};
  std::atomic<std::uint64_t> reloads_{0};
  std::atomic<std::uint64_t> failed_reloads_{0};
  bool stopped_ = false;
};

Result<void> Broker::Impl::start() {
  auto key = identity::KeyPair::create(identity::KeyKind::server);
  if (!key) {
    return std::unexpected(std::move(key.error()));
  }
  hub_.server_id = key->public_key().text();
  hub_.version = version_text(host_.version);
  hub_.started = wall_now();
  const Settings& settings = *configuration_->settings;
  hub_.closed.keep(settings.max_closed_clients);
  std::ignore = hub_.accounts.at(kGlobalAccount);
  if (!settings.system_account.empty()) {
    std::ignore = hub_.accounts.at(settings.system_account);
  }
  for (const Account& account : *configuration_->accounts) {
    std::ignore = hub_.accounts.at(account.name);
  }
  if (settings.operator_mode) {
    claims_ = std::make_unique<ClaimsService>(static_cast<AccountsOwner&>(*this));
    if (auto settled = claims_->settle_in(); !settled) {
      return settled;
    }
    tell_problems(*configuration_);
  }
  for (std::uint32_t i = 0; i < std::max<std::size_t>(settings.threads, 1); ++i) {
    auto worker = Worker::make(hub_, i, configuration_);
    if (!worker) {
      return std::unexpected(std::move(worker.error()));
    }
    hub_.workers.push_back(worker->get());
    workers_.push_back(std::move(*worker));
  }
  if (auto opened = open_listeners(); !opened) {
    return opened;
  }
  auto monitoring = Monitor::start(settings.monitoring, *this,
                                   [this]() -> tls::ContextPtr { return configuration()->monitoring_tls; });
  if (!monitoring) {
    return std::unexpected(std::move(monitoring.error()));
  }
  monitor = std::move(*monitoring);
  apply_services(hub_.accounts, *configuration_->rules, user_info(settings));
  if (!settings.system_account.empty()) {
    system_ = std::make_unique<SystemService>(hub_, monitor->views(), settings.system_account, claims_.get());
    system_->attach();
    hub_.events = system_.get();
  }
  for (const auto& worker : workers_) {
    worker->start();
  }
  if (system_) {
    system_->start();
  }
  return {};
}

Result<void> Broker::Impl::open_listeners() {
  const Settings& settings = *configuration_->settings;
  if (settings.trusted) {
    auto address = net::Address::parse(settings.trusted->address);
    if (!address) {
      return std::unexpected(std::move(address.error()));
    }
    if (!address->is_loopback()) {
      return fail(Errc::not_loopback, "the plain listener without credentials: " + address->text());
    }
    if (auto opened = listen_on(*address, Door::trusted, trusted_address); !opened) {
      return opened;
    }
  }
  if (settings.listen) {
    auto address = resolve(*settings.listen);
    if (!address) {
      return std::unexpected(std::move(address.error()));
    }
    if (auto opened = listen_on(*address, Door::listener, listen_address); !opened) {
      return opened;
    }
  }
  auto placed = std::make_shared<Configuration>(*configuration_);
  tell_where(*placed);
  configuration_ = placed;
  for (const auto& worker : workers_) {
    worker->begin_with(configuration_);
  }
  return {};
}

void Broker::Impl::tell_where(Configuration& configuration) const {
  const Settings& settings = *configuration.settings;
  const std::optional<net::Address>& bound = listen_address ? listen_address : trusted_address;
  configuration.host = settings.listen ? settings.listen->host : "127.0.0.1";
  configuration.port = bound ? bound->port() : 0;
  if (const std::string& told = settings.client_advertise; !told.empty()) {
    const auto colon = told.rfind(':');
    configuration.host = told.substr(0, colon);
    if (colon != std::string::npos) {
      configuration.port = static_cast<std::uint16_t>(std::strtoul(told.c_str() + colon + 1, nullptr, 10));
    }
  }
}

Result<void> Broker::Impl::listen_on(const net::Address& address, Door door, std::optional<net::Address>& bound) {
  auto listener =
      net::Listener::open(workers_.front()->reactor(), address,
                          [this, door](net::Fd fd, const net::Address& peer) { accept(std::move(fd), peer, door); });
  if (!listener) {
    return std::unexpected(std::move(listener.error()));
  }
  bound = (*listener)->address();
  listeners_.push_back(std::move(*listener));
  return {};
}

void Broker::Impl::accept(net::Fd fd, const net::Address& peer, Door door) {
  const auto emptiest = std::ranges::min_element(workers_, {}, [](const auto& worker) { return worker->clients(); });
  (*emptiest)->accept(std::move(fd), peer, door);
}

// On the first worker's thread, or when that has ended.
void Broker::Impl::close_listeners() {
  for (auto& listener : listeners_) {
    listener->close();
    workers_.front()->reactor().retire(std::move(listener));
  }
  listeners_.clear();
}

Result<std::vector<std::string>> Broker::Impl::reload(Settings settings) {
  const std::lock_guard one(reloading_);
  const ConfigurationPtr before = configuration();
  const auto failed = [this](Error error) {
    failed_reloads_.fetch_add(1);
    return std::unexpected(std::move(error));
  };
  if (auto allowed = can_reload(*before->settings, settings); !allowed) {
    return failed(std::move(allowed.error()));
  }
  auto made = configure(std::move(settings));
  if (!made) {
    return failed(std::move(made.error()));
  }
  auto placed = std::make_shared<Configuration>(**made);
  tell_where(*placed);
  hub_.closed.keep(placed->settings->max_closed_clients);
  install(placed);
  if (claims_) {
    if (auto settled = claims_->settle_in(); !settled) {
      log::write(log::Level::error, "the accounts of the configuration could not be stored", settled.error());
    }
  }
  reloads_.fetch_add(1);
  return describe_changes(*before, *placed);
}

// Returns when every live connection was judged under it.
void Broker::Impl::install(const ConfigurationPtr& placed) {
  for (const Account& account : *placed->accounts) {
    std::ignore = hub_.accounts.at(account.name);
  }
  apply_services(hub_.accounts, *placed->rules, user_info(*placed->settings));
  {
    const std::lock_guard lock(mutex_);
    configuration_ = placed;
  }
  if (system_) {
    system_->attach();
  }
  tell_problems(*placed);
  struct Progress {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t left;
  };
  auto progress = std::make_shared<Progress>();
  progress->left = workers_.size();
  for (const auto& worker : workers_) {
    worker->take_up(placed, [progress] {
      const std::lock_guard lock(progress->mutex);
      --progress->left;
      progress->changed.notify_one();
    });
  }
  std::unique_lock lock(progress->mutex);
  if (!progress->changed.wait_for(lock, kReloadWithin, [&] { return progress->left == 0; })) {
    log::error("a thread did not answer to the reload in time", {{"threads", progress->left}});
  }
  lock.unlock();
  if (placed->authority) {
    end_excess(hub_, *placed->accounts);
  }
}

Result<void> Broker::Impl::change_accounts(const Change& change) {
  const std::lock_guard one(reloading_);
  const ConfigurationPtr before = configuration();
  AccountJwts jwts = before->authority->jwts();
  if (auto changed = change(jwts); !changed) {
    return changed;
  }
  install(with_accounts(*before, std::move(jwts)));
  return {};
}

// Each once, for as long as it lasts.
void Broker::Impl::tell_problems(const Configuration& now) {
  std::set<std::string> told;
  for (const Error& problem : now.problems) {
    if (told.insert(problem.message()).second && !told_problems_.contains(problem.message())) {
      log::write(log::Level::warn, "an account or an import cannot be used", problem);
    }
  }
  told_problems_ = std::move(told);
}

void Broker::Impl::lame_duck() {
  if (hub_.lame_duck.exchange(true)) {
    return;
  }
  const ConfigurationPtr now = configuration();
  workers_left_ = workers_.size();
  workers_.front()->reactor().post([this] { close_listeners(); });
  for (const auto& worker : workers_) {
    worker->lame_duck(now->settings->lame_duck_grace_period, now->settings->lame_duck_duration, [this] {
      if (workers_left_.fetch_sub(1) == 1 && host_.lame_duck_over) {
        host_.lame_duck_over();
      }
    });
  }
}

void Broker::Impl::stop() {
  if (std::exchange(stopped_, true)) {
    return;
  }
  if (monitor) {
    monitor->stop();
  }
  if (system_) {
    system_->stop();
  }
  if (!workers_.empty()) {
    if (workers_.front()->running()) {
      workers_.front()->reactor().post([this] { close_listeners(); });
    } else {
      close_listeners();
    }
  }
  for (const auto& worker : workers_) {
    worker->stop();
  }
  hub_.passwords.reset();  // its answers are posted to workers
}

ServerFacts Broker::Impl::identity() {
  const ConfigurationPtr now = configuration();
  const Counters& counters = hub_.counters;
  ServerFacts facts;
  facts.id = hub_.server_id;
  facts.name = now->settings->server_name.empty() ? hub_.server_id : now->settings->server_name;
  facts.version = hub_.version;
  facts.host = now->host;
  facts.port = now->port;
  facts.start = hub_.started;
  facts.config_loaded = now->loaded;
  facts.connections = hub_.clients.load();
  facts.total_connections = counters.connections.value();
  facts.slow_consumers_pending = counters.slow_pending.value();
  facts.slow_consumers_deadline = counters.slow_deadline.value();
  facts.stale_connections = counters.stale.value();
  facts.auth_failures = counters.auth_failures.value();
  facts.tls_failures = counters.tls_failures.value();
  facts.denied_publishes = counters.denied_publishes.value();
  facts.denied_subscribes = counters.denied_subscribes.value();
  facts.reloads = reloads_.load();
  facts.failed_reloads = failed_reloads_.load();
  facts.lame_duck = hub_.lame_duck.load();
  facts.threads = workers_.size();
  if (now->tls) {
    facts.tls_not_after = now->tls->not_after();
  }
  return facts;
}

std::vector<ConnectionFacts> Broker::Impl::connections(const ConnectionQuery& query) {
  std::vector<ConnectionFacts> all;
  for (const auto& worker : workers_) {
    std::size_t first = all.size();
    worker->inspect([&](Worker& here) {
      for (const auto& [id, client] : here.all()) {
        if (!client->ended() && (query.cid == 0 || query.cid == id)) {
          all.push_back(client->facts());
        }
      }
    });
    for (; query.subscriptions && first < all.size(); ++first) {
      survey(*worker, all[first].cid, all[first].subscriptions_list);
    }
  }
  return all;
}

std::vector<AccountFacts> Broker::Impl::accounts() {
  std::map<std::string, AccountFacts, std::less<>> all;
  for (const AccountState* account : hub_.accounts.all()) {
    AccountFacts& facts = all[account->name];
    const auto stats = account->sublist.stats();
    facts.name = account->name;
    facts.connections = static_cast<std::uint64_t>(std::max<std::int64_t>(0, account->connections.load()));
    facts.total_connections = account->total_connections.value();
    facts.slow_consumers = account->slow_consumers.value();
    facts.sublist.subscriptions = stats.count;
    facts.sublist.inserts = stats.inserts;
    facts.sublist.removes = stats.removes;
    facts.sublist.matches = stats.matches;
  }
  std::map<std::string, std::uint64_t, std::less<>> fanouts;
  for (const auto& worker : workers_) {
    worker->inspect([&](Worker& here) {
      for (const auto& [account, view] : here.views()) {
        AccountFacts& facts = all[account->name];
        const auto stats = view->routes.stats();
        facts.traffic.in_msgs += view->traffic.in_msgs;
        facts.traffic.in_bytes += view->traffic.in_bytes;
        facts.traffic.out_msgs += view->traffic.out_msgs;
        facts.traffic.out_bytes += view->traffic.out_bytes;
        facts.sublist.cache += stats.entries;
        facts.sublist.cache_hits += stats.hits;
        facts.sublist.matches += stats.hits;
        facts.sublist.max_fanout = std::max(facts.sublist.max_fanout, stats.max_fanout);
        fanouts[account->name] += stats.sum_fanout;
      }
    });
  }
  std::vector<AccountFacts> list;
  for (auto& [name, facts] : all) {
    if (facts.sublist.cache != 0) {
      facts.sublist.avg_fanout = static_cast<double>(fanouts[name]) / static_cast<double>(facts.sublist.cache);
    }
    list.push_back(std::move(facts));
  }
  return list;
}

std::vector<SubscriptionFacts> Broker::Impl::subscriptions(const SubscriptionQuery& query) {
  std::vector<SubscriptionFacts> all;
  for (const auto& worker : workers_) {
    if (all.size() < query.most) {
      survey(*worker, query, all);
    }
  }
  return all;
}

std::string Broker::Impl::trouble() {
  for (const auto& worker : workers_) {
    if (!worker->inspect([](Worker&) {})) {
      return "thread " + std::to_string(worker->index()) + " does not answer";
    }
  }
  return {};
}

std::string version_text(const std::string& hawser_version) {
  return std::string(kNatsVersion) + "-hawser." + hawser_version;
}

Broker::Broker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Broker::~Broker() = default;

Result<std::unique_ptr<Broker>> Broker::start(Settings settings, BrokerHost host) {
  auto configuration = configure(std::move(settings));
  if (!configuration) {
    return std::unexpected(std::move(configuration.error()));
  }
  auto impl = std::make_unique<Impl>(std::move(*configuration), std::move(host));
  if (auto started = impl->start(); !started) {
    impl->stop();
    return std::unexpected(std::move(started.error()));
  }
  return std::unique_ptr<Broker>(new Broker(std::move(impl)));
}

Result<std::vector<std::string>> Broker::reload(Settings settings) { return impl_->reload(std::move(settings)); }
void Broker::note_failed_reload() { impl_->note_failed_reload(); }
void Broker::lame_duck() { impl_->lame_duck(); }
void Broker::stop() { impl_->stop(); }
std::optional<net::Address> Broker::listen_address() const { return impl_->listen_address; }
std::optional<net::Address> Broker::trusted_address() const { return impl_->trusted_address; }
const std::string& Broker::server_id() const { return impl_->hub_.server_id; }
MonitorSource& Broker::facts() { return *impl_; }

std::optional<std::string> Broker::http_address() const {
  return impl_->monitor ? impl_->monitor->http_address() : std::nullopt;
}
std::optional<std::string> Broker::https_address() const {
  return impl_->monitor ? impl_->monitor->https_address() : std::nullopt;
}

}  // namespace hawser::broker
