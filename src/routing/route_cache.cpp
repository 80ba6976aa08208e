#include "routing/route_cache.hpp"

#include <algorithm>
#include <utility>

#include "routing/token_hash.hpp"
#include "wire/subject.hpp"

namespace hawser::routing {
namespace {

std::uint32_t weight_of(const Route& route) {
  std::size_t weight = route.plain.size();
  for (const QueueGroup& group : route.groups) {
    weight += group.members.size();
  }
  return static_cast<std::uint32_t>(weight);
}

}  // namespace

RouteCache::RouteCache(const Sublist& sublist) : sublist_(sublist), seed_(random_seed()), seen_(sublist.generation()) {}
RouteCache::~RouteCache() = default;

const Route& RouteCache::find_slowly(std::string_view subject) {
  if (sublist_.generation() != seen_) {
    catch_up();
  }
  const std::uint64_t hash = hash_of(subject, seed_);
  Entry* entry = lookup(hash, subject);
  if (entry == nullptr) {
    return miss(hash, subject);
  }
  last_ = entry;
  entry->used = true;
  if (!entry->route || (entry->epoch != epoch_ && !holds(*entry))) {
    retire(*entry);
    return fill(*entry);
  }
  ++hits_;
  return *entry->route;
}

// The trie is always matched after the changes up to seen_ were told, so a change that the match may or may not have
// seen is told afterwards.
void RouteCache::catch_up() {
  const bool told = sublist_.visit_changes(seen_, seen_, [this](std::string_view subject) {
    if (wire::has_wildcard(subject)) {
      wildcards_[++epoch_ % kWildcardsKept].assign(subject);
    } else {
      forget_literal(subject);
    }
  });
  if (!told) {
    epoch_ += kWildcardsKept + 1;  // which no entry can make up for
  }
}

void RouteCache::forget_literal(std::string_view subject) {
  if (Entry* entry = lookup(hash_of(subject, seed_), subject)) {
    retire(*entry);
  }
}

bool RouteCache::holds(Entry& entry) const {
  if (epoch_ - entry.epoch > kWildcardsKept) {
    return false;
  }
  for (std::uint64_t at = entry.epoch + 1; at <= epoch_; ++at) {
    if (wire::matches(wildcards_[at % kWildcardsKept], entry.subject)) {
      return false;
    }
  }
  entry.epoch = epoch_;
  return true;
}

RouteCache::Entry* RouteCache::first_way(std::uint64_t hash) {
  return entries_.data() + (hash & (entries_.size() / kWays - 1)) * kWays;
}

RouteCache::Entry* RouteCache::lookup(std::uint64_t hash, std::string_view subject) {
  if (entries_.empty()) {
    return nullptr;
  }
  Entry* const first = first_way(hash);
  for (Entry* entry = first; entry != first + kWays; ++entry) {
    if (entry->hash == hash && entry->subject == subject) {
      return entry;
    }
  }
  return nullptr;
}

const Route& RouteCache::fill(Entry& entry) {
  ++misses_;
  entry.route = fresh_route();
  entry.epoch = epoch_;
  sublist_.match(entry.subject, *entry.route);
  entry.weight = weight_of(*entry.route);
  kept_ += entry.weight;
  if (kept_ > kMaxKept) {
    shed_all_but(entry);
  }
  return *entry.route;
}

void RouteCache::shed_all_but(const Entry& entry) {
  for (Entry& other : entries_) {
    if (&other != &entry) {
      retire(other);
    }
  }
}

const Route& RouteCache::miss(std::uint64_t hash, std::string_view subject) {
  if (!subject.empty() && subject.size() <= kMaxSubjectBytes && asked_before(hash)) {
    Entry& entry = place_for(hash);
    entry.hash = hash;
    entry.subject.assign(subject);
    entry.used = true;
    return fill(entry);
  }
  ++misses_;
  in_use_.push_back(fresh_route());
  sublist_.match(subject, *in_use_.back());
  return *in_use_.back();
}

// Remembers it by a mark of 16 bits; taking one subject for another does no harm. More marks when many are lost, so
// that a large set of subjects that come round and round gets in at all.
bool RouteCache::asked_before(std::uint64_t hash) {
  if (marks_.empty() || (marks_lost_ > marks_.size() / 2 && marks_.size() < kMaxMarks)) {
    const std::size_t size = marks_.empty() ? kFirstMarks : marks_.size() * 2;
    marks_.assign(size, 0);
    marks_lost_ = 0;
  }
  const auto mark = static_cast<std::uint16_t>((hash >> 48U) | 1U);
  const std::size_t at = (hash >> 20U) & (marks_.size() - 1);
  std::uint16_t& last = marks_[at];
  std::uint16_t& one_before = marks_[at ^ 1U];
  if (last == mark || one_before == mark) {
    return true;
  }
  marks_lost_ += one_before != 0 ? 1 : 0;
  one_before = std::exchange(last, mark);
  return false;
}

RouteCache::Entry& RouteCache::place_for(std::uint64_t hash) {
  if (entries_.empty()) {
    entries_.resize(kFirstEntries);
  }
  Entry* const first = first_way(hash);
  Entry* victim = nullptr;
  for (Entry* entry = first; entry != first + kWays; ++entry) {
    if (entry->subject.empty()) {
      ++filled_;
      return *entry;
    }
    if (!entry->used && victim == nullptr) {
      victim = entry;
    }
  }
  if (filled_ * 2 > entries_.size() && entries_.size() < kMaxEntries) {
    grow();
    return place_for(hash);
  }
  if (victim == nullptr) {  // all were used: everybody gets a second chance, but one
    victim = first + (hash >> 60U) % kWays;
  }
  for (Entry* entry = first; entry != first + kWays; ++entry) {
    entry->used = false;
  }
  retire(*victim);
  return *victim;
}

void RouteCache::grow() {
  last_ = nullptr;
  std::vector<Entry> old(entries_.size() * 2);
  old.swap(entries_);
  filled_ = 0;
  for (Entry& entry : old) {
    if (!entry.subject.empty()) {
      place_for(entry.hash) = std::move(entry);  // there is room: a set of the old ones becomes two
    }
  }
}

// Somebody may still be going through the route.
void RouteCache::retire(Entry& entry) {
  if (entry.route) {
    kept_ -= std::exchange(entry.weight, 0);
    in_use_.push_back(std::move(entry.route));
  }
}

std::unique_ptr<Route> RouteCache::fresh_route() {
  if (spare_.empty()) {
    return std::make_unique<Route>();
  }
  std::unique_ptr<Route> route = std::move(spare_.back());
  spare_.pop_back();
  return route;
}

void RouteCache::put_aside() {
  for (std::unique_ptr<Route>& route : in_use_) {
    if (spare_.size() < kSpareRoutes && route->plain.capacity() <= kSpareSubscriptions) {
      route->clear();
      spare_.push_back(std::move(route));
    }
  }
  in_use_.clear();
}

void RouteCache::sweep() {
  if (sublist_.generation() != seen_) {
    catch_up();
  }
  for (Entry& entry : entries_) {
    if (entry.route && entry.epoch != epoch_ && !holds(entry)) {
      retire(entry);
    }
  }
  trim();
}

RouteCache::Stats RouteCache::stats() const {
  Stats stats{.hits = hits_, .misses = misses_, .kept = kept_};
  for (const Entry& entry : entries_) {
    if (entry.route) {
      ++stats.entries;
      stats.sum_fanout += entry.route->fanout();
      stats.max_fanout = std::max(stats.max_fanout, static_cast<std::uint32_t>(entry.route->fanout()));
    }
  }
  return stats;
}

}  // namespace hawser::routing
