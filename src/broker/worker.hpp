// One thread of the broker: a reactor, the clients that live on it, and the way of a message from one of them to all
// whom it concerns.
//
// Deliveries to clients of other threads are gathered while a client's input is worked off, and posted as one batch a
// thread. start() runs the thread; what is marked "any thread" is posted to it. The destructor stops it and waits.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/log.hpp"
#include "broker/batch.hpp"
#include "broker/client.hpp"
#include "broker/hub.hpp"
#include "broker/message.hpp"
#include "net/reactor.hpp"
#include "routing/route_cache.hpp"

namespace hawser::broker {

// What one thread keeps of an account.
struct AccountView {
  AccountView(AccountState& of, const AccountRules& now) : account(of), rules(&now), routes(of.sublist) {}
  AccountState& account;
  const AccountRules* rules;  // of the worker's configuration
  routing::RouteCache routes;
  Traffic traffic;               // of this thread's clients
  bool looked_up = false;        // since the last trim
  bool streams_changed = false;  // by the reload that is being taken up
};

class Worker {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Worker>> make(Hub& hub, std::uint32_t index,
                                                            ConfigurationPtr configuration);
  ~Worker();

  // Before start().
  void begin_with(ConfigurationPtr configuration) { configuration_ = std::move(configuration); }
  // Once every worker of the hub is made; runs the thread.
  void start();
  // The same for who turns the reactor himself.
  void start_here();
  [[nodiscard]] bool running() const noexcept { return thread_.joinable(); }
  // Closes every client and ends the thread.
  void stop();

  // Any thread.
  void accept(net::Fd fd, const net::Address& peer, Door door);
  // `done` is called on the worker's thread when every client was checked.
  void take_up(ConfigurationPtr configuration, std::function<void()> done);
  void receive(Batch batch, std::uint32_t from);
  // Tells clients to go elsewhere; then closes them one after the other, the last after `within`.
  void lame_duck(Duration grace, Duration within, std::function<void()> done);
  // Runs `look` on the worker's thread and waits for it, a second at most; false: it did not happen.
  bool inspect(const std::function<void(Worker&)>& look);
  [[nodiscard]] std::size_t inbound_bytes() const noexcept { return inbound_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t clients() const noexcept { return count_.load(std::memory_order_relaxed); }

  // The worker's thread.
  [[nodiscard]] net::Reactor& reactor() noexcept { return *reactor_; }
  [[nodiscard]] Hub& hub() noexcept { return hub_; }
  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }
  [[nodiscard]] const ConfigurationPtr& configuration() const noexcept { return configuration_; }
  [[nodiscard]] AccountView& view(AccountState& account);
  [[nodiscard]] Client* find(std::uint64_t id);
  // Null for those who may do everything.
  [[nodiscard]] RightsPtr rights(const std::shared_ptr<const Permissions>& permissions);

  // To everybody whom it concerns; false: there is nobody.
  bool route(AccountView& view, const Message& message);
  // A message of the broker's own, in an account; `body` ends with CRLF. Not while another one is being routed.
  void publish(AccountState& account, std::string_view subject, std::string_view body);
  // The subject that the account's mappings give to what is published; `scratch` may hold it. Empty: it is dropped.
  [[nodiscard]] std::string_view mapped(const AccountView& view, std::string_view subject, std::string& scratch);
  // What an event brought is about to be delivered: pressure is that of this event, and whether frames are logged is
  // looked up once for all of them.
  void begin_input() noexcept {
    pressure_ = {};
    tracing_ = log::enabled(log::Level::trace);
  }
  [[nodiscard]] bool tracing() const noexcept { return tracing_; }
  // What an event brought is delivered: batches go out, and routes may be forgotten.
  void end_of_input();
  // Who gets messages on this subject; until end_of_input().
  [[nodiscard]] const routing::Route& look_up(AccountView& view, std::string_view subject) {
    if (!view.looked_up) {
      view.looked_up = true;
      looked_up_.push_back(&view);
    }
    return view.routes.find(subject);
  }
  // Someone who is delivered to falls behind: whoever published should rest for that long. Zero: nobody does.
  void note_pressure(Duration rest) noexcept { pressure_ = std::max(pressure_, rest); }
  [[nodiscard]] Duration take_pressure() noexcept { return std::exchange(pressure_, Duration::zero()); }
  // A thread that was sent more than it should have to keep; null: none.
  [[nodiscard]] const Worker* congested() const noexcept { return congested_; }
  [[nodiscard]] const Worker* take_congested() noexcept { return std::exchange(congested_, nullptr); }
  // Bytes on their way to one thread, before those who publish them pause: little of what a reader there may have
  // pending, so that they pause before it is cut off.
  [[nodiscard]] std::size_t most_inbound() const noexcept;
  // How long one client's input may be worked off before others have their turn: less when many want that much.
  [[nodiscard]] Duration share_of_a_turn() noexcept;
  // The client has ended; it is destroyed after this turn.
  void remove(Client& client);
  // It has ended with so many subscriptions that they are taken out of the tables over some turns; it stays until then,
  // and takes no message.
  void forget_later(Client& client);

  [[nodiscard]] const std::unordered_map<std::uint64_t, std::unique_ptr<Client>>& all() const { return clients_; }
  [[nodiscard]] const std::unordered_map<const AccountState*, std::unique_ptr<AccountView>>& views() const {
    return views_;
  }

 private:
  Worker(Hub& hub, std::uint32_t index, std::unique_ptr<net::Reactor> reactor, ConfigurationPtr configuration);
  // While a route is gone through, it may not change.
  struct InRoute {
    explicit InRoute(Worker& of) : worker(of) { ++worker.routes_in_use_; }
    ~InRoute() { --worker.routes_in_use_; }
    InRoute(const InRoute&) = delete;
    InRoute& operator=(const InRoute&) = delete;
    Worker& worker;
  };
  void take_in(net::Fd fd, const net::Address& peer, Door door);
  void unpack(const Batch& batch, std::uint32_t from);
  void ask_to_rest(std::vector<std::uint64_t> publishers, Duration rest);
  bool deliver(const routing::SubscriptionPtr& to, Fanout& fanout, std::uint32_t leg);
  static bool hand_over(Subscription& to, Fanout& fanout);
  bool deliver_to_one(const routing::QueueGroup& group, Fanout& fanout);
  void deliver_to_another(const Subscription& gone, Fanout& fanout, std::uint32_t leg);
  void send(std::uint32_t thread);
  void look_after_clients();
  void forget_some();
  void take_up_some();
  void close_some();

  Hub& hub_;
  std::uint32_t index_;
  std::unique_ptr<net::Reactor> reactor_;
  ConfigurationPtr configuration_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Client>> clients_;
  struct {
    std::vector<std::uint64_t> clients;    // that have not looked at it yet
    std::vector<ConfigurationPtr> before;  // kept while clients compare
    std::vector<std::function<void()>> done;
  } taking_up_;
  std::vector<Client*> forgetting_;                               // those who are to forget their subscriptions
  std::unordered_map<Client*, std::unique_ptr<Client>> removed_;  // of them, those who are removed but for that
  std::unordered_map<const AccountState*, std::unique_ptr<AccountView>> views_;
  struct KnownRights {
    std::weak_ptr<const Permissions> permissions;
    RightsPtr rights;
  };
  std::unordered_map<const Permissions*, KnownRights> rights_;
  std::vector<Batch> batches_;  // to each thread
  BatchPool spare_;             // of those
  std::vector<AccountView*> looked_up_;
  std::uint32_t routes_in_use_ = 0;
  bool any_batch_ = false;
  bool tracing_ = false;
  std::uint64_t serial_ = 0;  // of the last message that was routed
  Duration pressure_{};
  const Worker* congested_ = nullptr;
  Time share_turn_{};    // in which shares are being counted
  unsigned shares_ = 0;  // in it
  unsigned shares_before_ = 0;
  std::minstd_rand random_;
  std::size_t pulses_ = 0;
  net::Timer pulse_;
  net::Timer leaving_;
  Time leave_by_{};
  std::function<void()> left_;
  std::atomic<std::size_t> inbound_{0};
  std::atomic<std::size_t> count_{0};
  std::atomic<std::thread::id> on_{};  // the thread that serves
  std::thread thread_;
};

}  // namespace hawser::broker
