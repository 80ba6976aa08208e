#include "agent/control.hpp"

#include "base/log.hpp"

namespace hawser::agent {

Control::Control(net::Reactor& reactor, net::Resolver& resolver, const session::SessionOptions& options,
                 Metrics& metrics, std::function<void(const wire::ServerInfo&)> heard)
    : reactor_(reactor), resolver_(resolver), options_(options), metrics_(metrics), heard_(std::move(heard)) {}

Control::~Control() {
  if (session_) {
    session_->stop();
    reactor_.retire(std::move(session_));
  }
}

void Control::start(session::AccessPtr access) {
  session::ConnectProfile profile;
  profile.name = "hawser agent";
  auto made = session::Session::make(reactor_, resolver_, static_cast<session::SessionUser&>(*this), std::move(access),
                                     std::move(profile), options_, metrics_.session);
  if (!made) {
    set(false, made.error().message());
    log::write(log::Level::error, "the agent's own session cannot be opened", made.error());
    return;
  }
  session_ = std::move(*made);
  session_->start();
}

void Control::take_up(const session::AccessPtr& access) {
  if (session_) {
    session_->take_up(access, Duration::zero());
  }
}

void Control::check_posture() {
  if (session_) {
    session_->check_posture();
  }
}

void Control::on_up(const wire::ServerInfo& info) {
  if (!up()) {
    log::info("connected to nats", {{"server", session_->live()->server().printable()},
                                    {"server_name", info.server_name},
                                    {"version", info.version}});
  }
  metrics_.breaker.set(0);
  // A server without a name of its own calls itself by its id: 56 letters that nobody reads.
  const std::string name = info.server_name == info.server_id ? "" : info.server_name + ", ";
  set(true, "connected to " + session_->live()->server().printable() + " (" + name + "nats-server " + info.version + ")");
  heard_(info);
}

void Control::on_down(const Error& error) {
  metrics_.breaker.set(1);
  set(false, error.message());
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
