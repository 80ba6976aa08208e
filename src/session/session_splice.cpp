// The driver of a splice: dials the new link, and performs what the state machine (splice.hpp) decides.
#include <openssl/rand.h>

#include <algorithm>

#include "base/log.hpp"
#include "session/session.hpp"
#include "wire/writer.hpp"

namespace hawser::session {

using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kMostDoublings = 4;  // of the settling time: 16 times

std::string_view to_string(splice_action::Finished::How how) {
  using How = splice_action::Finished::How;
  switch (how) {
    case How::spliced: return "spliced";
    case How::abandoned: return "abandoned";
    case How::old_died: return "old_died";
    case How::new_died: return "new_died";
    case How::both_died: return "both_died";
  }
  return "unknown";
}

}  // namespace

void Session::take_up(AccessPtr access, Duration delay) {
  access_ = std::move(access);
  pool_.inputs_changed();
  if (!live_) {
    // Nothing to move: what is being dialled has the old material.
    if (next_ && !splice_) {
      next_->abandon();
      reactor_.retire(std::move(next_));
    }
    retry_.stop();
    connect();
    return;
  }
  if (!splice_ && leave_if_distrusted()) {
    return;
  }
  splice_reason_ = "material changed";
  splice_failures_ = 0;
  if (splice_ || (next_ && aim_ == Aim::splice)) {
    splice_wanted_ = true;
    return;
  }
  splice_timer_.start(delay);
}

// A live peer whose chain does not verify under the new CA bundle or CRL is left at once, splice or not.
bool Session::leave_if_distrusted() {
  if (!live_->secured() || access_->decision->tls.insecure) {
    return false;
  }
  auto good = access_->tls->verify_again(live_->ssl(), std::chrono::floor<std::chrono::seconds>(wall_now()));
  if (good) {
    return false;
  }
  log::write(log::Level::warn, "the server's certificate is not trusted any more", good.error(),
             {{"server", live_->server().printable()}});
  if (next_) {  // dialled under the trust that has ended
    next_->abandon();
    reactor_.retire(std::move(next_));
  }
  live_->abandon();
  on_down(*live_, good.error());
  return true;
}

void Session::splice_now(std::string_view reason) {
  splice_reason_ = reason;
  if (splice_ || next_) {
    splice_wanted_ = true;
    return;
  }
  splice_timer_.start(Duration::zero());
}

void Session::begin_splice_dial() {
  if (stopped_ || splice_ || next_ || !live_ || !live_->live()) {
    return;
  }
  splice_wanted_ = false;
  const ServerPool::Attempt attempt = pool_.next(reactor_.now(), live_id_);
  dial(attempt.id, Aim::splice);
}

void Session::splice_failed(const Error& error) {
  metrics_.spliced("not_connected", false, {});
  log::write(log::Level::warn, "cannot splice: the new link was not accepted; the old one stays", error,
             {{"why", splice_reason_}, {"client", profile_.name}, {"hint", info(error.code).hint}});
  // Something new is waiting: at once. Otherwise again with growing patience: what made this one fail may be over before the next change.
  const Duration wait = splice_wanted_ ? Duration::zero() : std::min<Duration>(5min, 1s * (1U << std::min(splice_failures_, 9U)));
  ++splice_failures_;
  splice_timer_.start(wait);
}

void Session::begin_splice() {
  SpliceOptions options = options_.splice;
  options.same_server = live_->info().server_id == next_->info().server_id;
  options.echo = profile_.echo;
  const auto factor = 1U << settle_doublings_;
  options.settle *= factor;
  options.settle_far *= factor;
  options.linger = std::max(options.linger, options.same_server ? options.settle : options.settle_far);
  RAND_bytes(reinterpret_cast<unsigned char*>(&options.key), sizeof options.key);
  log::debug("splice begins", {{"why", splice_reason_},
                               {"from", live_->server().printable()},
                               {"to", next_->server().printable()},
                               {"client", profile_.name}});
  splice_failures_ = 0;
  splice_started_ = reactor_.now();
  publish_side_ = Side::old_link;
  splice_ = std::make_unique<Splice>(options, subscriptions_);
  if (paused_) {
    next_->pause();
  }
  SpliceActions actions;
  splice_->start(reactor_.now(), actions);
  perform(std::move(actions));
}

Link* Session::link_of(Side side) const noexcept {
  return side == Side::new_link && splice_ ? next_.get() : live_.get();
}

Side Session::side_of(const Link& link) const noexcept {
  return &link == next_.get() ? Side::new_link : Side::old_link;
}

void Session::perform(SpliceActions actions) {
  for (const SpliceAction& action : actions) {
    std::visit([this](const auto& a) { perform(a); }, action);
  }
}

void Session::perform(const splice_action::SendSubscriptions& action) {
  if (Link* link = link_of(action.side); link != nullptr && link->live()) {
    std::string lines;
    subscriptions_.for_each([&](const Subscription& s) {
      if (s.queue.empty()) {
        wire::append_sub(lines, s.subject, {}, s.sid);
      }
    });
    link->send(lines);
  }
}

void Session::perform(const splice_action::SendQueueSubscriptions& action) {
  if (Link* link = link_of(action.side); link != nullptr && link->live()) {
    std::string lines;
    subscriptions_.for_each([&](const Subscription& s) {
      if (!s.queue.empty()) {
        wire::append_sub(lines, s.subject, s.queue, s.sid);
      }
    });
    link->send(lines);
  }
}

void Session::perform(const splice_action::RemoveQueueSubscriptions& action) {
  if (Link* link = link_of(action.side); link != nullptr && link->live()) {
    std::string lines;
    subscriptions_.for_each([&](const Subscription& s) {
      if (!s.queue.empty()) {
        wire::append_unsub(lines, s.sid);
      }
    });
    link->send(lines);
  }
}

void Session::perform(const splice_action::Subscribe& action) {
  const Subscription* s = subscriptions_.find(action.sid);
  if (Link* link = link_of(action.side); link != nullptr && link->live() && s != nullptr) {
    std::string line;
    wire::append_sub(line, s->subject, s->queue, s->sid);
    link->send(line);
  }
}

void Session::perform(const splice_action::Unsubscribe& action) {
  if (Link* link = link_of(action.side); link != nullptr && link->live()) {
    std::string line;
    wire::append_unsub(line, action.sid, action.max);
    link->send(line);
  }
}

void Session::perform(const splice_action::Ping& action) {
  if (Link* link = link_of(action.side); link != nullptr && link->live()) {
    link->ping(PingPurpose::splice, action.tag);
  }
}

void Session::perform(const splice_action::HoldPublishes& /*action*/) { held_ = true; }

void Session::perform(const splice_action::ReleasePublishes& action) {
  held_ = false;
  publish_side_ = action.side;
  pump();
  relieve();
}

void Session::perform(const splice_action::Deliver& action) {
  end_run();
  if (!action.frames.empty()) {
    std::size_t count = 0;
    wire::Parser parser(wire::Peer::server);
    wire::Frame frame;
    for (std::string_view rest = action.frames;
         !rest.empty() && parser.next(rest, frame) == wire::Parser::Status::frame; ++count) {
      rest.remove_prefix(frame.raw.size());
    }
    metrics_.messages_in.add(count);
    metrics_.bytes_in.add(action.frames.size());
    user_.on_messages(action.frames, count);
  }
}

void Session::perform(const splice_action::Live& action) {
  if (Link* link = link_of(action.side); link != nullptr) {
    publish_side_ = action.side;
    user_.on_up(link->info());
  }
}

void Session::perform(const splice_action::Close& action) {
  if (Link* link = link_of(action.side); link != nullptr && link->live()) {
    link->close_when_written();
  }
}

void Session::perform(const splice_action::Timer& action) { splice_timer_.start_at(action.at); }

void Session::perform(const splice_action::Finished& action) {
  using How = splice_action::Finished::How;
  end_run();
  splice_timer_.stop();
  const SpliceCounters counters = splice_->counters();
  const bool new_is_live = splice_->live() == Side::new_link;
  const double seconds = std::chrono::duration<double>(reactor_.now() - splice_started_).count();
  const bool good = action.how == How::spliced;
  metrics_.spliced(to_string(action.how), good, counters);
  metrics_.splice_seconds.observe(seconds);
  log::write(good ? log::Level::info : log::Level::warn, good ? "spliced" : "splice ended early",
             {{"why", splice_reason_},
              {"how", to_string(action.how)},
              {"reason", action.reason},
              {"seconds", seconds},
              {"server", next_ ? next_->server().printable() : std::string()},
              {"held", counters.held},
              {"duplicates_possible", counters.duplicates_possible},
              {"losses_possible", counters.losses_possible},
              {"unsettled", counters.unsettled},
              {"client", profile_.name}});
  if (counters.unsettled > 0) {
    settle_doublings_ = std::min(settle_doublings_ + 1, kMostDoublings);
  } else if (good && settle_doublings_ > 0) {
    --settle_doublings_;  // what was slow then is not slow for ever
  }
  splice_.reset();
  aim_ = Aim::none;
  held_ = false;
  for (auto& [sid, pongs] : unsubscribed_) {
    pongs = 0;  // told to both links; the next PONG of the one that stays is behind it
  }
  if (new_is_live) {
    std::swap(live_, next_);
    live_id_ = next_id_;
  }
  leave(std::move(next_));
  publish_side_ = Side::old_link;
  if (!live_ || !live_->live()) {
    if (live_) {
      live_lost(Error{Errc::connection_lost, "both links ended during a splice"});
    }
    return;
  }
  if (live_->access()->generation != access_->generation && leave_if_distrusted()) {
    return;
  }
  pump();
  relieve();
  if (action.how == How::abandoned || action.how == How::new_died) {
    splice_wanted_ = false;
    splice_timer_.start(std::min<Duration>(5min, 1s * (1U << std::min(splice_failures_++, 9U))));
  } else if (splice_wanted_ || live_->access()->generation != access_->generation) {
    splice_now(splice_reason_);
  }
}

// A link that is not needed any more closes by itself, in order.
void Session::leave(std::unique_ptr<Link> link) {
  if (!link) {
    return;
  }
  if (link->live()) {
    link->close_when_written();
  }
  if (link->phase() == Link::Phase::closed) {
    reactor_.retire(std::move(link));
  } else {
    leaving_.push_back(std::move(link));
  }
}

void Session::note_own_publishes(std::string_view frames) {
  wire::Parser parser(wire::Peer::client);
  wire::Frame frame;
  while (!frames.empty() && parser.next(frames, frame) == wire::Parser::Status::frame) {
    splice_->on_own_publish(frame);
    frames.remove_prefix(frame.raw.size());
  }
}

}  // namespace hawser::session
