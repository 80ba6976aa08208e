#include "broker/client.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "broker/client_events.hpp"
#include "broker/nonce.hpp"
#include "broker/worker.hpp"
#include "wire/info.hpp"

namespace hawser::broker {
namespace {

constexpr char kTlsHandshakeRecord = 0x16;
constexpr Duration kFirstPing = std::chrono::seconds(2);     // so that a round-trip time is known early
constexpr Duration kGoodbye = std::chrono::seconds(2);       // for the last words to be read
constexpr Duration kCatchUp = std::chrono::milliseconds(2);  // after which it is looked whether a thread has
constexpr std::size_t kMostUnread = 256UL << 10U;  // bytes of answers that a client asked for and does not read
constexpr std::size_t kForgottenAtOnce = 256;      // subscriptions of a client that ends
constexpr unsigned kFramesPerLook = 16;            // at the clock, for frames that are quickly dealt with
constexpr Duration kConnectWithoutTls = std::chrono::seconds(2);

}  // namespace

Client::Client(Worker& worker, std::uint64_t id, const net::Address& peer, Door door)
    : worker_(worker),
      id_(id),
      peer_(peer),
      stream_(worker.reactor(), *this),
      parser_(wire::Peer::client,
              {settings().limits.max_control_line, settings().limits.max_payload, settings().limits.max_control_line}),
      door_(door),
      start_(wall_now()),
      last_heard_(worker.reactor().now()),
      next_ping_(last_heard_ + settings().limits.ping_interval) {}

// A subscription and its shadows hold each other.
Client::~Client() {
  for (const auto& [sid, subscription] : subscriptions_) {
    subscription->client = nullptr;
    for (const SubscriptionPtr& shadow : std::exchange(subscription->shadows, {})) {
      shadow->client = nullptr;
    }
  }
}

const Settings& Client::settings() const noexcept { return *worker_.configuration()->settings; }

Result<void> Client::adopt(net::Fd fd) {
  if (auto adopted = stream_.adopt(std::move(fd)); !adopted) {
    return adopted;
  }
  log::debug("Client connection created", {{"client", peer_.text()}, {"cid", id_}});
  const std::optional<TlsSettings>& tls = settings().tls;
  if (door_ == Door::trusted || !tls) {
    greet();
    await_connect();
  } else if (tls->connection_rate_limit != 0 &&
             !worker_.hub().handshakes.allow(tls->connection_rate_limit, worker_.reactor().now())) {
    greet();
    end(CloseReason::tls_handshake_failure, "Connection throttling is active. Please try again later.");
  } else if (tls->handshake_first == HandshakeFirst::off) {
    greet();
    if (phase_ == Phase::greeted && !settings().allow_non_tls) {
      start_tls();
    } else if (phase_ == Phase::greeted) {
      set_deadline(tls->timeout, &Client::tls_too_late);
    }
  } else {
    tls_first_ = true;
    if (tls->handshake_first == HandshakeFirst::always) {
      start_tls();
    } else {
      set_deadline(tls->handshake_fallback, &Client::first_byte_too_late);
    }
  }
  return {};
}

std::string Client::info_json() const {
  const Settings& now = settings();
  const Hub& hub = worker_.hub();
  const Configuration& configuration = *worker_.configuration();
  const bool tls = door_ == Door::listener && now.tls.has_value();
  wire::ServerInfo info;
  info.server_id = hub.server_id;
  info.server_name = now.server_name.empty() ? hub.server_id : now.server_name;
  info.version = hub.version;
  info.go = "c++23";
  info.host = configuration.host;
  info.port = configuration.port;
  info.client_ip = peer_.ip();
  info.nonce = nonce_;
  info.max_payload = max_payload_;
  info.client_id = id_;
  info.proto = 1;
  info.headers = !now.no_header_support;
  info.auth_required = door_ == Door::listener && configuration.authenticator->auth_required();
  info.tls_required = tls && (!now.allow_non_tls || now.tls->handshake_first == HandshakeFirst::always);
  info.tls_available = tls && !info.tls_required;
  info.tls_verify = tls && configuration.tls->verifies_clients();
  info.ldm = hub.lame_duck.load(std::memory_order_relaxed);
  return wire::to_json(info);
}

void Client::greet() {
  const Limits& limits = settings().limits;
  max_payload_ = static_cast<std::uint32_t>(limits.max_payload);
  if (door_ == Door::listener && worker_.configuration()->authenticator->needs_nonce()) {
    nonce_ = make_nonce();
  }
  std::string info;
  wire::append_info(info, info_json());
  stream_.write(info);
  phase_ = Phase::greeted;
  if (worker_.hub().clients.load(std::memory_order_relaxed) > limits.max_connections) {
    log::error("maximum connections exceeded",
               {{"client", peer_.text()}, {"cid", id_}, {"limit", limits.max_connections}});
    end(CloseReason::max_connections_exceeded, "maximum connections exceeded");
  }
}

void Client::start_tls() {
  const auto& tls = worker_.configuration()->tls;
  if (tls == nullptr) {  // a reload has ended TLS since the client was greeted
    end(CloseReason::tls_handshake_failure);
    return;
  }
  auto ssl = tls->context().accept();
  if (!ssl) {
    log::write(log::Level::error, "TLS handshake error", ssl.error(), {{"client", peer_.text()}, {"cid", id_}});
    end(CloseReason::tls_handshake_failure);
    return;
  }
  phase_ = Phase::securing;
  set_deadline(settings().tls ? settings().tls->timeout : kConnectWithoutTls, &Client::tls_too_late);
  stream_.start_tls(std::move(*ssl));
}

void Client::on_secured(net::Stream&) {
  if (phase_ == Phase::leaving) {
    return;
  }
  log::debug("TLS handshake complete", {{"client", peer_.text()}, {"cid", id_}});
  // Under the trust of before, if a reload came in between.
  const auto& tls = worker_.configuration()->tls;
  if (tls != nullptr && !tls->accepted(stream_.ssl())) {
    if (const Result<void> trusted = tls->recheck(stream_.ssl(), wall_now()); !trusted) {
      worker_.hub().counters.tls_failures.add();
      log::write(log::Level::error, "TLS handshake error", trusted.error(), {{"client", peer_.text()}, {"cid", id_}});
      end(CloseReason::tls_handshake_failure);
      return;
    }
  }
  if (tls_first_) {
    greet();
  }
  await_connect();
}

void Client::await_connect() {
  if (phase_ == Phase::leaving) {
    return;
  }
  phase_ = Phase::connecting;
  // Where anybody may come in, nobody has to say so: a port that is held open costs what an idle client costs.
  if (door_ == Door::listener && !worker_.configuration()->authenticator->open()) {
    const Settings& now = settings();
    const Duration otherwise = now.tls ? now.tls->timeout + std::chrono::seconds(1) : kConnectWithoutTls;
    set_deadline(now.authorization.timeout.value_or(otherwise), &Client::connect_too_late);
  } else if (deadline_) {
    deadline_->stop();
  }
}

void Client::set_deadline(Duration after, void (Client::*then)()) {
  then_ = then;
  if (!deadline_) {
    deadline_ = std::make_unique<net::Timer>(worker_.reactor(), [this] { (this->*then_)(); });
  }
  deadline_->start(after);
}

void Client::first_byte_too_late() {
  tls_first_ = false;
  greet();
  if (phase_ == Phase::greeted && (!settings().tls || !settings().allow_non_tls)) {
    start_tls();
  } else if (phase_ == Phase::greeted) {
    set_deadline(settings().tls->timeout, &Client::tls_too_late);
  }
}

void Client::tls_too_late() {
  if (phase_ == Phase::greeted) {  // where TLS is a matter of choice, silence is no choice
    await_connect();
    return;
  }
  worker_.hub().counters.tls_failures.add();
  log::error("TLS handshake error", {{"client", peer_.text()}, {"cid", id_}, {"reason", "timeout"}});
  depart(CloseReason::tls_handshake_failure);
  stream_.close();
  worker_.remove(*this);
}

void Client::connect_too_late() {
  worker_.hub().counters.auth_failures.add();
  log::error("Authentication Timeout", {{"client", peer_.text()}, {"cid", id_}});
  end(CloseReason::authentication_timeout, "Authentication Timeout");
}

void Client::goodbye_too_late() {
  stream_.close();
  worker_.remove(*this);
}

std::size_t Client::on_data(net::Stream&, std::string_view bytes) {
  last_heard_ = worker_.reactor().now();
  switch (phase_) {
    case Phase::leaving: return bytes.size();
    case Phase::arriving:  // something before INFO: TLS, then
      start_tls();
      return 0;
    case Phase::greeted:
      if (bytes.front() == kTlsHandshakeRecord) {
        if (worker_.reactor().may_shake_hands()) {
          start_tls();
        } else {
          stream_.yield();
        }
        return 0;
      }
      await_connect();
      break;
    default: break;
  }
  worker_.begin_input();
  const std::size_t used = work_off(bytes);
  worker_.end_of_input();
  pause_if_needed();
  return used;
}

std::size_t Client::work_off(std::string_view bytes) {
  std::string_view rest = bytes;
  wire::Frame frame;
  Time until{};
  unsigned frames = 0;
  while (!rest.empty()) {
    if (phase_ == Phase::connecting && must_connect_first(rest.front())) [[unlikely]] {
      deny({.reason = "an operation before CONNECT"});
      return bytes.size();
    }
    const wire::Parser::Status status = parser_.next(rest, frame);
    if (status == wire::Parser::Status::more) {
      break;
    }
    if (status == wire::Parser::Status::error) {
      refuse_bytes();
      return bytes.size();
    }
    rest.remove_prefix(frame.raw.size());
    // Most who publish go on with messages of one size: what comes after the next one is on its way meanwhile.
    __builtin_prefetch(rest.data() + std::min(frame.raw.size(), rest.size()));
    on_frame(frame);
    if (phase_ == Phase::leaving) {
      return bytes.size();
    }
    if (stream_.paused() || worker_.congested() != nullptr) {
      break;
    }
    if (worked_enough(++frames, until)) {
      stream_.yield();
      break;
    }
  }
  return bytes.size() - rest.size();
}

// Where everybody has to say who he is, other words are not even read: nobody can make the broker keep half of a large
// frame for him. nats-server looks at the first letter too.
bool Client::must_connect_first(char first) const {
  return first != 'C' && first != 'c' && door_ == Door::listener &&
         worker_.configuration()->authenticator->auth_required();
}

// One client's frames, each of which may go to many, do not keep all the others waiting; nor may it run up answers that
// it does not read.
bool Client::worked_enough(unsigned frames, Time& until) {
  if (!heavy_ && frames % kFramesPerLook != 0) [[likely]] {
    return false;
  }
  const Time now = hawser::now();
  const bool many = frames > 4 * kFramesPerLook;
  if (until == Time{}) {
    until = now + worker_.share_of_a_turn();
  } else if (now >= until) {
    heavy_ = !many;
    return true;
  }
  heavy_ = heavy_ && !many;
  return leaves_unread();
}

bool Client::leaves_unread() const { return unread_ > kMostUnread && answered_ > stream_.output().sent(); }

void Client::pause_if_needed() {
  const Duration pressure = worker_.take_pressure();
  const Worker* congested = worker_.take_congested();
  if (phase_ == Phase::leaving) {
    return;
  }
  if (leaves_unread()) {
    stream_.write_early();
    if (leaves_unread()) {
      hold(Hold::unread);
    }
  }
  if (phase_ == Phase::serving && congested != nullptr) {
    rests_for_ = congested;
    rest(std::max(pressure, kCatchUp));
  } else {
    rest_for_others(pressure);
  }
}

void Client::on_written(net::Stream&) {
  if ((holds_ & static_cast<unsigned>(Hold::unread)) != 0 && !leaves_unread()) {
    let_go(Hold::unread);
  }
}

void Client::hold(Hold why) {
  holds_ |= static_cast<std::uint8_t>(why);
  stream_.pause();
}

void Client::let_go(Hold why) {
  holds_ &= static_cast<std::uint8_t>(~static_cast<unsigned>(why));
  if (holds_ == 0) {
    stream_.resume();
  }
}

void Client::refuse_bytes() {
  const Error& error = parser_.error();
  log::write(log::Level::error, "Client parser ERROR", error, {{"client", peer_.text()}, {"cid", id_}});
  switch (error.code) {
    case Errc::wire_control_line_too_long: end(CloseReason::max_control_line_exceeded, parser_.server_text()); break;
    case Errc::wire_payload_too_large: end(CloseReason::max_payload_exceeded, parser_.server_text()); break;
    case Errc::wire_unknown_operation:
    case Errc::wire_unexpected_operation: end(CloseReason::protocol_violation, parser_.server_text()); break;
    default: end(CloseReason::parse_error, parser_.server_text());
  }
}

// Who publishes faster than others read waits a little, so that they are not cut off as slow.
void Client::rest(Duration time) {
  if ((holds_ & static_cast<unsigned>(Hold::rest)) == 0 && stream_.is_open()) {
    hold(Hold::rest);
    set_deadline(time, &Client::rested);
  }
}

void Client::rest_for_others(Duration time) {
  if (time != Duration::zero() && phase_ == Phase::serving && !settings().no_fast_producer_stall) {
    rest(time);
  }
}

// A thread that has too much to deal with gets nothing new from here until it has caught up, however long that takes.
void Client::rested() {
  if (rests_for_ != nullptr && rests_for_->inbound_bytes() > worker_.most_inbound() / 2) {
    set_deadline(kCatchUp, &Client::rested);
    return;
  }
  rests_for_ = nullptr;
  let_go(Hold::rest);
}

void Client::end(CloseReason reason, std::string_view error) {
  if (phase_ == Phase::leaving) {
    return;
  }
  if (!error.empty()) {
    say_error(error);
  }
  const bool unread = reason == CloseReason::slow_consumer_pending_bytes ||
                      reason == CloseReason::slow_consumer_write_deadline || reason == CloseReason::stale_connection;
  depart(reason);
  if (unread && stream_.output().unsent_bytes() > net::PooledChunk::kBytes) {
    stream_.close();
    worker_.remove(*this);
    return;
  }
  holds_ = 0;
  stream_.resume();
  stream_.close_when_written();
  set_deadline(kGoodbye, &Client::goodbye_too_late);
}

void Client::cut(CloseReason reason) {
  if (phase_ != Phase::leaving) {
    depart(reason);
  }
  stream_.write_out();  // what is there already goes out, if the socket takes it
  stream_.close();
  worker_.remove(*this);
}

// From here on nobody finds it; what is left is its socket.
void Client::depart(CloseReason reason) {
  reason_ = reason;
  ConnectionFacts last = basic_facts();
  last.stop = wall_now();
  last.reason = reason;
  phase_ = Phase::leaving;
  if (deadline_) {
    deadline_->stop();
  }
  if (its_time_) {
    its_time_->stop();
  }
  if (gone_) {
    *gone_ = true;
  }
  if (view_ != nullptr) {
    leave_account();
    if (ClientEvents* events = worker_.hub().events; events != nullptr && events->wanted()) {
      events->disconnected(last);  // who hears it on another thread counts without this client
    }
  }
  if (!forget_some(kForgottenAtOnce)) {
    worker_.forget_later(*this);
  }
  log::debug("Client connection closed", {{"client", peer_.text()}, {"cid", id_}, {"reason", to_string(reason)}});
  worker_.hub().closed.add(std::move(last));
}

void Client::on_closed(net::Stream&, const Error& error) {
  if (phase_ == Phase::securing) {
    worker_.hub().counters.tls_failures.add();
    const bool probe = error.code == Errc::connection_closed || error.code == Errc::tls_cut_short;
    log::write(probe ? log::Level::debug : log::Level::error, "TLS handshake error", error,
               {{"client", peer_.text()}, {"cid", id_}});
    depart(CloseReason::tls_handshake_failure);
  } else if (phase_ != Phase::leaving) {
    depart(error.code == Errc::connection_closed ? CloseReason::client_closed
           : error.code == Errc::write_stalled   ? CloseReason::write_error
                                                 : CloseReason::read_error);
  }
  worker_.remove(*this);
}

void Client::ping_soon() {
  const Duration first = std::min(settings().limits.ping_interval, kFirstPing);
  next_ping_ = worker_.reactor().now() + first + first / 5 * static_cast<int>(id_ % 5) / 5;
}

void Client::look_after(Time now) {
  if (phase_ == Phase::leaving) {
    return;
  }
  const Limits& limits = settings().limits;
  const std::uint64_t sent = stream_.output().sent();
  if (stream_.output().unsent_bytes() == 0 || sent != sent_at_last_look_) {
    stuck_since_ = Time{};
    sent_at_last_look_ = sent;
  } else if (stuck_since_ == Time{}) {
    stuck_since_ = now;
  } else if (now - stuck_since_ >= limits.write_deadline) {
    worker_.hub().counters.slow_deadline.add();
    if (view_ != nullptr) {
      view_->account.slow_consumers.add();
    }
    log::warn("Slow Consumer Detected", {{"client", peer_.text()},
                                         {"cid", id_},
                                         {"reason", "write deadline"},
                                         {"pending_bytes", stream_.output().unsent_bytes()}});
    end(CloseReason::slow_consumer_write_deadline);
    return;
  }
  // Who has to say who he is has a deadline; everybody else is asked whether he is there.
  const bool expected = phase_ == Phase::connecting && (deadline_ == nullptr || !deadline_->armed());
  if ((phase_ != Phase::serving && !expected) || now < next_ping_) {
    return;
  }
  next_ping_ = now + limits.ping_interval;
  if (rtt_ != Duration{} && now - last_heard_ < limits.ping_interval) {
    pings_out_ = 0;
    return;
  }
  if (pings_out_ >= limits.ping_max) {
    worker_.hub().counters.stale.add();
    log::debug("Stale client connection", {{"client", peer_.text()}, {"cid", id_}});
    end(CloseReason::stale_connection, "Stale Connection");
    return;
  }
  ++pings_out_;
  ping_sent_ = now;
  stream_.write(wire::kPing);
  if (log::enabled(log::Level::trace)) {
    trace("->> [PING]");
  }
}

void Client::tell_info() {
  if (connected_ && protocol_ >= 1) {
    std::string info;
    wire::append_info(info, info_json());
    stream_.write(info);
  }
}

ConnectionFacts Client::facts() const {
  ConnectionFacts facts = basic_facts();
  if (stream_.secured()) {
    if (!certificates_) {  // worked out once: monitoring asks for thousands of clients at a time
      certificates_ = std::make_unique<const std::vector<PeerCertificateFacts>>(peer_certificates(stream_.ssl()));
    }
    facts.tls_peer_certs = *certificates_;
  }
  return facts;
}

ConnectionFacts Client::basic_facts() const {
  ConnectionFacts facts;
  facts.cid = id_;
  facts.ip = peer_.ip();
  facts.port = peer_.port();
  facts.start = start_;
  facts.last_activity = wall_now() - (worker_.reactor().now() - last_heard_);
  facts.rtt = rtt_;
  facts.pending_bytes = stream_.output().unsent_bytes();
  facts.traffic = traffic_;
  facts.subscriptions = static_cast<std::uint32_t>(subscriptions_.size());
  facts.name = name_;
  facts.lang = lang_;
  facts.version = version_;
  if (stream_.secured()) {
    facts.tls_version = tls::version_name(stream_.ssl());
    facts.tls_cipher_suite = tls::cipher_name(stream_.ssl());
    facts.tls_first = tls_first_;
  }
  facts.authorized_user = grant_.user;
  if (grant_.jwt != nullptr) {
    const identity::UserClaims& claims = grant_.jwt->claims;
    facts.issuer_key = claims.issuer;
    facts.name_tag = claims.name;
    facts.tags = claims.tags;
  }
  facts.account = view_ != nullptr ? view_->account.name : std::string();
  return facts;
}

std::size_t Client::visit_subscriptions(std::size_t from, std::size_t& left,
                                        const std::function<void(const Subscription&)>& visit) const {
  std::size_t bucket = from;
  for (; bucket < subscriptions_.bucket_count() && left > 0; ++bucket) {
    --left;  // an empty one is looked at as well
    for (auto at = subscriptions_.begin(bucket); at != subscriptions_.end(bucket); ++at) {
      visit(*at->second);
      left -= left > 0 ? 1 : 0;
    }
  }
  return bucket < subscriptions_.bucket_count() ? bucket : 0;
}

}  // namespace hawser::broker
