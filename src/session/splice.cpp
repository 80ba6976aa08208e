// The steps, in their order. The numbers are those of docs/splice.md.
#include "session/splice.hpp"

#include <algorithm>
#include <array>

namespace hawser::session {

using namespace splice_action;

Splice::Splice(const SpliceOptions& options, Subscriptions& subscriptions, const SpliceRules& rules)
    : options_(options), rules_(rules), subscriptions_(subscriptions), ledger_(options.ledger_limit) {}

void Splice::ping(Side side, Phase phase, Time now, SpliceActions& out) {
  phase_ = phase;
  awaiting_ = true;
  awaited_ = side;
  asked_at_ = now;
  deadline_ = now + options_.step_timeout;
  out.emplace_back(Ping{side, ++tag_});
  arm(out);
}

void Splice::wait(Duration delay, Phase phase, Time now, SpliceActions& out) {
  phase_ = phase;
  awaiting_ = false;
  deadline_ = now + delay;
  arm(out);
}

void Splice::arm(SpliceActions& out) const {
  out.emplace_back(Timer{release_later_ ? std::min(deadline_, release_at_) : deadline_});
}

void Splice::hold_publishes(SpliceActions& out) {
  if (publishes_held_) return;
  publishes_held_ = true;
  out.emplace_back(HoldPublishes{});
}

void Splice::release_publishes(Side side, SpliceActions& out) {
  release_later_ = false;
  subscribe_waits_ = false;
  if (!publishes_held_) return;
  publishes_held_ = false;
  out.emplace_back(ReleasePublishes{side});
}

// Step 1 is behind us. What the session published before must not reach N, where it would be an echo.
void Splice::start(Time now, SpliceActions& out) {
  if (phase_ != Phase::idle) return;
  if (!options_.echo && rules_.drain_own_publishes) {
    hold_publishes(out);
    ping(Side::old_link, Phase::draining, now, out);
  } else {
    drained(now, out);
  }
}

// A message that O delivers now may still be on its way to N's server, and find N's subscription there: it is to be
// known.
void Splice::drained(Time now, SpliceActions& out) {
  if (options_.same_server || !rules_.count_before_subscribing) return subscribe(now, out);
  wait(settle(), Phase::foreseeing, now, out);
}

// Step 2.
void Splice::subscribe(Time now, SpliceActions& out) {
  subscriptions_.for_each([](Subscription& subscription) { subscription.on_new_link = 0; });
  last_shared_ = subscriptions_.last_serial();
  subscribed_ = true;
  out.emplace_back(SendSubscriptions{Side::new_link});
  if (!rules_.keep_subscribed) {
    subscriptions_.for_each([&out](const Subscription& subscription) {
      if (subscription.queue.empty()) out.emplace_back(Unsubscribe{Side::old_link, subscription.sid, 0});
    });
  }
  ping(Side::new_link, Phase::subscribing, now, out);
}

// Step 3, PONG n1. From here a publish on O reaches N's subscriptions for certain (another server: after one more
// settle).
void Splice::subscribed(Time now, SpliceActions& out) {
  const Duration delay = rules_.settle_after_subscribing ? settle() : Duration{};
  if (!options_.same_server && rules_.settle_far_twice) return wait(delay, Phase::spreading, now, out);
  spread(out);
  wait(delay, Phase::settling, now, out);
}

void Splice::spread(SpliceActions& out) {
  if (!options_.echo && !subscribe_waits_) release_publishes(Side::old_link, out);
}

// PING o1. Without echo, a publish that the server hands to a queue group must not find N in it.
void Splice::mark_old(Time now, SpliceActions& out) {
  if (!options_.echo && subscriptions_.has_queues() && rules_.hold_for_queues) hold_publishes(out);
  if (!rules_.queue_overlap) leave_queues(Side::old_link, out);
  ping(Side::old_link, Phase::marking_old, now, out);
}

// PING n2, and with it N joins the queue groups: a settle before O leaves them.
void Splice::mark_new(Time now, SpliceActions& out) {
  queues_on_new_ = true;
  if (subscriptions_.has_queues()) out.emplace_back(SendQueueSubscriptions{Side::new_link});
  ping(Side::new_link, Phase::marking_new, now, out);
}

// Step 5.
void Splice::begin_cut(Time now, SpliceActions& out) {
  if (rules_.hold_publishes) hold_publishes(out);
  if (rules_.queue_overlap) leave_queues(Side::old_link, out);
  ping(Side::old_link, Phase::cutting, now, out);
}

// Step 6, PONG oc.
void Splice::cut(Time now, SpliceActions& out) {
  cut_ = true;
  live_ = Side::new_link;
  release_held(out);
  out.emplace_back(Live{Side::new_link});
  if (options_.same_server) {
    release_publishes(Side::new_link, out);
  } else {
    release_later(now, out);
  }
  const Duration linger = rules_.queue_linger ? std::max(options_.linger, settle()) : Duration{};
  wait(linger, Phase::lingering, now, out);
}

void Splice::release_later(Time now, SpliceActions& out) {
  release_later_ = true;
  release_at_ = now + (rules_.settle_own_publishes ? settle() : Duration{});
  hold_publishes(out);
}

// Step 8, PONG oz.
void Splice::close_old(Time now, SpliceActions& out) {
  old_open_ = false;
  out.emplace_back(Close{Side::old_link});
  wait(rules_.settle_before_end ? settle() : Duration{}, Phase::trailing, now, out);
}

void Splice::finish(How how, SpliceActions& out) {
  const bool link_left = live_ == Side::old_link ? old_open_ : new_open_;
  if (link_left) {
    release_publishes(live_, out);
    if (live_ == Side::new_link) carry_limits(out);
  }
  phase_ = Phase::done;
  ledger_.clear();
  held_.clear();
  tail_.clear();
  out.emplace_back(Finished{how, std::move(reason_)});
}

// N's server counts from N's SUB, copies that the user was not given included; only now is it known how many that were.
void Splice::carry_limits(SpliceActions& out) {
  subscriptions_.for_each([&out](Subscription& subscription) {
    subscription.elsewhere =
        static_cast<std::int64_t>(subscription.delivered) - static_cast<std::int64_t>(subscription.on_new_link);
    if (subscription.max != 0) {
      out.emplace_back(Unsubscribe{Side::new_link, subscription.sid, subscription.limit_on_link()});
    }
  });
}

void Splice::leave_queues(Side side, SpliceActions& out) {
  bool& member = side == Side::old_link ? queues_on_old_ : queues_on_new_;
  if (member && subscriptions_.has_queues()) out.emplace_back(RemoveQueueSubscriptions{side});
  member = false;
}

void Splice::on_pong(Side side, std::uint32_t tag, Time now, SpliceActions& out) {
  if (!awaiting_ || side != awaited_ || tag != tag_ || finished()) return;
  awaiting_ = false;
  slowest_pong_ = std::max(slowest_pong_, now - asked_at_);
  switch (phase_) {
    case Phase::draining: return drained(now, out);
    case Phase::subscribing: return subscribed(now, out);
    case Phase::marking_old:
      marked_old_ = true;
      return wait(rules_.settle_before_marking ? settle() : Duration{}, Phase::catching_up, now, out);
    case Phase::marking_new:
      grant_credits();
      return wait(rules_.settle_before_cut ? settle() : Duration{}, Phase::merging, now, out);
    case Phase::cutting: return cut(now, out);
    case Phase::closing: return close_old(now, out);
    case Phase::finishing: release_tail(out); return finish(how_, out);
    case Phase::returned: return finish(How::new_died, out);
    case Phase::rejoining: return wait(settle(), Phase::rejoined, now, out);
    case Phase::retreated: out.emplace_back(Close{Side::new_link}); return finish(How::abandoned, out);
    default: return;
  }
}

void Splice::on_timer(Time now, SpliceActions& out) {
  if (finished() || phase_ == Phase::idle) return;
  if (release_later_ && now >= release_at_) release_publishes(live_, out);
  if (now < deadline_) return arm(out);
  if (awaiting_) return timed_out(now, out);
  switch (phase_) {
    case Phase::foreseeing: return subscribe(now, out);
    case Phase::spreading:
      spread(out);
      return wait(rules_.settle_after_subscribing ? settle() : Duration{}, Phase::settling, now, out);
    case Phase::settling: return mark_old(now, out);
    case Phase::catching_up: return mark_new(now, out);
    case Phase::merging: return begin_cut(now, out);
    case Phase::lingering: return ping(Side::old_link, Phase::closing, now, out);
    case Phase::trailing: return ping(Side::new_link, Phase::finishing, now, out);
    case Phase::returning: return ping(Side::old_link, Phase::returned, now, out);
    case Phase::rejoined: return retreat(now, out);
    case Phase::retreating: return ping(Side::new_link, Phase::retreated, now, out);
    default: return;
  }
}

// The server must have read a SUB before it reads a request that is to be answered on it, so both go by one link; and
// what a subscription brings stays in the order of the publishers only if it begins on one link. In the middle that is
// N, after the cut.
Splice::Route Splice::on_subscribe(SpliceActions& out) {
  if (publishes_held_ && rules_.hold_own_subscribes) {
    subscribe_waits_ = true;
    return Route::wait;
  }
  const bool in_the_middle = subscribed_ && !cut_ && !leaving_new();
  if (!in_the_middle) return live_ == Side::old_link ? Route::old_link : Route::new_link;
  if (!rules_.hold_own_subscribes) return Route::new_link;
  hold_publishes(out);
  subscribe_waits_ = true;
  return Route::wait;
}

void Splice::on_unsubscribe(std::string_view sid, SpliceActions& out) {
  if (finished()) return;
  const Subscription* const subscription = subscriptions_.find(sid);
  if (subscription != nullptr) {
    // With a limit. N gets it at the end; until then the registry does the counting.
    if (live_ == Side::old_link)
      out.emplace_back(Unsubscribe{Side::old_link, std::string(sid), subscription->limit_on_link()});
    return;
  }
  if (old_open_) out.emplace_back(Unsubscribe{Side::old_link, std::string(sid), 0});
  if (new_open_ && subscribed_) out.emplace_back(Unsubscribe{Side::new_link, std::string(sid), 0});
}

std::string_view to_string(Splice::Phase phase) {
  static constexpr std::array<std::string_view, 22> kNames{
      "idle",        "draining",  "foreseeing", "subscribing", "spreading", "settling", "marking-old", "catching-up",
      "marking-new", "merging",   "cutting",    "lingering",   "closing",   "trailing", "finishing",   "returning",
      "returned",    "rejoining", "rejoined",   "retreating",  "retreated", "done"};
  return kNames[static_cast<std::size_t>(phase)];
}

}  // namespace hawser::session
