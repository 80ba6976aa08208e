#include "session/session.hpp"

#include <openssl/rand.h>

#include <algorithm>

#include "base/log.hpp"
#include "wire/writer.hpp"

namespace hawser::session {
namespace {

std::uint64_t random_bits() {
  std::uint64_t bits = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&bits), sizeof bits);
  return bits;
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
