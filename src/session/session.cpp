#include "session/session.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <bit>

#include "base/log.hpp"
#include "wire/writer.hpp"

namespace hawser::session {
namespace {

std::uint64_t random_bits() {
  std::uint64_t bits = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&bits), sizeof bits);
  return bits;
}

Backoff::Failure failure_kind(const Error& error) {
  return info(error.code).kind == ErrorKind::denied || tls::is_certificate_refusal(error.code)
             ? Backoff::Failure::denied
             : Backoff::Failure::unreachable;
}

}  // namespace

Result<std::unique_ptr<Session>> Session::make(net::Reactor& reactor, net::Resolver& resolver, SessionUser& user,
                                               AccessPtr access, ConnectProfile profile, const SessionOptions& options,
                                               Metrics& metrics) {
  std::vector<Server> servers;
  const posture::Decision& decision = *access->decision;
  for (const posture::ServerUrl& url : decision.servers) {
    Server server;
    server.host = url.host;
    server.port = url.port;
    server.tls = url.secure();
    server.name_is_fixed = !decision.tls.source.server_name.empty();
    server.server_name = server.name_is_fixed ? decision.tls.source.server_name : url.host;
    servers.push_back(std::move(server));
  }
  auto pool = ServerPool::make(std::move(servers), options.pool, random_bits);
  if (!pool) {
    return std::unexpected(std::move(pool.error()));
  }
  return std::unique_ptr<Session>(new Session(reactor, resolver, user, std::move(access), std::move(profile), options,
                                              metrics, std::move(*pool)));
}

Session::Session(net::Reactor& reactor, net::Resolver& resolver, SessionUser& user, AccessPtr access,
                 ConnectProfile profile, const SessionOptions& options, Metrics& metrics, ServerPool pool)
    : reactor_(reactor),
      resolver_(resolver),
      user_(user),
      metrics_(metrics),
      access_(std::move(access)),
      profile_(std::move(profile)),
      options_(options),
      pool_(std::move(pool)),
      backlog_(reactor.chunks()),
      retry_(reactor, [this] { connect(); }),
      splice_timer_(reactor,
                    [this] {
                      if (splice_) {
                        SpliceActions actions;
                        splice_->on_timer(reactor_.now(), actions);
                        perform(std::move(actions));
                      } else {
                        begin_splice_dial();
                      }
                    }),
      outage_timer_(reactor, [this] { declare_outage(); }),
      live_timer_(reactor, [this] { go_live(); }) {}

Session::~Session() { stop(); }

void Session::start() {
  spooling_ = spool_ != nullptr && !spool_->clear();
  outage_timer_.start(options_.outage_after);
  connect();
}

void Session::stop() {
  if (live_ && live_->live() && !stopped_) {
    metrics_.sessions_up.subtract();
  }
  stopped_ = true;
  splice_.reset();
  for (std::unique_ptr<Link>* link : {&live_, &next_}) {
    if (*link) {
      (*link)->abandon();
      reactor_.retire(std::move(*link));
    }
  }
  for (auto& link : leaving_) {
    link->abandon();
    reactor_.retire(std::move(link));
  }
  leaving_.clear();
  retry_.stop();
  splice_timer_.stop();
  outage_timer_.stop();
  live_timer_.stop();
}

// ---- connecting -------------------------------------------------------------------------------------------------

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

// ---- the user's stream --------------------------------------------------------------------------------------------

void Session::publish(std::string_view frames, std::size_t count) {
  metrics_.messages_out.add(count);
  metrics_.bytes_out.add(frames.size());
  if (spooling_) {
    spool(frames);
    return;
  }
  Link* const link = live_ ? link_of(publish_side_) : nullptr;
  if (link == nullptr || held_ || !link->live() || !backlog_.empty()) {
    backlog_.append(frames);
    return;
  }
  if (splice_ && !profile_.echo) {
    note_own_publishes(frames);
  }
  link->publish(frames);
}

bool Session::accepts() {
  const bool room = !held_ && !flushes_full() && unconfirmed_bytes() < options_.window_bytes &&
                    unsent_bytes() < options_.window_bytes &&
                    (!spooling_ || spool_->accepts(outage_ ? Spool::Why::away : Spool::Why::behind));
  if (!room && !std::exchange(refused_more_, true) && up() && !held_) {
    link_of(publish_side_)->ask();  // its PONG is when this is looked at again
  }
  return room;
}

// SUB, UNSUB and PING count too: they are not in the window, and a server that does not read would let them grow.
std::size_t Session::unsent_bytes() const noexcept {
  const Link* const link = live_ ? link_of(publish_side_) : nullptr;
  return link != nullptr ? link->unsent_bytes() : 0;
}

std::size_t Session::unconfirmed_bytes() const noexcept {
  return backlog_.bytes() + (live_ ? live_->unconfirmed_bytes() : 0) +
         (splice_ && next_ ? next_->unconfirmed_bytes() : 0);
}

void Session::subscribe(std::string_view sid, std::string_view subject, std::string_view queue) {
  if (held_) {
    deferred_.push_back({std::string(sid), std::string(subject), std::string(queue), 0, true});
    return;
  }
  Link* target = live_.get();
  if (splice_) {
    SpliceActions actions;
    const Splice::Route route = splice_->on_subscribe(actions);
    perform(std::move(actions));
    if (route == Splice::Route::wait) {
      deferred_.push_back({std::string(sid), std::string(subject), std::string(queue), 0, true});
      return;
    }
    target = link_of(route == Splice::Route::old_link ? Side::old_link : Side::new_link);
  }
  if (subscriptions_.add(sid, subject, queue) != Subscriptions::Added::added) {
    return;
  }
  unsubscribed_.erase(std::string(sid));
  if (target != nullptr && target->live()) {
    send_subscription(*target, *subscriptions_.find(sid));
  }
}

void Session::unsubscribe(std::string_view sid, std::uint64_t max) {
  if (held_) {
    deferred_.push_back({std::string(sid), {}, {}, max, false});
    return;
  }
  if (max == 0 ? !subscriptions_.remove(sid)
               : subscriptions_.limit(sid, max) == Subscriptions::Limited::unknown) {
    return;
  }
  if (max == 0 && up()) {
    unsubscribed_.insert_or_assign(std::string(sid), live_->pings());
    if (unsubscribed_.size() % kAskAtUnsubscribed == 0) {
      live_->ask();  // its PONG empties the list
    }
  }
  if (splice_) {
    SpliceActions actions;
    splice_->on_unsubscribe(sid, actions);
    perform(std::move(actions));
  } else if (live_ && live_->live()) {
    const Subscription* left = subscriptions_.find(sid);
    std::string line;
    wire::append_unsub(line, sid, left != nullptr && left->max != 0 ? left->limit_on_link() : 0);
    live_->send(line);
  }
}

void Session::unsubscribe_all() {
  std::vector<std::string> sids;
  subscriptions_.for_each([&](const Subscription& subscription) { sids.push_back(subscription.sid); });
  for (const std::string& sid : sids) {
    unsubscribe(sid, 0);
  }
}

void Session::flush(std::uint64_t token) {
  flushes_.push_back({token, spool_ != nullptr ? spool_->mark() : 0});
  Link* const link = live_ ? link_of(publish_side_) : nullptr;
  if (link == nullptr || !link->live()) {
    answer_flushes();
  } else if (!held_ && (!spooling_ || backlog_.empty())) {
    link->ping(PingPurpose::flush, token);
  }
}

// A flush is answered once the live link has processed what came before it, and the spool has made safe what it took of it;
// in an outage, once nothing is left that is not safe.
void Session::answer_flushes() {
  const bool nothing_waits = outage_ && !live_ && unconfirmed_bytes() == 0;
  std::size_t answered = 0;
  for (; answered < flushes_.size(); ++answered) {
    const Flush& flush = flushes_[answered];
    if ((!nothing_waits && flush.token > ponged_) || (spool_ != nullptr && !spool_->safe(flush.mark))) {
      break;
    }
  }
  if (answered == 0) {
    return;
  }
  const std::vector<Flush> done(flushes_.begin(), flushes_.begin() + static_cast<std::ptrdiff_t>(answered));
  flushes_.erase(flushes_.begin(), flushes_.begin() + static_cast<std::ptrdiff_t>(answered));
  for (const Flush& flush : done) {
    user_.on_flushed(flush.token);
  }
}

void Session::pause() {
  paused_ = true;
  for (Link* link : {live_.get(), next_.get()}) {
    if (link != nullptr && link->live()) {
      link->pause();
    }
  }
}

void Session::resume() {
  paused_ = false;
  for (Link* link : {live_.get(), next_.get()}) {
    if (link != nullptr) {
      link->resume();
    }
  }
}

// What no PONG has confirmed goes before what waits already.
void Session::rescue_publishes(const Link& link) {
  if (link.unconfirmed_bytes() == 0) {
    return;
  }
  metrics_.published_again.add(link.unconfirmed_bytes());
  backlog_.put_back(link);
}

// Lets go what waited for a link: publishes, then the flushes that stand behind them.
void Session::pump() {
  Link* const link = live_ ? link_of(publish_side_) : nullptr;
  if (link == nullptr || !link->live() || held_) {
    return;
  }
  for (Deferred& late : std::exchange(deferred_, {})) {
    late.subscribe ? subscribe(late.sid, late.subject, late.queue) : unsubscribe(late.sid, late.max);
  }
  if (held_) {  // a subscription has to wait again, and so has what follows it
    return;
  }
  if (spooling_ && !backlog_.empty()) {
    return;  // the queue goes first
  }
  if (!backlog_.empty()) {
    const std::string frames = backlog_.take();
    if (splice_ && !profile_.echo) {
      note_own_publishes(frames);
    }
    link->publish(frames);
  }
  if (!flushes_.empty()) {
    link->ping(PingPurpose::flush, flushes_.back().token);
  }
}

void Session::relieve() {
  if (refused_more_ && !held_ && flushes_.size() < kMaxFlushes / 2 + 1 &&
      std::max(unconfirmed_bytes(), unsent_bytes()) < options_.window_bytes / 2 + 1) {
    refused_more_ = false;
    user_.on_relieved();
  }
}

// ---- what links say ------------------------------------------------------------------------------------------------

void Session::on_message(Link& link, const wire::Frame& frame) {
  if (frame.op == wire::Op::hmsg && user_.had_before(frame)) {
    return;
  }
  if (!unsubscribed_.empty() && subscriptions_.find(frame.sid) == nullptr) {
    // Sent before the server heard of UNSUB: a user who drains a subscription waits for it.
    const Link* const live = splice_ ? link_of(splice_->live()) : live_.get();
    if (&link == live && unsubscribed_.contains(std::string(frame.sid))) {
      extend_run(frame);
    }
    return;
  }
  if (splice_) {
    SpliceActions actions;
    const Splice::Verdict verdict = splice_->on_message(side_of(link), frame, reactor_.now(), actions);
    perform(std::move(actions));
    if (verdict == Splice::Verdict::deliver) {
      deliver(frame);
    }
  } else if (&link == live_.get()) {
    deliver(frame);
  }
}

void Session::deliver(const wire::Frame& frame) {
  const Subscriptions::Counted counted = subscriptions_.count(frame.sid);
  if (counted == Subscriptions::Counted::unknown) {
    return;  // over its max
  }
  extend_run(frame);
  if (counted == Subscriptions::Counted::last) {
    user_.on_subscription_ended(frame.sid);
  }
  if (counted == Subscriptions::Counted::last && splice_) {
    SpliceActions actions;
    splice_->on_unsubscribe(frame.sid, actions);
    perform(std::move(actions));
  }
}

void Session::extend_run(const wire::Frame& frame) {
  if (run_.data() + run_.size() == frame.raw.data()) {
    run_ = {run_.data(), run_.size() + frame.raw.size()};
  } else {
    end_run();
    run_ = frame.raw;
  }
  ++run_count_;
}

void Session::on_batch_end(Link& /*link*/) { end_run(); }

void Session::end_run() {
  if (run_count_ > 0) {
    const std::string_view frames = std::exchange(run_, {});
    const std::size_t count = std::exchange(run_count_, 0);
    metrics_.messages_in.add(count);
    metrics_.bytes_in.add(frames.size());
    user_.on_messages(frames, count);
  }
}

void Session::on_pong(Link& link, PingPurpose purpose, std::uint64_t tag) {
  if (!unsubscribed_.empty() && &link == live_.get()) {
    std::erase_if(unsubscribed_, [&](const auto& entry) { return entry.second < link.pongs(); });
  }
  if (purpose == PingPurpose::splice && splice_) {
    SpliceActions actions;
    splice_->on_pong(side_of(link), static_cast<std::uint32_t>(tag), reactor_.now(), actions);
    perform(std::move(actions));
  } else if (purpose == PingPurpose::flush) {
    ponged_ = std::max(ponged_, tag);
    answer_flushes();
  }
  relieve();
}

void Session::on_info(Link& link, const wire::ServerInfo& info) {
  if (&link != live_.get()) {
    return;
  }
  pool_.gossip(info.connect_urls, live_id_);
  user_.on_up(info);
  if (info.ldm) {
    log::info("the server is in lame-duck mode; moving", {{"server", link.server().printable()}, {"client", profile_.name}});
    pool_.lame_duck(live_id_, reactor_.now());
    splice_now("lame duck");
  }
}

void Session::on_client_error(Link& /*link*/, std::string_view text) { user_.on_client_error(text); }

void Session::check_posture() {
  if (!live_) {
    return;
  }
  if (auto allowed = posture::still_allowed(*access_->decision, live_->secured(), wall_now()); !allowed) {
    live_->abandon();
    on_down(*live_, allowed.error());
  }
}

}  // namespace hawser::session
