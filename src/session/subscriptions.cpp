#include "session/subscriptions.hpp"

#include <algorithm>
#include <functional>
#include <limits>

namespace hawser::session {
namespace {

constexpr std::size_t kFewestBuckets = 8;
constexpr std::size_t kDecimalDigits = 18;  // fit in 64 bits whatever they are

constexpr std::uint64_t kIsText = std::uint64_t{1} << 63U;

// Clients number their sids: such a sid is its number, and equal keys mean equal sids. Another text has a hash for a
// key, and is to be compared ("01" is not 1).
std::uint64_t key_of(std::string_view sid) noexcept {
  const auto text_key = [sid] { return std::hash<std::string_view>{}(sid) | kIsText; };
  if (sid.empty() || sid.size() > kDecimalDigits || (sid[0] == '0' && sid.size() > 1)) return text_key();
  std::uint64_t number = 0;
  for (const char c : sid) {
    const auto digit = static_cast<unsigned char>(c - '0');
    if (digit > 9) return text_key();
    number = number * 10 + digit;
  }
  return number;
}

std::size_t bucket_of(std::uint64_t key, std::size_t buckets) noexcept {
  constexpr std::uint64_t kGolden = 0x9E37'79B9'7F4A'7C15;
  return static_cast<std::size_t>((key * kGolden) >> 32U) & (buckets - 1);
}

}  // namespace

Subscriptions::Slot Subscriptions::lookup(std::string_view sid) const {
  if (live_ == 0) return 0;
  const std::uint64_t key = key_of(sid);
  for (std::size_t i = bucket_of(key, buckets_.size());; i = (i + 1) & (buckets_.size() - 1)) {
    const Slot slot = buckets_[i];
    if (slot == 0) return 0;
    const Entry& entry = entries_[slot - 1];
    if (entry.key == key && entry.live && (key < kIsText || entry.sid == sid)) return slot;
  }
}

void Subscriptions::insert(Slot entry) {
  std::size_t i = bucket_of(entries_[entry - 1].key, buckets_.size());
  while (buckets_[i] != 0) i = (i + 1) & (buckets_.size() - 1);
  buckets_[i] = entry;
}

// Entries and buckets hold removed ones until here, so removing is cheap and iteration stays in order.
void Subscriptions::rebuild(std::size_t buckets) {
  std::erase_if(entries_, [](const Entry& entry) { return !entry.live; });
  entries_.reserve(buckets / 2);
  buckets_.assign(buckets, 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) insert(static_cast<Slot>(i + 1));
}

Subscriptions::Added Subscriptions::add(std::string_view sid, std::string_view subject, std::string_view queue) {
  if (lookup(sid) != 0) return Added::duplicate;
  if (live_ >= limit_) return Added::full;
  if (2 * (entries_.size() + 1) > buckets_.size()) {
    std::size_t buckets = kFewestBuckets;
    while (buckets < 4 * (live_ + 1)) buckets *= 2;
    rebuild(buckets);
  }
  Entry& entry = entries_.emplace_back();
  entry.key = key_of(sid);
  entry.sid = sid;
  entry.subject = subject;
  entry.queue = queue;
  entry.serial = ++last_serial_;
  insert(static_cast<Slot>(entries_.size()));
  ++live_;
  if (!queue.empty()) ++queues_;
  return Added::added;
}

void Subscriptions::erase(Slot slot) {
  Entry& entry = entries_[slot - 1];
  if (!entry.queue.empty()) --queues_;
  entry.live = false;  // its bucket's chain goes through here until the next rebuild
  entry.sid = {};
  entry.subject = {};
  entry.queue = {};
  if (--live_ == 0 && buckets_.size() > kFewestBuckets) clear();
}

bool Subscriptions::remove(std::string_view sid) {
  const Slot slot = lookup(sid);
  if (slot == 0) return false;
  erase(slot);
  return true;
}

Subscriptions::Limited Subscriptions::limit(std::string_view sid, std::uint64_t max) {
  const Slot slot = lookup(sid);
  if (slot == 0) return Limited::unknown;
  Subscription& entry = entries_[slot - 1];
  if (entry.delivered >= max) {
    erase(slot);
    return Limited::removed;
  }
  entry.max = std::min<std::uint64_t>(max, std::numeric_limits<std::int64_t>::max() / 2);  // limit_on_link adds to it
  return Limited::limited;
}

Subscriptions::Counted Subscriptions::count(std::string_view sid) {
  const Slot slot = lookup(sid);
  if (slot == 0) return Counted::unknown;
  Subscription& entry = entries_[slot - 1];
  if (++entry.delivered != entry.max) return Counted::given;
  erase(slot);
  return Counted::last;
}

const Subscription* Subscriptions::find(std::string_view sid) const {
  const Slot slot = lookup(sid);
  return slot == 0 ? nullptr : &entries_[slot - 1];
}

Subscription* Subscriptions::find(std::string_view sid) {
  const Slot slot = lookup(sid);
  return slot == 0 ? nullptr : &entries_[slot - 1];
}

const Subscription* Subscriptions::find(Subscription::Serial serial) const {
  const auto entry = std::ranges::lower_bound(entries_, serial, {}, &Entry::serial);
  return entry == entries_.end() || entry->serial != serial || !entry->live ? nullptr : &*entry;
}

void Subscriptions::link_restarted() {
  for_each([](Subscription& entry) { entry.elsewhere = static_cast<std::int64_t>(entry.delivered); });
}

void Subscriptions::clear() {
  entries_ = {};
  buckets_ = {};
  live_ = 0;
  queues_ = 0;
}

}  // namespace hawser::session
