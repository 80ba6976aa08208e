// What becomes of each message. The letters are those of docs/splice.md; Counts spells them out.
#include <algorithm>

#include "session/splice.hpp"
#include "wire/subject.hpp"

namespace hawser::session {

using namespace splice_action;

Splice::Verdict Splice::on_message(Side side, const wire::Frame& frame, Time now, SpliceActions& out) {
  Subscription* const subscription = subscriptions_.find(frame.sid);
  if (subscription == nullptr) return Verdict::drop;  // removed meanwhile
  if (phase_ == Phase::idle || finished()) return side == live_ ? Verdict::deliver : Verdict::drop;
  if (!(side == Side::old_link ? old_open_ : new_open_)) return Verdict::drop;
  if (side == Side::new_link) ++subscription->on_new_link;

  if (!subscription->queue.empty()) {  // one member of the group has it, whichever link that is
    if (side != live_) ++subscription->elsewhere;
    return Verdict::deliver;
  }
  if (subscribed_ && subscription->serial > last_shared_) {  // known to one link alone
    return side == (rules_.hold_own_subscribes ? live_ : Side::new_link) ? Verdict::deliver : Verdict::drop;
  }
  if (leaving_new()) return side == Side::old_link ? Verdict::deliver : Verdict::drop;

  const Fingerprint print = fingerprint(options_.key, subscription->serial, frame);
  const std::optional<Ledger::Index> entry = ledger_.enter(print, subscription->serial);
  if (!entry || overfull_) {
    // After the cut, N has a copy of all that O still delivers, so without counts N's stream alone is right.
    if (!cut_) give_up("more messages than it may remember", now, out);
    if (!entry || !cut_) return side == live_ ? Verdict::deliver : Verdict::drop;
  }
  return on_plain(side, ledger_[*entry], *entry, frame, now, out);
}

Splice::Verdict Splice::on_plain(Side side, Counts& counts, Ledger::Index entry, const wire::Frame& frame, Time now,
                                 SpliceActions& out) {
  std::uint32_t& own = side == Side::new_link ? counts.own_on_old : counts.own_on_new;
  if (own > 0) {
    --own;
    return drop_copy();
  }
  if (!cut_) return side == Side::old_link ? from_old(counts) : from_new(counts, entry, frame, now, out);
  return side == Side::old_link ? from_old_after_cut(counts, entry, frame) : from_new_after_cut(counts);
}

Splice::Verdict Splice::drop_copy() {
  ++counters_.copies_dropped;
  return Verdict::drop;
}

// Until the cut what O brings is what the user gets, at once.
Splice::Verdict Splice::from_old(Counts& counts) {
  ++(marked_old_ ? counts.after_mark : counts.before_mark);
  if (!counts.held.empty() && held_.first_is_early(counts.held)) {
    held_.drop_first(counts.held);
    ++counters_.copies_dropped;
  } else if (credited_ && counts.after_mark > counts.early) {
    if (!counts.held.empty()) {
      held_.drop_first(counts.held);
      ++counters_.copies_dropped;
    } else {
      ++counts.credits;
    }
  }
  return Verdict::deliver;
}

Splice::Verdict Splice::from_new(Counts& counts, Ledger::Index entry, const wire::Frame& frame, Time now,
                                 SpliceActions& out) {
  if (!credited_) {
    ++counts.early;
    const bool ahead = counts.early > std::uint64_t{counts.before_mark} + counts.after_mark;
    return ahead && rules_.early ? hold(counts, entry, frame, now, out) : drop_copy();
  }
  if (counts.credits > 0) {
    --counts.credits;
    return drop_copy();
  }
  return rules_.hold ? hold(counts, entry, frame, now, out) : Verdict::deliver;
}

Splice::Verdict Splice::hold(Counts& counts, Ledger::Index entry, const wire::Frame& frame, Time now,
                             SpliceActions& out) {
  if (held_.bytes() + HoldBuffer::cost(frame.raw) > options_.hold_limit_bytes) {
    give_up("more would have to be held than the limit allows", now, out);
    return Verdict::drop;
  }
  held_.push(counts.held, entry, counts.subscription, !credited_, frame.raw);
  ++counters_.held;
  counters_.held_bytes_peak = std::max<std::uint64_t>(counters_.held_bytes_peak, held_.bytes());
  return Verdict::hold;
}

// O's last messages, or all that it brings after N died behind the cut.
Splice::Verdict Splice::from_old_after_cut(Counts& counts, Ledger::Index entry, const wire::Frame& frame) {
  if (counts.ahead > 0 && rules_.cross_off) {
    --counts.ahead;
    return drop_copy();
  }
  if (live_ == Side::old_link || !rules_.tail) return Verdict::deliver;
  if (tail_.bytes() + HoldBuffer::cost(frame.raw) > options_.hold_limit_bytes) return drop_copy();  // N has it too
  tail_.push(counts.tail, entry, counts.subscription, false, frame.raw);
  return Verdict::hold;
}

Splice::Verdict Splice::from_new_after_cut(Counts& counts) {
  if (counts.credits > 0) {
    --counts.credits;
    return drop_copy();
  }
  if (blind_ && std::uint64_t{counts.before_mark} + counts.after_mark > counts.early) {
    ++counts.early;
    ++counters_.duplicates_possible;
  }
  if (!counts.tail.empty()) {
    tail_.drop_first(counts.tail);
    ++counters_.copies_dropped;
  } else {
    ++counts.ahead;
  }
  return Verdict::deliver;
}

// Step 4. Each message that O delivered after o1 has a copy on N; what is not among the early ones is still to come.
// Early copies of older messages make this too small at worst, which repeats one of several identical messages and
// drops none.
void Splice::grant_credits() {
  credited_ = true;
  if (!rules_.credits) return;
  for (Counts& counts : ledger_.entries()) {
    if (counts.after_mark > counts.early) counts.credits = counts.after_mark - counts.early;
  }
}

// Appends to `out` what of the buffer the user still wants.
void Splice::deliver(const HoldBuffer& buffer, SpliceActions& out) {
  std::string frames;
  std::vector<std::string> ended;
  frames.reserve(buffer.bytes());
  for (const HoldBuffer::Item& item : buffer.items()) {
    if (item.raw.empty()) continue;
    const Subscription* const subscription = subscriptions_.find(item.subscription);
    if (subscription == nullptr) continue;
    std::string sid = subscription->sid;
    frames += item.raw;
    if (subscriptions_.count(sid) == Subscriptions::Counted::last) ended.push_back(std::move(sid));
  }
  if (!frames.empty()) out.emplace_back(Deliver{std::move(frames)});
  for (const std::string& sid : ended) on_unsubscribe(sid, out);
}

void Splice::release_held(SpliceActions& out) {
  for (const HoldBuffer::Item& item : held_.items()) {
    if (item.raw.empty()) continue;
    Counts& counts = ledger_[item.entry];
    counts.held = {};
    ++counts.ahead;
    if (item.early && old_open_ && wanted(item)) ++counters_.unsettled;  // O should have brought it by now
  }
  deliver(held_, out);
  held_.clear();
}

// What O brought last and N has not. At the end that means that a server took longer than D.
void Splice::release_tail(SpliceActions& out) {
  const bool at_the_end = phase_ == Phase::finishing;
  for (const HoldBuffer::Item& item : tail_.items()) {
    if (item.raw.empty()) continue;
    ledger_[item.entry].tail = {};
    if (at_the_end && wanted(item)) ++counters_.unsettled;
  }
  deliver(tail_, out);
  tail_.clear();
  if (!at_the_end) return;
  for (const Counts& counts : ledger_.entries()) {
    if (subscriptions_.find(counts.subscription) != nullptr) counters_.unsettled += counts.credits;
  }
}

bool Splice::wanted(const HoldBuffer::Item& item) const { return subscriptions_.find(item.subscription) != nullptr; }

void Splice::on_own_publish(const wire::Frame& frame) {
  if (options_.echo || !subscribed_ || finished() || leaving_new() || !rules_.own_notes) return;
  if (cut_ && !rules_.own_notes_after_cut) return;
  const bool on_new = live_ == Side::new_link;
  if (on_new ? !old_open_ : cut_) return;  // nobody is left who could receive it
  subscriptions_.for_each([&](const Subscription& subscription) {
    if (!subscription.queue.empty() || subscription.serial > last_shared_) return;
    if (!wire::matches(subscription.subject, frame.subject)) return;
    const auto entry = ledger_.enter(fingerprint(options_.key, subscription.serial, frame), subscription.serial);
    if (!entry) {
      overfull_ = true;
    } else {
      ++(on_new ? ledger_[*entry].own_on_new : ledger_[*entry].own_on_old);
    }
  });
}

namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9E37'79B9'7F4A'7C15U;
  return hash ^ (hash >> 29U);
}

std::uint64_t digest_of(const HoldBuffer& buffer, std::uint64_t seed) {
  for (const HoldBuffer::Item& item : buffer.items()) {
    if (!item.raw.empty()) seed = mix(mix(seed, item.entry + 1), item.early ? 1 : 2);
  }
  return seed;
}

}  // namespace

std::uint64_t Splice::digest() const {
  std::uint64_t hash = mix(static_cast<std::uint64_t>(phase_), tag_);
  for (const bool flag : {awaiting_, old_open_, new_open_, subscribed_, queues_on_old_, queues_on_new_, marked_old_,
                          credited_, cut_, blind_, overfull_, publishes_held_, subscribe_waits_, release_later_}) {
    hash = mix(hash, flag ? 3 : 5);
  }
  hash = mix(hash, static_cast<std::uint64_t>(live_) << 8U | static_cast<std::uint64_t>(awaited_));
  hash = mix(hash, last_shared_);
  std::uint64_t sum = 0;  // the order of entries says nothing
  for (const Counts& counts : ledger_.entries()) {
    std::uint64_t one = counts.fingerprint.low;
    for (const std::uint32_t count : {counts.before_mark, counts.after_mark, counts.early, counts.credits, counts.ahead,
                                      counts.own_on_old, counts.own_on_new}) {
      one = mix(one, count);
    }
    sum += one;
  }
  return mix(digest_of(tail_, digest_of(held_, hash)), sum);
}

}  // namespace hawser::session
