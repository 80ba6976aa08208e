#include "agent/worker.hpp"

#include <openssl/rand.h>

#include <future>

#include "base/log.hpp"

namespace hawser::agent {
namespace {

Duration random_part(Duration whole) {
  std::uint32_t bits = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&bits), sizeof bits);
  return std::chrono::duration_cast<Duration>(whole * (static_cast<double>(bits) / 4294967296.0));
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::make(Shared shared, std::uint32_t number, session::AccessPtr access,
                                             std::shared_ptr<const wire::ServerInfo> upstream) {
  auto reactor = net::Reactor::create();
  if (!reactor) {
    return std::unexpected(std::move(reactor.error()));
  }
  return std::unique_ptr<Worker>(
      new Worker(std::move(shared), number, std::move(*reactor), std::move(access), std::move(upstream)));
}

Worker::Worker(Shared shared, std::uint32_t number, std::unique_ptr<net::Reactor> reactor, session::AccessPtr access,
               std::shared_ptr<const wire::ServerInfo> upstream)
    : shared_(std::move(shared)),
      reactor_(std::move(reactor)),
      context_{.reactor = *reactor_,
               .resolver = shared_.resolver,
               .metrics = shared_.metrics,
               .access = std::move(access),
               .upstream = std::move(upstream),
               .session_options = shared_.session_options,
               .limits = shared_.limits,
               .greeting = shared_.greeting,
               .outage = shared_.outage,
               .number = number,
               .message_ids = shared_.message_ids,
               .gone = [this](Client& client) { remove(client); },
               .await_queue = [this](Client& client) { await_queue_.insert(client.id()); },
               .heard_of_upstream = shared_.heard_of_upstream} {}

Worker::~Worker() {
  stop();
  clients_.clear();
}

void Worker::stop() {
  reactor_->stop();
  if (thread_.joinable()) {
    thread_.join();
    for (auto& [id, client] : clients_) {
      client->put_away();
    }
  }
}

void Worker::listens_on(const net::Address& address) {
  context_.greeting.host = address.ip();
  context_.greeting.port = address.port();
}

void Worker::start() {
  thread_ = std::thread([this] { reactor_->run(); });
}

void Worker::accept(net::Fd fd, std::string ip) {
  reactor_->post([this, fd = std::move(fd), ip = std::move(ip)]() mutable { take_in(std::move(fd), std::move(ip)); });
}

void Worker::take_in(net::Fd fd, std::string ip) {
  const std::uint64_t id = ++shared_.next_client_id;
  auto client = std::make_unique<Client>(context_, id, std::move(ip));
  if (auto adopted = client->adopt(std::move(fd)); !adopted) {
    log::write(log::Level::warn, "cannot take in a local client", adopted.error());
    shared_.clients.fetch_sub(1);
    reactor_->retire(std::move(client));
    return;
  }
  shared_.metrics.clients.add();
  shared_.metrics.clients_total.add();
  clients_.emplace(id, std::move(client));
}

void Worker::remove(Client& client) {
  const auto at = clients_.find(client.id());
  if (at == clients_.end()) {
    return;
  }
  reactor_->retire(std::move(at->second));
  clients_.erase(at);
  shared_.clients.fetch_sub(1);
  shared_.metrics.clients.subtract();
  if (clients_.empty() && drained_) {
    std::exchange(drained_, nullptr)();
  }
}

void Worker::take_up(session::AccessPtr access, Duration spread) {
  reactor_->post([this, access = std::move(access), spread] {
    context_.access = access;
    std::vector<Client*> clients;  // taking up may remove one
    for (auto& [id, client] : clients_) {
      clients.push_back(client.get());
    }
    for (Client* client : clients) {
      client->take_up(access, random_part(spread));
    }
  });
}

void Worker::heard(std::shared_ptr<const wire::ServerInfo> upstream) {
  reactor_->post([this, upstream = std::move(upstream)] { context_.upstream = upstream; });
}

void Worker::check_posture() {
  reactor_->post([this] {
    for (auto& [id, client] : clients_) {
      client->check_posture();
    }
  });
}

// Deliveries to one worker stay in order, whoever they come from.
void Worker::deliver(std::vector<LocalDelivery> deliveries) {
  reactor_->post([this, deliveries = std::move(deliveries)] { deliver_now(deliveries); });
}

void Worker::deliver_now(const std::vector<LocalDelivery>& deliveries) {
  for (const LocalDelivery& delivery : deliveries) {
    if (const auto at = clients_.find(delivery.to->client); at != clients_.end()) {
      at->second->deliver(delivery);
    }
  }
}

void Worker::queue_progressed() {
  if (!progress_posted_.exchange(true)) {
    reactor_->post([this] {
      progress_posted_.store(false);
      tell_those_who_wait();
    });
  }
}

void Worker::tell_those_who_wait() {
  for (const std::uint64_t id : std::exchange(await_queue_, {})) {
    if (const auto at = clients_.find(id); at != clients_.end()) {
      at->second->queue_progressed();  // it may ask to be told again
    }
  }
}

void Worker::drain(std::function<void()> done) {
  reactor_->post([this, done = std::move(done)]() mutable {
    if (clients_.empty()) {
      done();
      return;
    }
    drained_ = std::move(done);
    std::vector<Client*> clients;
    for (auto& [id, client] : clients_) {
      clients.push_back(client.get());
    }
    for (Client* client : clients) {
      client->stop_gently();
    }
  });
}

std::vector<Worker::ClientView> Worker::view(std::size_t at_most) {
  auto promise = std::make_shared<std::promise<std::vector<ClientView>>>();
  auto future = promise->get_future();
  reactor_->post([this, promise, at_most] {
    std::vector<ClientView> views;
    for (const auto& [id, client] : clients_) {
      if (views.size() == at_most) {
        break;
      }
      const session::Session* session = client->session();
      const bool up = session != nullptr && session->up();
      views.push_back({id, client->name(), up ? session->live()->server().printable() : std::string(),
                       session != nullptr ? session->subscriptions().size() : 0,
                       session != nullptr ? session->unconfirmed_bytes() : 0, up});
    }
    promise->set_value(std::move(views));
  });
  if (future.wait_for(std::chrono::seconds(1)) != std::future_status::ready) {
    return {};
  }
  try {
    return future.get();
  } catch (const std::future_error&) {  // the reactor ended with the task unrun
    return {};
  }
}

}  // namespace hawser::agent
