#include "broker/system_service.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <fmt/format.h>
#include <pthread.h>

#include "base/log.hpp"
#include "broker/worker.hpp"

namespace hawser::broker {
namespace {

constexpr Duration kHeartbeat = std::chrono::seconds(30);
constexpr std::size_t kMostInFlight = 64UL << 20U;
constexpr Duration kInFlightPoll = std::chrono::milliseconds(20);
constexpr std::array kServerRequests{"STATSZ",  "VARZ",   "CONNZ",    "SUBSZ", "ACCOUNTZ",
                                     "HEALTHZ", "ROUTEZ", "GATEWAYZ", "LEAFZ"};
constexpr std::array kAccountRequests{"CONNZ", "SUBSZ", "INFO", "STATZ", "LEAFZ"};
// What every account may ask, about itself.
constexpr std::array kOwnAffairs{"$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.SERVER.PING.CONNZ",
                                 "$SYS.REQ.ACCOUNT.PING.STATZ"};

}  // namespace

SystemService::SystemService(Hub& hub, MonitorViews& views, std::string_view system_account, ClaimsService* claims)
    : hub_(hub),
      system_(hub.accounts.at(system_account)),
      answers_(views, [this](std::uint64_t cid) { return kick(cid); }),
      claims_(claims) {}

SystemService::~SystemService() { stop(); }

void SystemService::attach() {
  for (AccountState* account : hub_.accounts.all()) {
    if (!attached_.insert(account->name).second) {
      continue;
    }
    if (account != &system_) {
      for (const char* subject : kOwnAffairs) {
        subscribe(*account, subject);
      }
      continue;
    }
    subscribe(system_, "$SYS.REQ.SERVER.PING");
    for (const char* name : kServerRequests) {
      subscribe(system_, fmt::format("$SYS.REQ.SERVER.PING.{}", name));
      subscribe(system_, fmt::format("$SYS.REQ.SERVER.{}.{}", hub_.server_id, name));
    }
    subscribe(system_, fmt::format("$SYS.REQ.SERVER.{}.KICK", hub_.server_id));
    for (const char* name : kAccountRequests) {
      subscribe(system_, fmt::format("$SYS.REQ.ACCOUNT.*.{}", name));
    }
    for (std::string& subject : claims_ != nullptr ? claims_->subjects() : std::vector<std::string>()) {
      subscribe(system_, std::move(subject));
    }
  }
  {
    const std::lock_guard lock(mutex_);
    accounts_changed_ = true;
  }
  changed_.notify_one();
}

void SystemService::subscribe(AccountState& account, std::string subject) {
  auto subscription = std::make_shared<Subscription>();
  subscription->subject = std::move(subject);
  subscription->sid = "1";
  subscription->account = &account;
  subscription->responder = this;
  account.sublist.insert(std::move(subscription));
}

void SystemService::start() {
  thread_ = std::thread([this] { run(); });
}

void SystemService::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void SystemService::on_message(const Subscription& to, const Message& message) {
  const std::string_view payload = message.body.substr(message.headers.size(), message.payload_bytes());
  const bool system = to.account == &system_;
  const bool claims = system && claims_ != nullptr && ClaimsService::answers(message.subject);
  const bool heartbeat = message.reply.empty() && message.subject.ends_with("PING");
  if ((message.reply.empty() && !heartbeat && !claims) ||
      payload.size() > (claims ? ClaimsService::kMostRequest : kMostPayload)) {
    return;
  }
  add(Asked{.request = {.subject = std::string(message.subject),
                        .payload = std::string(payload),
                        .account = system ? std::string() : to.account->name},
            .reply = heartbeat ? fmt::format("$SYS.SERVER.{}.STATSZ", hub_.server_id) : std::string(message.reply),
            .account = to.account,
            .claims = claims});
}

bool SystemService::wanted() const noexcept { return system_.subscriptions.load(std::memory_order_relaxed) > 0; }
void SystemService::connected(ConnectionFacts client) { add(Event{Happened::connected, std::move(client)}); }
void SystemService::disconnected(ConnectionFacts client) { add(Event{Happened::disconnected, std::move(client)}); }
void SystemService::refused(ConnectionFacts client) { add(Event{Happened::refused, std::move(client)}); }

void SystemService::add(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      return;
    }
    const Asked* asked = std::get_if<Asked>(&job);
    const std::size_t bytes = asked == nullptr ? 0 : asked->request.payload.size();
    if (jobs_.size() >= kMostWaiting || waiting_bytes_ + bytes > kMostWaitingBytes) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    waiting_bytes_ += bytes;
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
}

void SystemService::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are for the threads that wait for them
  Time next_heartbeat = now() + kHeartbeat;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_until(lock, next_look(next_heartbeat),
                        [this] { return stopping_ || accounts_changed_ || !jobs_.empty(); });
    if (stopping_) {
      return;
    }
    accounts_changed_ = false;
    std::optional<Job> job;
    if (!jobs_.empty()) {
      job = std::move(jobs_.front());
      jobs_.pop_front();
      if (const Asked* asked = std::get_if<Asked>(&*job)) {
        waiting_bytes_ -= asked->request.payload.size();
      }
    }
    lock.unlock();
    pass_time();
    if (job) {
      std::visit([this](const auto& one) { work_off(one); }, *job);
    }
    if (now() >= next_heartbeat) {
      next_heartbeat = now() + kHeartbeat;
      heartbeat();
    }
    let_go_out();
    lock.lock();
  }
}

// Not more than so much on its way to the first worker.
void SystemService::let_go_out() {
  std::unique_lock lock(mutex_);
  while (!stopping_ && in_flight_ >= kMostInFlight) {
    changed_.wait_for(lock, kInFlightPoll);
  }
}

// Accounts and activations begin and end by the wall clock, which may be set: it is looked at every heartbeat at least.
Time SystemService::next_look(Time next_heartbeat) const {
  const std::optional<WallTime> change = claims_ == nullptr ? std::nullopt : claims_->changes_at();
  return change ? std::min(next_heartbeat, now() + std::max<Duration>(*change - wall_now(), Duration::zero()))
                : next_heartbeat;
}

void SystemService::pass_time() {
  if (claims_ == nullptr) {
    return;
  }
  if (const std::optional<WallTime> change = claims_->changes_at(); change && *change <= wall_now()) {
    claims_->pass_time();
  }
}

void SystemService::answer_claims(const Asked& asked) {
  for (ClaimsAnswer& answer : claims_->answer(asked.request.subject, asked.request.payload)) {
    if (asked.reply.empty()) {
      continue;
    }
    const bool raw = answer.kind == ClaimsAnswer::Kind::raw;
    const std::string_view member = answer.kind == ClaimsAnswer::Kind::data ? "data" : "error";
    publish(*asked.account, asked.reply, raw ? std::move(answer.text) : answers_.enveloped(member, answer.text));
    let_go_out();
  }
}

void SystemService::work_off(const Asked& asked) {
  if (asked.claims) {
    answer_claims(asked);
    return;
  }
  if (std::optional<std::string> text = answers_.answer(asked.request)) {
    publish(*asked.account, asked.reply, std::move(*text));
  }
}

void SystemService::work_off(const Event& event) {
  const ConnectionFacts& client = event.client;
  if (event.what == Happened::refused) {
    publish_if_wanted(fmt::format("$SYS.SERVER.{}.CLIENT.AUTH.ERR", hub_.server_id),
                      [&] { return answers_.disconnected(client); });
    return;
  }
  if (client.account == kGlobalAccount) {  // nats-server's rule: those would drown the others
    return;
  }
  const bool came = event.what == Happened::connected;
  publish_if_wanted(fmt::format("$SYS.ACCOUNT.{}.{}", client.account, came ? "CONNECT" : "DISCONNECT"),
                    [&] { return came ? answers_.connected(client) : answers_.disconnected(client); });
  tell_connections(client.account);
}

bool SystemService::kick(std::uint64_t cid) {
  bool found = false;
  for (Worker* worker : hub_.workers) {
    worker->inspect([&](Worker& here) {
      if (Client* client = here.find(cid); client != nullptr && !client->ended()) {
        found = true;
        log::info("Client kicked", {{"cid", cid}});
        client->end(CloseReason::kicked);
      }
    });
  }
  return found;
}

void SystemService::tell_connections(std::string_view account) {
  const auto text = [&]() -> std::string {
    for (const AccountFacts& each : answers_.source().accounts()) {
      if (each.name == account) {
        return answers_.connections_of(each);
      }
    }
    return "{}";
  };
  publish_if_wanted(fmt::format("$SYS.ACCOUNT.{}.SERVER.CONNS", account), text);
  publish_if_wanted(fmt::format("$SYS.SERVER.ACCOUNT.{}.CONNS", account), text);
}

void SystemService::heartbeat() {
  publish_if_wanted(fmt::format("$SYS.SERVER.{}.STATSZ", hub_.server_id), [this] { return answers_.statsz(); });
  if (const std::uint64_t dropped = dropped_.exchange(0)) {
    log::warn("system requests and events were dropped: too many at once", {{"count", dropped}});
  }
}

void SystemService::publish_if_wanted(std::string subject, const std::function<std::string()>& text) {
  if (wanted() && system_.sublist.has_interest(subject)) {
    publish(system_, std::move(subject), text());
  }
}

void SystemService::publish(AccountState& account, std::string subject, std::string text) {
  text += "\r\n";
  const std::size_t bytes = text.size();
  in_flight_ += bytes;
  Worker* worker = hub_.workers.front();
  worker->reactor().post([this, worker, &account, subject = std::move(subject), text = std::move(text), bytes] {
    worker->publish(account, subject, text);
    in_flight_ -= bytes;
  });
}

}  // namespace hawser::broker
