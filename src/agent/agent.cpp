#include "agent/agent.hpp"

#include <openssl/rand.h>

#include <condition_variable>
#include <mutex>

#include "admin/server.hpp"
#include "agent/control.hpp"
#include "agent/expiry.hpp"
#include "agent/reloads.hpp"
#include "agent/status.hpp"
#include "agent/worker.hpp"
#include "base/log.hpp"

namespace hawser::agent {
namespace {

std::string random_id() {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string id(56, 'N');  // the form of a server's public key, so that what expects one is not surprised
  for (std::size_t i = 1; i < id.size(); ++i) {
    unsigned char byte = 0;
    RAND_bytes(&byte, 1);
    id[i] = kLetters[byte % kLetters.size()];
  }
  return id;
}

// Of every Nats-Msg-Id that this run of the agent makes; the client's and the message's number follow.
std::string message_ids(const std::string& agent_id) { return "hawser-" + agent_id.substr(1, 16) + '-'; }

constexpr std::int64_t kMessageIdBytes = 128;  // at most, with the header block that a message may not have had

// A lost link's publishes wait that long for another one, before they go to disk.
constexpr Duration kWindowWaitsForLink = std::chrono::milliseconds(250);

}  // namespace

class Agent::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)), metrics_(registry_) {}
  ~Impl() { stop(); }

  Result<void> start();
  void reload() { reloads_->now(); }
  void stop();
  [[nodiscard]] net::Address listen_address() const { return address_; }
  [[nodiscard]] std::string admin_address() const { return admin_ ? admin_->address() : std::string(); }

 private:
  Result<void> open_queue();
  void queue_progressed();
  Result<void> make_workers(const session::AccessPtr& access);
  Result<void> watch(session::AccessPtr access);
  Result<void> open_admin();
  void take_up(const session::AccessPtr& access, const tls::MaterialPtr& material);
  void heard(const wire::ServerInfo& info);
  void accept(net::Fd fd, const net::Address& peer);
  void watch_deadline();
  [[nodiscard]] admin::Health ready() const;
  [[nodiscard]] admin::Status status();

  Options options_;
  metrics::Registry registry_;
  Metrics metrics_;
  net::Resolver resolver_;
  std::atomic<std::size_t> clients_{0};
  std::atomic<std::uint64_t> next_client_id_{0};
  std::mutex upstream_mutex_;
  std::shared_ptr<const wire::ServerInfo> upstream_ = std::make_shared<wire::ServerInfo>(first_guess());
  const std::string id_ = random_id();
  std::unique_ptr<store::DiskQueue> queue_;
  std::unique_ptr<Outage> outage_;
  std::atomic<bool> control_told_{false};
  std::atomic<bool> hears_of_queue_{false};  // workers_ and control_ are there
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<net::Listener> listener_;  // the first worker's
  net::Address address_;
  std::unique_ptr<Control> control_;         // the first worker's
  std::unique_ptr<net::Timer> deadline_;     // the first worker's
  std::unique_ptr<Expiry> expiry_;           // the first worker's
  std::unique_ptr<Reloads> reloads_;
  std::unique_ptr<admin::Server> admin_;
  std::size_t next_worker_ = 0;
  bool running_ = false;
  WallTime started_ = wall_now();

  // Before any server was heard of: what today's servers say.
  static wire::ServerInfo first_guess() {
    wire::ServerInfo info;
    info.headers = true;
    return info;
  }
};

Result<void> Agent::Impl::start() {
  auto access = session::make_access(options_.decision, options_.material, 1);
  if (!access) {
    return std::unexpected(std::move(access.error()));
  }
  metrics_.break_glass_active.set(options_.decision->break_glass.active ? 1 : 0);
  metrics_.breaker.set(1);
  if (!options_.listen.is_loopback()) {
    return fail(Errc::not_loopback, "agent.listen " + options_.listen.text());
  }
  if (auto opened = open_queue(); !opened) {
    return opened;
  }
  if (auto made = make_workers(*access); !made) {
    return made;
  }
  if (auto watched = watch(*access); !watched) {
    return watched;
  }
  if (auto opened = open_admin(); !opened) {
    return opened;
  }
  running_ = true;
  for (auto& worker : workers_) {
    worker->start();
  }
  hears_of_queue_ = true;
  workers_.front()->reactor().post([this, access = *access] {
    control_->start(access);
    expiry_->watch(access, options_.material);
    watch_deadline();
  });
  return {};
}

Result<void> Agent::Impl::open_queue() {
  if (options_.queue) {
    auto queue = store::DiskQueue::open(*options_.queue, [this] { queue_progressed(); });
    if (!queue) {
      return std::unexpected(std::move(queue.error()));
    }
    queue_ = std::move(*queue);
    options_.session.outage_after = std::min<Duration>(options_.session.outage_after, kWindowWaitsForLink);
  }
  if (queue_ || options_.fallback.mode != FallbackMode::local_queue) {
    outage_ = std::make_unique<Outage>(options_.fallback, queue_.get(), id_);
    outage_->deliver = [this](std::uint32_t worker, std::vector<LocalDelivery> deliveries) {
      workers_[worker]->deliver(std::move(deliveries));
    };
  }
  return {};
}

// On the queue's thread.
void Agent::Impl::queue_progressed() {
  if (!hears_of_queue_) {
    return;
  }
  for (auto& worker : workers_) {
    worker->queue_progressed();
  }
  if (!control_told_.exchange(true)) {
    workers_.front()->reactor().post([this] {
      control_told_ = false;
      control_->queue_progressed();
    });
  }
}

Result<void> Agent::Impl::make_workers(const session::AccessPtr& access) {
  GreetingContext greeting;
  greeting.agent_id = id_;
  greeting.max_payload = options_.limits.max_payload;
  greeting.added = options_.dedupe_header ? kMessageIdBytes : 0;
  for (std::size_t i = 0; i < std::max<std::size_t>(options_.threads, 1); ++i) {
    auto worker = Worker::make(Worker::Shared{.resolver = resolver_,
                                              .metrics = metrics_,
                                              .session_options = options_.session,
                                              .limits = options_.limits,
                                              .greeting = greeting,
                                              .max_clients = options_.max_clients,
                                              .clients = clients_,
                                              .next_client_id = next_client_id_,
                                              .outage = outage_.get(),
                                              .message_ids = options_.dedupe_header ? message_ids(id_) : std::string(),
                                              .heard_of_upstream = [this](const wire::ServerInfo& info) { heard(info); }},
                               static_cast<std::uint32_t>(i), access, upstream_);
    if (!worker) {
      return std::unexpected(std::move(worker.error()));
    }
    workers_.push_back(std::move(*worker));
  }
  net::Reactor& first = workers_.front()->reactor();
  auto listener = net::Listener::open(first, options_.listen,
                                      [this](net::Fd fd, const net::Address& peer) { accept(std::move(fd), peer); });
  if (!listener) {
    return std::unexpected(std::move(listener.error()));
  }
  listener_ = std::move(*listener);
  address_ = listener_->address();
  for (auto& worker : workers_) {
    worker->listens_on(address_);
  }
  control_ = std::make_unique<Control>(first, resolver_, options_.session, metrics_, outage_.get(),
                                       Control::Events{.heard = [this](const wire::ServerInfo& info) { heard(info); },
                                                       .refused = [this] { reloads_->after_refusal(); }});
  expiry_ = std::make_unique<Expiry>(first, metrics_);
  return {};
}

void Agent::Impl::accept(net::Fd fd, const net::Address& peer) {
  if (clients_.fetch_add(1) >= options_.max_clients) {
    clients_.fetch_sub(1);
    metrics_.clients_refused.add();
    static constexpr std::string_view kFull = "-ERR 'maximum connections exceeded'\r\n";
    [[maybe_unused]] const auto n = ::write(fd.value(), kFull.data(), kFull.size());
    return;
  }
  workers_[next_worker_++ % workers_.size()]->accept(std::move(fd), peer.ip());
}

void Agent::Impl::heard(const wire::ServerInfo& info) {
  std::shared_ptr<const wire::ServerInfo> fresh;
  {
    const std::lock_guard lock(upstream_mutex_);
    if (upstream_->server_id == info.server_id && upstream_->max_payload == info.max_payload &&
        upstream_->headers == info.headers) {
      return;
    }
    upstream_ = std::make_shared<wire::ServerInfo>(info);
    fresh = upstream_;
  }
  for (auto& worker : workers_) {
    worker->heard(fresh);
  }
}

Result<void> Agent::Impl::watch(session::AccessPtr access) {
  auto reloads = Reloads::start(std::move(access), options_.settings, options_.material, options_.watch, metrics_,
                                [this](const session::AccessPtr& fresh, const tls::MaterialPtr& fresh_material) {
                                  take_up(fresh, fresh_material);
                                });
  if (!reloads) {
    return std::unexpected(std::move(reloads.error()));
  }
  reloads_ = std::move(*reloads);
  return {};
}

void Agent::Impl::take_up(const session::AccessPtr& access, const tls::MaterialPtr& material) {
  workers_.front()->reactor().post([this, access, material] {
    control_->take_up(access);
    expiry_->watch(access, material);
  });
  for (auto& worker : workers_) {
    worker->take_up(access, options_.spread);
  }
}

// The plaintext override ends by itself, at its time.
void Agent::Impl::watch_deadline() {
  const auto until = posture::next_deadline(*options_.decision);
  if (!until) {
    return;
  }
  deadline_ = std::make_unique<net::Timer>(workers_.front()->reactor(), [this, until = *until] {
    if (wall_now() < until) {
      deadline_->start(std::min<Duration>(until - wall_now() + std::chrono::milliseconds(1), std::chrono::minutes(1)));
      return;
    }
    metrics_.break_glass_active.set(0);
    log::error("the plaintext override has ended; links in plain text are closed",
               {{"id", error_id(Errc::break_glass_expired)}, {"owner", options_.decision->break_glass.owner}});
    control_->check_posture();
    for (auto& worker : workers_) {
      worker->check_posture();
    }
  });
  deadline_->start(Duration::zero());
}

Result<void> Agent::Impl::open_admin() {
  if (options_.admin.empty()) {
    return {};
  }
  admin::Endpoints endpoints;
  endpoints.metrics = [this] { return registry_.expose(); };
  // Alive without a server, too: it keeps what clients publish. But whoever looks is to see it.
  endpoints.health = [this] {
    return admin::Health{{{"process", true, ""}, {"breaker", true, control_->breaker()}}};
  };
  endpoints.ready = [this] { return ready(); };
  endpoints.reload = [this]() -> Result<std::string> { return reloads_->now_and_wait(std::chrono::seconds(10)); };
  endpoints.status = [this] { return status(); };
  auto server = admin::Server::start(options_.admin, std::move(endpoints));
  if (!server) {
    return std::unexpected(std::move(server.error()));
  }
  admin_ = std::move(*server);
  return {};
}

admin::Health Agent::Impl::ready() const {
  return admin::Health{{{"upstream", control_->up(), control_->state()}}};
}

admin::Status Agent::Impl::status() {
  std::vector<Worker::ClientView> clients;
  for (auto& worker : workers_) {
    auto some = worker->view(200 - std::min<std::size_t>(clients.size(), 200));
    clients.insert(clients.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  }
  return make_status({.version = options_.version,
                      .listen = address_.text(),
                      .started = started_,
                      .upstream_up = control_->up(),
                      .upstream = control_->state(),
                      .access = reloads_->current(),
                      .material = reloads_->material(),
                      .last_rejection = reloads_->last_rejection(),
                      .breaker = control_->breaker(),
                      .queue = queue_ ? std::optional(queue_->stats()) : std::nullopt,
                      .clients_total = clients_.load(),
                      .clients = std::move(clients)},
                     metrics_);
}

void Agent::Impl::stop() {
  if (!std::exchange(running_, false)) {
    return;
  }
  std::mutex mutex;
  std::condition_variable done;
  std::size_t left = workers_.size();
  workers_.front()->reactor().post([this] { listener_->close(); });
  for (auto& worker : workers_) {
    worker->drain([&] {
      const std::lock_guard lock(mutex);
      --left;
      done.notify_one();
    });
  }
  {
    std::unique_lock lock(mutex);
    if (!done.wait_for(lock, options_.stop_within, [&] { return left == 0; })) {
      log::warn("stopped with clients whose publishes were not confirmed");
    }
  }
  admin_.reset();
  resolver_.stop();
  for (auto& worker : workers_) {
    worker->stop();
  }
  reloads_.reset();  // after the threads that ask it
  queue_.reset();  // commits what was put; its last words go to threads that have ended
  deadline_.reset();
  expiry_.reset();
  control_.reset();
  listener_.reset();
  workers_.clear();
  log::info("stopped");
}

Agent::Agent(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Agent::~Agent() = default;

Result<std::unique_ptr<Agent>> Agent::start(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (auto started = impl->start(); !started) {
    return std::unexpected(std::move(started.error()));
  }
  return std::unique_ptr<Agent>(new Agent(std::move(impl)));
}

net::Address Agent::listen_address() const { return impl_->listen_address(); }
std::string Agent::admin_address() const { return impl_->admin_address(); }
void Agent::reload() { impl_->reload(); }
void Agent::stop() { impl_->stop(); }

}  // namespace hawser::agent
