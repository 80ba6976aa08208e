// Who a client is: CONNECT, the verdict, the account and the rights that come with it, and all of it again after a
// reload.
#include <algorithm>

#include "base/log.hpp"
#include "broker/client.hpp"
#include "broker/client_events.hpp"
#include "broker/worker.hpp"

namespace hawser::broker {

void Client::on_connect(std::string_view json) {
  auto options = wire::parse_connect(json);
  if (!options) {
    log::write(log::Level::error, "Client parser ERROR", options.error(), {{"client", peer_.text()}, {"cid", id_}});
    end(CloseReason::protocol_violation);
    return;
  }
  if (const std::string_view refusal = wire::connect_refusal(*options, !settings().no_header_support);
      !refusal.empty()) {
    end(CloseReason::bad_client_protocol, refusal);
    return;
  }
  connected_ = true;
  verbose_ = options->verbose;
  pedantic_ = options->pedantic;
  echo_ = options->echo;
  headers_ = options->headers && !settings().no_header_support;
  no_responders_ = options->no_responders && headers_;
  protocol_ = static_cast<std::uint8_t>(options->protocol);
  name_ = std::move(options->name);
  lang_ = std::move(options->lang);
  version_ = std::move(options->version);
  if (grant_.user.empty()) {  // until it is known who it is, connz tells who it says it is
    grant_.user = options->user.empty() ? options->nkey : options->user;
  }
  const Authenticator& authenticator = *worker_.configuration()->authenticator;
  if (door_ == Door::trusted) {
    auto granted = authenticator.trusted_client();
    std::visit([this](auto&& verdict) { judge(std::forward<decltype(verdict)>(verdict)); }, std::move(granted));
    return;
  }
  const auto certificate =
      authenticator.maps_certificates() && stream_.secured() ? peer_identity(stream_.ssl()) : std::nullopt;
  judge(authenticator.authenticate({.connect = *options,
                                    .nonce = nonce_,
                                    .certificate = certificate ? &*certificate : nullptr,
                                    .address = peer_.ip(),
                                    .at = wall_now()}));
}

// A client may leave CONNECT out where nobody has to say who he is.
void Client::on_other_before_connect() {
  const Authenticator& authenticator = *worker_.configuration()->authenticator;
  if (door_ == Door::trusted || authenticator.open() || !authenticator.auth_required()) {
    if (door_ == Door::trusted) {
      auto granted = authenticator.trusted_client();
      std::visit([this](auto&& verdict) { judge(std::forward<decltype(verdict)>(verdict)); }, std::move(granted));
    } else {
      const wire::ConnectOptions nothing;
      judge(authenticator.authenticate({.connect = nothing, .nonce = nonce_, .certificate = nullptr}));
    }
    return;
  }
  deny({.reason = "an operation before CONNECT"});
}

void Client::judge(Verdict verdict) {
  if (auto* denial = std::get_if<Denial>(&verdict)) {
    deny(*denial);
  } else if (auto* grant = std::get_if<Grant>(&verdict)) {
    let_in(std::move(*grant));
  } else {
    auto& question = std::get<PasswordQuestion>(verdict);
    phase_ = Phase::proving;
    hold(Hold::proof);
    gone_ = std::make_shared<std::atomic<bool>>(false);
    // The answer finds the client by its id: it may have gone by then.
    worker_.hub().passwords->ask(std::move(question.hash), std::move(question.password),
                                 [&worker = worker_, id = id_, granted = std::move(question.granted_if_right),
                                  denied = std::move(question.denied_if_wrong)](BcryptAnswer answer) mutable {
                                   worker.reactor().post([&worker, id, answer, granted = std::move(granted),
                                                          denied = std::move(denied)]() mutable {
                                     if (Client* client = worker.find(id)) {
                                       client->password_compared(answer, std::move(granted), std::move(denied));
                                     }
                                   });
                                 },
                                 {.address = peer_.ip(), .gone = gone_});
  }
}

void Client::password_compared(BcryptAnswer answer, Grant granted, Denial denied) {
  gone_.reset();
  if (phase_ != Phase::proving) {
    return;
  }
  if (answer != BcryptAnswer::right) {
    if (answer == BcryptAnswer::busy) {
      denied.reason = "too many passwords wait to be compared";
    }
    deny(denied);
    return;
  }
  // The configuration may have changed while the hash was compared.
  const Authenticator& authenticator = *worker_.configuration()->authenticator;
  const auto certificate =
      authenticator.maps_certificates() && stream_.secured() ? peer_identity(stream_.ssl()) : std::nullopt;
  auto still = authenticator.still_valid(granted, certificate ? &*certificate : nullptr);
  if (auto* denial = std::get_if<Denial>(&still)) {
    deny(*denial);
    return;
  }
  let_in(std::move(std::get<Grant>(still)));
  let_go(Hold::proof);
}

void Client::deny(const Denial& denial) {
  worker_.hub().counters.auth_failures.add();
  if (grant_.user.empty()) {
    grant_.user = denial.user;
  }
  if (ClientEvents* events = worker_.hub().events; events != nullptr && events->wanted()) {
    ConnectionFacts facts = basic_facts();
    facts.stop = wall_now();
    facts.reason = CloseReason::authentication_failure;
    events->refused(std::move(facts));
  }
  log::error("authentication error",
             {{"client", peer_.text()}, {"cid", id_}, {"reason", denial.reason}, {"name", name_}});
  end(CloseReason::authentication_failure,
      denial.told == Denial::Told::nothing ? std::string_view() : std::string_view("Authorization Violation"));
}

void Client::let_in(Grant grant) {
  const bool joins = view_ == nullptr || view_->account.name != grant.account;
  if (joins && !join(grant.account)) {
    return;
  }
  take_rights(grant);
  grant_ = std::move(grant);
  if (deadline_) {
    deadline_->stop();
  }
  phase_ = Phase::serving;
  take_limits();
  if (has_all_it_may()) {  // it may have none
    log::error("maximum subscriptions exceeded", {{"client", peer_.text()}, {"cid", id_}, {"user", grant_.user}});
    end(CloseReason::max_subscriptions_exceeded, "maximum subscriptions exceeded");
    return;
  }
  watch_its_time();
  if (rtt_ == Duration{}) {
    ping_soon();
  }
  if (ClientEvents* events = worker_.hub().events; joins && events != nullptr && events->wanted()) {
    events->connected(basic_facts());
  }
  if (connected_ && verbose_) {
    answer(wire::kOk);
  }
}

// A second CONNECT may lead to another account; subscriptions stay behind.
bool Client::join(std::string_view name) {
  AccountState& account = worker_.hub().accounts.at(name);
  AccountView& view = worker_.view(account);
  const std::int64_t limit = view.rules->max_connections;
  if (account.connections.fetch_add(1) >= limit && limit >= 0) {
    account.connections.fetch_sub(1);
    log::error("maximum account active connections exceeded",
               {{"client", peer_.text()}, {"cid", id_}, {"account", name}, {"limit", limit}});
    end(CloseReason::max_account_connections_exceeded, "maximum account active connections exceeded");
    return false;
  }
  if (view_ != nullptr) {
    forget_some(subscriptions_.size());
    leave_account();
  }
  view_ = &view;
  account.total_connections.add();
  return true;
}

// The server's, or the account's or the user's where that is less; a client that can hear it is told.
void Client::take_limits() {
  const Limits& limits = settings().limits;
  std::size_t payload = limits.max_payload;
  if (view_->rules->max_payload >= 0) {
    payload = std::min(payload, static_cast<std::size_t>(view_->rules->max_payload));
  }
  if (grant_.jwt != nullptr && grant_.jwt->max_payload >= 0) {
    payload = std::min(payload, static_cast<std::size_t>(grant_.jwt->max_payload));
  }
  parser_.set_limits({limits.max_control_line, payload, limits.max_control_line});
  if (payload != max_payload_) {
    max_payload_ = static_cast<std::uint32_t>(payload);
    tell_info();
  }
}

void Client::leave_account() {
  view_->account.connections.fetch_sub(1);
  view_ = nullptr;
}

bool Client::forget_some(std::size_t most) {
  for (; most > 0 && !subscriptions_.empty(); --most) {
    unsubscribe(SubscriptionPtr(subscriptions_.begin()->second));
  }
  return subscriptions_.empty();
}

void Client::take_rights(const Grant& grant) {
  if (grant.permissions == grant_.permissions && (rights_ != nullptr || grant.permissions == nullptr)) {
    return;
  }
  rights_ = worker_.rights(grant.permissions);
  memo_.reset();
  replies_.reset();
  if (rights_ != nullptr) {
    memo_ = std::make_unique<routing::PermissionMemo>();
    if (rights_->responses) {
      replies_ = std::make_unique<ReplyTable>(*rights_->responses);
    }
  }
}

void Client::take_up(const Configuration& configuration) {
  if (phase_ == Phase::leaving) {
    return;
  }
  const Settings& now = *configuration.settings;
  if (door_ == Door::listener && phase_ >= Phase::connecting && now.tls) {
    Result<void> trusted;
    if (stream_.secured()) {
      trusted = configuration.tls->recheck(stream_.ssl(), wall_now());
    } else if (now.tls->recheck && !now.allow_non_tls) {
      trusted = fail(Errc::broker_denied, "the connection is plain, and TLS is required now");
    }
    if (!trusted) {
      log::write(log::Level::error, "disconnected by the reload", trusted.error(),
                 {{"client", peer_.text()}, {"cid", id_}, {"user", grant_.user}});
      end(CloseReason::authentication_failure, "Authorization Violation");
      return;
    }
  }
  if (phase_ == Phase::serving) {
    judge_again(configuration);
  }
  if (phase_ == Phase::serving) {
    take_limits();
    if (view_->streams_changed) {
      renew_imports();
    }
  }
}

void Client::judge_again(const Configuration& configuration) {
  const Authenticator& authenticator = *configuration.authenticator;
  const auto certificate =
      authenticator.maps_certificates() && stream_.secured() ? peer_identity(stream_.ssl()) : std::nullopt;
  auto still = door_ == Door::trusted ? authenticator.trusted_client()
                                      : authenticator.still_valid(grant_, certificate ? &*certificate : nullptr);
  if (auto* denial = std::get_if<Denial>(&still)) {
    turn_out(*denial);
    return;
  }
  Grant& grant = std::get<Grant>(still);
  if (grant.account != grant_.account) {
    end(CloseReason::client_closed);
    return;
  }
  const bool same = same_rights(grant, grant_);
  take_rights(grant);
  grant_ = std::move(grant);
  if (!same) {
    drop_forbidden_subscriptions();
  }
  if (grant_.jwt == nullptr) {
    return;
  }
  const std::int64_t most = grant_.jwt->max_subscriptions;
  if (most >= 0 && subscriptions_.size() > static_cast<std::size_t>(most)) {
    end(CloseReason::max_subscriptions_exceeded, "maximum subscriptions exceeded");
    return;
  }
  watch_its_time();
}

// One that was let in before.
void Client::turn_out(const Denial& denial) {
  using Told = Denial::Told;
  log::error(grant_.jwt != nullptr ? "disconnected: its JWT does not let it stay" : "disconnected by the reload",
             {{"client", peer_.text()}, {"cid", id_}, {"user", grant_.user}, {"reason", denial.reason}});
  switch (denial.told) {
    case Told::nothing: end(CloseReason::client_closed); return;
    case Told::revoked: end(CloseReason::credentials_revoked, "User Authentication Revoked"); return;
    case Told::user_expired: end(CloseReason::authentication_expired, "User Authentication Expired"); return;
    case Told::account_expired: end(CloseReason::authentication_expired, "Account Authentication Expired"); return;
    case Told::authorization_violation: break;
  }
  end(CloseReason::authentication_failure, "Authorization Violation");
}

// The clock may be set while the timer runs: it is looked at every now and then.
void Client::watch_its_time() {
  constexpr Duration kLookAgain = std::chrono::minutes(1);
  if (grant_.jwt == nullptr || !grant_.jwt->ends) {
    its_time_.reset();
    return;
  }
  if (!its_time_) {
    its_time_ = std::make_unique<net::Timer>(worker_.reactor(), [this] { its_time_is_over(); });
  }
  its_time_->start(std::clamp<Duration>(*grant_.jwt->ends - wall_now(), Duration::zero(), kLookAgain));
}

void Client::its_time_is_over() {
  if (phase_ != Phase::serving) {
    return;
  }
  if (wall_now() < *grant_.jwt->ends) {
    watch_its_time();
    return;
  }
  const bool user = grant_.jwt->ending == JwtUser::Ending::user;
  turn_out({.reason = user ? "its time is over" : "the time of its account is over",
            .told = user ? Denial::Told::user_expired : Denial::Told::account_expired});
}

void Client::drop_forbidden_subscriptions() {
  std::vector<SubscriptionPtr> all;
  all.reserve(subscriptions_.size());
  for (const auto& [sid, subscription] : subscriptions_) {
    all.push_back(subscription);
  }
  for (const SubscriptionPtr& subscription : all) {
    if (rights_ == nullptr || rights_->subscribe.permits_subscribe(subscription->subject, subscription->queue)) {
      subscription->checks_delivery =
          rights_ != nullptr && rights_->subscribe.needs_delivery_check(subscription->subject);
      continue;
    }
    std::string text = "Permissions Violation for Subscription to \"" + subscription->subject + '"';
    if (!subscription->queue.empty()) {
      text += " using queue \"" + subscription->queue + '"';
    }
    say_error(text + " (sid \"" + subscription->sid + "\")");
    log::error("Subscription removed by the reload",
               {{"client", peer_.text()}, {"cid", id_}, {"user", grant_.user}, {"subject", subscription->subject}});
    unsubscribe(subscription);
  }
}

}  // namespace hawser::broker
