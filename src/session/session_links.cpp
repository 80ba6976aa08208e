// How a session gets its link, and what it does when it loses one.
#include <algorithm>
#include <bit>

#include "base/log.hpp"
#include "session/session.hpp"
#include "wire/writer.hpp"

namespace hawser::session {
namespace {

Backoff::Failure failure_kind(const Error& error) {
  return info(error.code).kind == ErrorKind::denied || tls::is_certificate_refusal(error.code)
             ? Backoff::Failure::denied
             : Backoff::Failure::unreachable;
}

}  // namespace

void Session::connect() {
  if (next_ || live_ || stopped_) {
    return;
  }
  const ServerPool::Attempt attempt = pool_.next(reactor_.now());
  if (attempt.at > reactor_.now()) {
    retry_.start_at(attempt.at);
    return;
  }
  user_.on_probe();
  dial(attempt.id, Aim::connect);
}

void Session::dial(ServerPool::Id id, Aim aim) {
  const Server* server = pool_.server(id);
  if (server == nullptr) {
    return;
  }
  next_id_ = id;
  aim_ = aim;
  const auto history = once_on_tls_ ? posture::History::once_on_tls : posture::History::never_on_tls;
  next_ = std::make_unique<Link>(reactor_, resolver_, static_cast<LinkOwner&>(*this), access_, *server, profile_, history, options_.link);
  next_->start();
}

void Session::on_live(Link& link) {
  if (&link != next_.get()) {
    return;
  }
  once_on_tls_ = once_on_tls_ || link.secured();
  pool_.connected(next_id_);
  if (!link.info().connect_urls.empty()) {
    pool_.gossip(link.info().connect_urls, next_id_);
  }
  metrics_.connects.add();
  if (aim_ == Aim::splice && live_) {
    begin_splice();
  } else {
    take_over();
  }
}

// The new link becomes the session's link, after a time without one.
void Session::take_over() {
  live_ = std::move(next_);
  live_id_ = next_id_;
  aim_ = Aim::none;
  outage_ = false;
  outage_timer_.stop();
  metrics_.sessions_up.add();
  dial_failures_ = 0;
  if (was_up_) {
    metrics_.reconnects.add();
  }
  log::write(was_up_ ? log::Level::info : log::Level::debug, was_up_ ? "reconnected to nats" : "connected to nats",
             {{"server", live_->server().printable()},
              {"server_name", live_->info().server_name},
              {"tls", live_->secured() ? tls::version_name(live_->ssl()) : "none"},
              {"client", profile_.name}});
  was_up_ = true;
  if (paused_) {
    live_->pause();
  }
  subscriptions_.link_restarted();
  subscriptions_.for_each([this](const Subscription& subscription) { send_subscription(*live_, subscription); });
  publish_side_ = Side::old_link;
  held_ = false;
  if (spooling_ && !spool_->nearly_clear()) {
    spill(Spool::Why::behind);
  }
  pump();
  user_.on_up(live_->info());
  go_live_when_clear();
  relieve();
  if (splice_wanted_ || live_->access()->generation != access_->generation) {
    splice_now("material changed while connecting");
  }
}

void Session::send_subscription(Link& link, const Subscription& subscription) {
  std::string line;
  wire::append_sub(line, subscription.subject, subscription.queue, subscription.sid);
  if (subscription.max != 0) {
    wire::append_unsub(line, subscription.sid, subscription.limit_on_link());
  }
  link.send(line);
}

void Session::on_down(Link& link, const Error& error) {
  if (stopped_) {
    return;
  }
  for (auto& leaving : leaving_) {
    if (leaving.get() == &link) {
      reactor_.retire(std::move(leaving));
      std::erase(leaving_, nullptr);
      return;
    }
  }
  end_run();
  if (splice_) {
    const Side side = side_of(link);
    log::write(link.told_to_close() ? log::Level::debug : log::Level::warn, "a link ended during a splice", error,
               {{"link", side == Side::old_link ? "old" : "new"}, {"client", profile_.name}});
    rescue_publishes(link);
    SpliceActions actions;
    splice_->on_closed(side, reactor_.now(), actions);
    perform(std::move(actions));
    return;
  }
  if (&link == live_.get()) {
    live_lost(error);
  } else if (&link == next_.get()) {
    link_failed(error);
  }
}

void Session::link_failed(const Error& error) {
  reactor_.retire(std::move(next_));
  metrics_.refused(error);
  pool_.failed(next_id_, failure_kind(error), reactor_.now());
  if (std::exchange(aim_, Aim::none) == Aim::splice) {
    splice_failed(error);
    return;
  }
  ++dial_failures_;
  // Seldom, since it goes on for ever: the first, second, fourth, eighth … of a row.
  log::write(std::has_single_bit(dial_failures_) ? log::Level::warn : log::Level::debug, "cannot connect to nats", error,
             {{"attempts", dial_failures_}, {"client", profile_.name}, {"hint", info(error.code).hint}});
  declare_outage();
  user_.on_down(error);
  connect();
}

void Session::live_lost(const Error& error) {
  metrics_.sessions_up.subtract();
  metrics_.disconnects.add();
  log::write(log::Level::warn, "disconnected from nats", error,
             {{"server", live_->server().printable()}, {"client", profile_.name}, {"hint", info(error.code).hint}});
  rescue_publishes(*live_);
  const auto kind = failure_kind(error);
  if (kind == Backoff::Failure::denied) {
    pool_.failed(live_id_, kind, reactor_.now());
  }
  reactor_.retire(std::move(live_));
  live_timer_.stop();
  ponged_ = 0;
  unsubscribed_.clear();
  outage_timer_.start(options_.outage_after);
  user_.on_down(error);
  if (next_) {  // a splice was being dialled: that link will do
    aim_ = Aim::connect;
    return;
  }
  connect();
}

void Session::declare_outage() {
  if (!live_ && !outage_) {
    outage_ = true;
    outage_timer_.stop();
    spill(Spool::Why::away);
    answer_flushes();
  }
}

}  // namespace hawser::session
