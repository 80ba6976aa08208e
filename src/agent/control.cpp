#include "agent/control.hpp"

#include "base/log.hpp"

namespace hawser::agent {

Control::Control(net::Reactor& reactor, net::Resolver& resolver, const session::SessionOptions& options,
                 Metrics& metrics, Outage* outage, Events events)
    : reactor_(reactor), resolver_(resolver), options_(options), metrics_(metrics), events_(std::move(events)), breaker_(reactor.now()) {
  if (outage != nullptr && outage->queue != nullptr) {
    drain_ = std::make_unique<Drain>(reactor_, *outage, metrics_, [this] { renew(); });
  }
}

Control::~Control() { stop_session(); }

void Control::stop_session() {
  if (session_) {
    session_->stop();
    reactor_.retire(std::move(session_));
  }
}

void Control::start(session::AccessPtr access) {
  access_ = std::move(access);
  session::ConnectProfile profile;
  profile.name = "hawser agent";
  auto made = session::Session::make(reactor_, resolver_, static_cast<session::SessionUser&>(*this), access_,
                                     std::move(profile), options_, metrics_.session);
  if (!made) {
    set(false, made.error().message());
    log::write(log::Level::error, "the agent's own session cannot be opened", made.error());
    return;
  }
  session_ = std::move(*made);
  if (drain_) {
    drain_->use(session_.get());
  }
  session_->start();
}

// Another session, which knows nothing of what the one before had under way.
void Control::renew() {
  if (drain_) {
    drain_->use(nullptr);
  }
  stop_session();
  start(access_);
}

void Control::take_up(const session::AccessPtr& access) {
  access_ = access;
  if (session_) {
    session_->take_up(access, Duration::zero());
  }
}

void Control::check_posture() {
  if (session_) {
    session_->check_posture();
  }
}

void Control::queue_progressed() {
  if (drain_) {
    drain_->queue_progressed();
  }
}

void Control::on_up(const wire::ServerInfo& info) {
  if (!up()) {
    log::info("connected to nats", {{"server", session_->live()->server().printable()},
                                    {"server_name", info.server_name},
                                    {"version", info.version}});
  }
  const Duration away = reactor_.now() - breaker_.away_since();
  if (breaker_.on_link_up(reactor_.now())) {
    tell_breaker();
    log::info("circuit breaker closed", {{"breaker", "nats"}, {"away_seconds", std::chrono::duration<double>(away).count()}});
  }
  // A server without a name of its own calls itself by its id: 56 letters that nobody reads.
  const std::string name = info.server_name == info.server_id ? "" : info.server_name + ", ";
  set(true, "connected to " + session_->live()->server().printable() + " (" + name + "nats-server " + info.version + ")");
  events_.heard(info);
  if (drain_) {
    drain_->on_up(info);
  }
}

void Control::on_down(const Error& error) {
  const bool first = breaker_.state() == store::BreakerState::closed || !breaker_.reason();
  const bool refused = info(error.code).kind == ErrorKind::denied;
  const bool first_refusal = refused && !breaker_.refused();
  refused ? breaker_.on_refused(reactor_.now(), error) : breaker_.on_link_lost(reactor_.now(), error);
  tell_breaker();
  if (first || first_refusal) {
    log::write(log::Level::warn, "circuit breaker open", error, {{"breaker", "nats"}, {"hint", info(error.code).hint}});
  }
  set(false, error.message());
  if (drain_) {
    drain_->on_down(error);
  }
  const bool by_credential = error.code == Errc::auth_refused || error.code == Errc::auth_expired || error.code == Errc::auth_revoked;
  if (by_credential && events_.refused) {
    events_.refused();
  }
}

void Control::on_probe() {
  if (breaker_.on_probe(reactor_.now())) {
    tell_breaker();
    log::debug("circuit breaker half-open", {{"breaker", "nats"}});
  }
}

void Control::tell_breaker() {
  metrics_.breaker.set(breaker_.number());
  std::string text(to_string(breaker_.state()));
  if (breaker_.reason()) {
    text += ": " + breaker_.reason()->message();
  }
  const std::lock_guard lock(mutex_);
  breaker_text_ = std::move(text);
}

std::string Control::breaker() const {
  const std::lock_guard lock(mutex_);
  return breaker_text_;
}

void Control::on_flushed(std::uint64_t token) {
  if (drain_) {
    drain_->on_flushed(token);
  }
}

void Control::on_client_error(std::string_view text) {
  if (drain_) {
    drain_->on_client_error(text);
  }
}

void Control::on_relieved() {
  if (drain_) {
    drain_->on_relieved();
  }
}

void Control::set(bool up, std::string state) {
  up_.store(up, std::memory_order_release);
  const std::lock_guard lock(mutex_);
  state_ = std::move(state);
}

std::string Control::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace hawser::agent
