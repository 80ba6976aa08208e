#include "broker/worker.hpp"

#include <algorithm>
#include <future>
#include <openssl/rand.h>

#include "base/log.hpp"
#include "broker/service_subscription.hpp"

namespace hawser::broker {
namespace {

constexpr Duration kLongestPulse = std::chrono::seconds(1);
constexpr Duration kShortestPulse = std::chrono::milliseconds(10);
constexpr std::size_t kMostInbound = 16UL << 20U;
constexpr Duration kForgetting = std::chrono::milliseconds(2);  // of a turn
constexpr Duration kTakingUp = std::chrono::milliseconds(5);    // of a turn
constexpr Duration kWholeTurn = std::chrono::milliseconds(40);  // for all who want more than their share
constexpr Duration kLongestShare = std::chrono::milliseconds(4);
constexpr Duration kShortestShare = std::chrono::microseconds(200);
constexpr std::size_t kPulsesPerSweep = 16;

std::uint32_t random_start() {
  std::uint32_t seed = 1;
  RAND_bytes(reinterpret_cast<unsigned char*>(&seed), sizeof seed);
  return seed | 1U;
}

// How often clients are looked after: often enough for the shortest of their intervals.
Duration pulse_for(const Limits& limits) {
  return std::clamp(std::min(limits.ping_interval, limits.write_deadline) / 4, kShortestPulse, kLongestPulse);
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::make(Hub& hub, std::uint32_t index, ConfigurationPtr configuration) {
  auto reactor = net::Reactor::create();
  if (!reactor) {
    return std::unexpected(std::move(reactor.error()));
  }
  return std::unique_ptr<Worker>(new Worker(hub, index, std::move(*reactor), std::move(configuration)));
}

Worker::Worker(Hub& hub, std::uint32_t index, std::unique_ptr<net::Reactor> reactor, ConfigurationPtr configuration)
    : hub_(hub),
      index_(index),
      reactor_(std::move(reactor)),
      configuration_(std::move(configuration)),
      random_(random_start()),
      pulse_(*reactor_, [this] { look_after_clients(); }),
      leaving_(*reactor_, [this] { close_some(); }) {}

Worker::~Worker() { stop(); }

void Worker::start() {
  thread_ = std::thread([this] {
    start_here();
    reactor_->run();
  });
}

void Worker::start_here() {
  on_ = std::this_thread::get_id();
  batches_.resize(hub_.workers.size());
  pulse_.start(pulse_for(configuration_->settings->limits));
}

void Worker::stop() {
  if (!thread_.joinable()) {
    return;
  }
  reactor_->post([this] {
    left_ = nullptr;
    std::vector<Client*> clients;
    clients.reserve(clients_.size());
    for (auto& [id, client] : clients_) {
      clients.push_back(client.get());
    }
    for (Client* client : clients) {
      client->cut(CloseReason::server_shutdown);
    }
    pulse_.stop();
    leaving_.stop();
    reactor_->stop();
  });
  thread_.join();
}

void Worker::accept(net::Fd fd, const net::Address& peer, Door door) {
  count_.fetch_add(1, std::memory_order_relaxed);
  hub_.clients.fetch_add(1, std::memory_order_relaxed);
  if (std::this_thread::get_id() == on_) {
    take_in(std::move(fd), peer, door);
    return;
  }
  reactor_->post([this, fd = std::move(fd), peer, door]() mutable { take_in(std::move(fd), peer, door); });
}

void Worker::take_in(net::Fd fd, const net::Address& peer, Door door) {
  const std::uint64_t id = hub_.next_client.fetch_add(1, std::memory_order_relaxed) + 1;
  hub_.counters.connections.add();
  auto made = std::make_unique<Client>(*this, id, peer, door);
  Client& client = *made;
  clients_.emplace(id, std::move(made));
  if (auto adopted = client.adopt(std::move(fd)); !adopted) {
    log::write(log::Level::warn, "cannot take in a client", adopted.error(), {{"client", peer.text()}});
    client.cut(CloseReason::read_error);
  }
}

void Worker::remove(Client& client) {
  const auto at = clients_.find(client.id());
  if (at == clients_.end()) {
    return;
  }
  if (std::ranges::find(forgetting_, &client) != forgetting_.end()) {
    removed_.emplace(&client, std::move(at->second));
  } else {
    reactor_->retire(std::move(at->second));
  }
  clients_.erase(at);
  count_.fetch_sub(1, std::memory_order_relaxed);
  hub_.clients.fetch_sub(1, std::memory_order_relaxed);
  if (clients_.empty() && left_) {
    leaving_.stop();
    std::exchange(left_, nullptr)();
  }
}

void Worker::forget_later(Client& client) {
  forgetting_.push_back(&client);
  if (forgetting_.size() == 1) {
    reactor_->post([this] { forget_some(); });
  }
}

void Worker::forget_some() {
  constexpr std::size_t kBetweenLooks = 64;
  const Time until = hawser::now() + kForgetting;
  while (!forgetting_.empty() && hawser::now() < until) {
    Client* const client = forgetting_.back();
    if (client->forget_some(kBetweenLooks)) {
      forgetting_.pop_back();
      if (const auto removed = removed_.find(client); removed != removed_.end()) {
        reactor_->retire(std::move(removed->second));
        removed_.erase(removed);
      }
    }
  }
  if (!forgetting_.empty()) {
    reactor_->post([this] { forget_some(); });
  }
}

Client* Worker::find(std::uint64_t id) {
  const auto at = clients_.find(id);
  return at == clients_.end() ? nullptr : at->second.get();
}

AccountView& Worker::view(AccountState& account) {
  auto& view = views_[&account];
  if (!view) {
    view = std::make_unique<AccountView>(account, configuration_->rules->of(account.name));
  }
  return *view;
}

RightsPtr Worker::rights(const std::shared_ptr<const Permissions>& permissions) {
  if (permissions == nullptr) {
    return nullptr;
  }
  auto& known = rights_[permissions.get()];
  if (known.permissions.lock() != permissions) {
    known = {permissions, std::make_shared<const Rights>(*permissions)};
  }
  return known.rights;
}

bool Worker::route(AccountView& view, const Message& message) {
  const routing::Route& route = look_up(view, message.subject);
  if (route.empty()) {
    return false;
  }
  const InRoute in_route(*this);
  Fanout fanout(message, route.fanout(), ++serial_);
  bool delivered = false;
  for (const routing::SubscriptionPtr& to : route.plain) {
    delivered = deliver(to, fanout, 0) || delivered;
  }
  for (const routing::QueueGroup& group : route.groups) {
    delivered = deliver_to_one(group, fanout) || delivered;
  }
  return delivered;
}

std::string_view Worker::mapped(const AccountView& view, std::string_view subject, std::string& scratch) {
  const routing::WeightedMapping* mapping = view.rules->mappings.find(subject);
  if (mapping == nullptr) {
    return subject;
  }
  scratch.clear();
  return mapping->apply(subject, static_cast<std::uint32_t>(random_()), scratch) ? scratch : std::string_view();
}

bool Worker::deliver(const routing::SubscriptionPtr& to, Fanout& fanout, std::uint32_t leg) {
  if (to->thread == index_) {
    return hand_over(static_cast<Subscription&>(*to), fanout);
  }
  if (to->thread == ServiceSubscription::kEveryThread) {
    return static_cast<ServiceSubscription&>(*to).take(*this, fanout.message());
  }
  if (fanout.message().hops != nullptr && static_cast<const Subscription&>(*to).imported) {
    return false;  // as Client::deliver_import() would say
  }
  Batch& batch = batches_[to->thread];
  batch.add(fanout.message(), fanout.serial(), to, leg);
  any_batch_ = true;
  if (batch.bytes() >= Batch::kEnough) {
    send(to->thread);
  }
  return true;
}

bool Worker::hand_over(Subscription& to, Fanout& fanout) {
  if (to.client != nullptr) [[likely]] {
    return to.client->deliver(to, fanout);
  }
  if (to.responder == nullptr) {
    return false;
  }
  to.responder->on_message(to, fanout.message());
  return true;
}

// One at random, and if that one does not take it, the next.
bool Worker::deliver_to_one(const routing::QueueGroup& group, Fanout& fanout) {
  const std::size_t size = group.members.size();
  std::size_t at = size == 1 ? 0 : random_() % size;
  for (std::size_t i = 0; i < size; ++i) {
    if (deliver(group.members[at], fanout, 1)) {
      return true;
    }
    at = at + 1 == size ? 0 : at + 1;
  }
  return false;
}

void Worker::send(std::uint32_t thread) {
  Worker& worker = *hub_.workers[thread];
  worker.receive(std::exchange(batches_[thread], spare_.take()), index_);
  if (worker.inbound_bytes() > most_inbound()) {
    congested_ = &worker;
  }
}

std::size_t Worker::most_inbound() const noexcept {
  return std::clamp(configuration_->settings->limits.max_pending / 4, Batch::kEnough, kMostInbound);
}

Duration Worker::share_of_a_turn() noexcept {
  if (share_turn_ != reactor_->now()) {
    share_turn_ = reactor_->now();
    shares_before_ = std::exchange(shares_, 0U);
  }
  ++shares_;
  return std::clamp(kWholeTurn / std::max(shares_, shares_before_), kShortestShare, kLongestShare);
}

void Worker::end_of_input() {
  if (routes_in_use_ != 0) {
    return;  // asked by a responder, in the middle of a delivery: whoever began that comes here too
  }
  if (any_batch_) {
    any_batch_ = false;
    for (std::uint32_t thread = 0; thread < batches_.size(); ++thread) {
      if (!batches_[thread].empty()) {
        send(thread);
      }
    }
  }
  for (AccountView* view : looked_up_) {
    view->looked_up = false;
    view->routes.trim();
  }
  looked_up_.clear();
}

void Worker::publish(AccountState& account, std::string_view subject, std::string_view body) {
  const Message message{.subject = subject, .reply = {}, .headers = {}, .body = body, .from = 0};
  tracing_ = log::enabled(log::Level::trace);
  route(view(account), message);
  end_of_input();
}

void Worker::receive(Batch batch, std::uint32_t from) {
  const std::size_t bytes = batch.bytes();
  inbound_.fetch_add(bytes, std::memory_order_relaxed);
  reactor_->post([this, batch = std::move(batch), bytes, from]() mutable {
    unpack(batch, from);
    hub_.workers[from]->spare_.give(std::move(batch));
    inbound_.fetch_sub(bytes, std::memory_order_relaxed);
  });
}

void Worker::unpack(const Batch& batch, std::uint32_t from) {
  begin_input();
  Duration rest{};
  std::vector<std::uint64_t> publishers;  // of what somebody here cannot keep up with
  batch.each([&](const Message& message, std::span<const Batch::Delivery> deliveries) {
    Fanout fanout(message, deliveries.size(), ++serial_);
    for (const Batch::Delivery& delivery : deliveries) {
      Subscription& to = *delivery.to;
      if (!hand_over(to, fanout) && delivery.leg != 0) {
        deliver_to_another(to, fanout, delivery.leg);
      }
    }
    const Duration pressure = take_pressure();
    rest = std::max(rest, pressure);
    if (pressure != Duration::zero() && message.from != 0 &&
        (publishers.empty() || publishers.back() != message.from)) {
      publishers.push_back(message.from);
    }
  });
  end_of_input();
  congested_ = nullptr;  // who published is not here
  if (!publishers.empty()) {
    hub_.workers[from]->ask_to_rest(std::move(publishers), rest);
  }
}

void Worker::ask_to_rest(std::vector<std::uint64_t> publishers, Duration rest) {
  reactor_->post([this, publishers = std::move(publishers), rest] {
    for (const std::uint64_t id : publishers) {
      if (Client* client = find(id)) {
        client->rest_for_others(rest);
      }
    }
  });
}

// The member of a queue group that a message was sent to, on this thread, has left meanwhile, or does not take it.
// Another one here gets it, or else one of the next thread that has any, until it has come by every thread.
void Worker::deliver_to_another(const Subscription& gone, Fanout& fanout, std::uint32_t leg) {
  const routing::Route& route = look_up(view(*gone.account), fanout.message().subject);
  const auto group = std::ranges::find(route.groups, gone.queue, &routing::QueueGroup::name);
  if (group == route.groups.end()) {
    return;
  }
  const InRoute in_route(*this);
  const auto threads = static_cast<std::uint32_t>(hub_.workers.size());
  std::uint32_t nearest = threads - leg + 1;
  const routing::SubscriptionPtr* next = nullptr;
  for (const routing::SubscriptionPtr& member : group->members) {
    if (member->thread >= threads || member->thread == index_) {
      if (deliver(member, fanout, leg)) {
        return;
      }
      continue;
    }
    const std::uint32_t away = (member->thread + threads - index_) % threads;
    if (away < nearest) {
      nearest = away;
      next = &member;
    }
  }
  if (next != nullptr) {
    deliver(*next, fanout, leg + nearest);
  }
}

void Worker::look_after_clients() {
  const Time now = reactor_->now();
  std::vector<Client*> clients;  // looking after one may remove it
  clients.reserve(clients_.size());
  for (auto& [id, client] : clients_) {
    clients.push_back(client.get());
  }
  for (Client* client : clients) {
    client->look_after(now);
  }
  if (index_ == 0) {
    for (AccountState* account : hub_.accounts.all()) {
      account->responses.expire(now);
    }
  }
  if (++pulses_ % kPulsesPerSweep == 0) {
    for (const auto& [account, view] : views_) {
      view->routes.sweep();
    }
    std::erase_if(rights_, [](const auto& entry) { return entry.second.permissions.expired(); });
  }
  pulse_.start(pulse_for(configuration_->settings->limits));
}

void Worker::take_up(ConfigurationPtr configuration, std::function<void()> done) {
  reactor_->post([this, configuration = std::move(configuration), done = std::move(done)] {
    const bool unfinished = !taking_up_.clients.empty();
    taking_up_.before.push_back(std::exchange(configuration_, configuration));
    taking_up_.done.push_back(done);
    for (const auto& [account, view] : views_) {
      const AccountRules& rules = configuration_->rules->of(account->name);
      const bool changed = !std::ranges::equal(rules.streams, view->rules->streams,
                                               [](const auto& now, const auto& old) { return *now == *old; });
      view->streams_changed = changed || (unfinished && view->streams_changed);
      view->rules = &rules;
    }
    pulse_.start(pulse_for(configuration_->settings->limits));
    taking_up_.clients.clear();
    for (auto& [id, client] : clients_) {
      taking_up_.clients.push_back(id);
    }
    take_up_some();
  });
}

// To verify the certificates of thousands again takes seconds: everybody else is served meanwhile.
void Worker::take_up_some() {
  const Time until = hawser::now() + kTakingUp;
  while (!taking_up_.clients.empty() && hawser::now() < until) {
    if (Client* client = find(taking_up_.clients.back())) {
      client->take_up(*configuration_);
    }
    taking_up_.clients.pop_back();
  }
  if (!taking_up_.clients.empty()) {
    reactor_->post([this] { take_up_some(); });
    return;
  }
  taking_up_.before.clear();
  for (const std::function<void()>& done : std::exchange(taking_up_.done, {})) {
    done();
  }
}

void Worker::lame_duck(Duration grace, Duration within, std::function<void()> done) {
  reactor_->post([this, grace, within, done = std::move(done)] {
    if (clients_.empty()) {
      done();
      return;
    }
    left_ = done;
    for (auto& [id, client] : clients_) {
      client->tell_info();
    }
    leave_by_ = reactor_->now() + std::max(within, grace);
    leaving_.start(grace);
  });
}

// A share of those who are left, so that the last one goes when the time is up and they do not all reconnect at once.
void Worker::close_some() {
  constexpr Duration kStep = std::chrono::milliseconds(20);
  const Duration left = leave_by_ - reactor_->now();
  const auto steps = std::max<std::int64_t>(1, left / kStep);
  std::size_t count = (clients_.size() + static_cast<std::size_t>(steps) - 1) / static_cast<std::size_t>(steps);
  std::vector<Client*> clients;
  for (auto& [id, client] : clients_) {
    if (count == 0) {
      break;
    }
    if (!client->ended()) {
      clients.push_back(client.get());
      --count;
    }
  }
  if (!clients_.empty()) {
    leaving_.start(kStep);
  }
  for (Client* client : clients) {
    client->end(CloseReason::server_shutdown);
  }
}

bool Worker::inspect(const std::function<void(Worker&)>& look) {
  // Shared with the task, which may run after the wait was given up.
  struct Visit {
    std::mutex mutex;
    const std::function<void(Worker&)>* look;
    std::promise<void> done;
  };
  auto visit = std::make_shared<Visit>();
  visit->look = &look;
  auto done = visit->done.get_future();
  reactor_->post([this, visit] {
    const std::lock_guard lock(visit->mutex);
    if (visit->look != nullptr) {
      (*visit->look)(*this);
      visit->done.set_value();
    }
  });
  if (done.wait_for(std::chrono::seconds(1)) == std::future_status::ready) {
    return true;
  }
  const std::lock_guard lock(visit->mutex);
  visit->look = nullptr;
  return done.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

}  // namespace hawser::broker
