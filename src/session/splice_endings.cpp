// When it does not go as planned: a link dies, a PONG does not come, or it is given up.
#include <algorithm>

#include "session/splice.hpp"

namespace hawser::session {

using namespace splice_action;

// Given up, and N only has to hand back its place in the queue groups.
bool Splice::leaving_new() const {
  return phase_ == Phase::rejoining || phase_ == Phase::rejoined || phase_ == Phase::retreating ||
         phase_ == Phase::retreated;
}

void Splice::on_closed(Side side, Time now, SpliceActions& out) {
  bool& open = side == Side::old_link ? old_open_ : new_open_;
  if (finished() || !open) return;
  open = false;
  if (side == Side::old_link) {
    old_died(now, out);
  } else {
    new_died(now, out);
  }
}

// All that O was sent after o1 has a copy on N, and all that it was sent before has arrived: once there is PONG o1,
// nothing is lost with O. But if O brought f before o1 and N brought one early, those may have been two identical
// messages, of which the second was taken for the copy of the first, and was still to come on O.
bool Splice::mistakable() const {
  return std::ranges::any_of(ledger_.entries(),
                             [](const Counts& counts) { return counts.before_mark > 0 && counts.early > 0; });
}

void Splice::old_died(Time now, SpliceActions& out) {
  if (!new_open_) {  // N died before it
    ++counters_.losses_possible;
    return finish(How::both_died, out);
  }
  if (cut_) {  // as planned, early; what its queue groups had given it lately may be gone
    if (subscriptions_.has_queues()) ++counters_.losses_possible;
    reason_ = "the old connection was lost after the cut";
    return wait(settle(), Phase::trailing, now, out);
  }
  if (!marked_old_ || subscriptions_.has_queues() || leaving_new() || mistakable()) ++counters_.losses_possible;
  // The counts are gone, or did not begin early enough.
  if (leaving_new() || (!subscribed_ && !options_.same_server)) ++counters_.duplicates_possible;
  reason_ = "the old connection was lost before the cut";
  how_ = How::old_died;
  hold_publishes(out);
  if (!subscribed_) {
    subscriptions_.for_each([](Subscription& subscription) { subscription.on_new_link = 0; });
    last_shared_ = subscriptions_.last_serial();
    subscribed_ = true;
    out.emplace_back(SendSubscriptions{Side::new_link});
  }
  if (!queues_on_new_ && subscriptions_.has_queues()) out.emplace_back(SendQueueSubscriptions{Side::new_link});
  queues_on_new_ = true;
  queues_on_old_ = false;
  if (!credited_) {
    blind_ = true;
    grant_credits();
  }
  cut_ = true;
  live_ = Side::new_link;
  release_held(out);
  out.emplace_back(Live{Side::new_link});
  release_later(now, out);
  wait(settle(), Phase::trailing, now, out);
}

// O is in the queue groups again. Its server counts from this SUB on, so a limit starts anew.
void Splice::rejoin_queues(SpliceActions& out) {
  if (queues_on_old_) return;
  queues_on_old_ = true;
  if (!subscriptions_.has_queues()) return;
  out.emplace_back(SendQueueSubscriptions{Side::old_link});
  subscriptions_.for_each([&out](Subscription& subscription) {
    if (subscription.queue.empty()) return;
    subscription.elsewhere = static_cast<std::int64_t>(subscription.delivered);
    if (subscription.max == 0) return;
    out.emplace_back(Unsubscribe{Side::old_link, subscription.sid, subscription.limit_on_link()});
  });
}

void Splice::new_died(Time now, SpliceActions& out) {
  if (subscriptions_.has_queues() && (queues_on_new_ || !queues_on_old_)) ++counters_.losses_possible;
  if (!old_open_) {
    reason_ = "both connections were lost";
    release_tail(out);
    ++counters_.losses_possible;
    return finish(How::both_died, out);
  }
  reason_ = cut_ ? "the new connection was lost after the cut" : "the new connection was lost before the cut";
  const bool back = cut_;
  live_ = Side::old_link;
  if (!back) {
    rejoin_queues(out);
    return finish(How::new_died, out);
  }
  release_tail(out);
  out.emplace_back(Live{Side::old_link});
  rejoin_queues(out);
  subscriptions_.for_each([&](Subscription& subscription) {
    if (!subscription.queue.empty()) return;
    if (subscription.serial > last_shared_) {
      out.emplace_back(Subscribe{Side::old_link, subscription.sid});
      subscription.elsewhere = static_cast<std::int64_t>(subscription.delivered);
    }
    if (subscription.max == 0) return;
    out.emplace_back(Unsubscribe{Side::old_link, subscription.sid, subscription.limit_on_link()});
  });
  release_later(now, out);
  wait(settle(), Phase::returning, now, out);
}

void Splice::give_up(std::string_view reason, Time now, SpliceActions& out) {
  if (finished() || leaving_new()) return;
  if (cut_) {
    if (phase_ == Phase::lingering) ping(Side::old_link, Phase::closing, now, out);
    return;
  }
  reason_ = reason;
  ledger_.clear();
  held_.clear();
  release_publishes(Side::old_link, out);
  if (!queues_on_new_ || !subscriptions_.has_queues()) {
    rejoin_queues(out);
    out.emplace_back(Close{Side::new_link});
    new_open_ = false;
    return finish(How::abandoned, out);
  }
  if (queues_on_old_) return retreat(now, out);
  rejoin_queues(out);
  ping(Side::old_link, Phase::rejoining, now, out);
}

// O is a member of the queue groups: N may leave, and what was given to it still arrives.
void Splice::retreat(Time now, SpliceActions& out) {
  leave_queues(Side::new_link, out);
  wait(settle(), Phase::retreating, now, out);
}

void Splice::timed_out(Time now, SpliceActions& out) {
  awaiting_ = false;
  switch (phase_) {
    case Phase::closing:
      if (subscriptions_.has_queues()) ++counters_.losses_possible;
      reason_ = "the old connection did not answer at its end";
      return close_old(now, out);
    case Phase::finishing:
    case Phase::returned:
      // Copies may wait behind a user who does not read, and would be given twice if the counts went. This link is the
      // session's own: should its server be gone, the link ends by its own means.
      awaiting_ = true;
      deadline_ = now + options_.step_timeout;
      return arm(out);
    case Phase::rejoining: return retreat(now, out);
    case Phase::retreated:
      ++counters_.losses_possible;
      out.emplace_back(Close{Side::new_link});
      new_open_ = false;
      return finish(How::abandoned, out);
    default:
      return give_up(awaited_ == Side::old_link ? "the old connection did not answer a PING in time"
                                                : "the new connection did not answer a PING in time",
                     now, out);
  }
}

}  // namespace hawser::session
