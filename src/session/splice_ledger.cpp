#include "session/splice_ledger.hpp"

#include <utility>

namespace hawser::session {
namespace {

constexpr std::size_t kFewestBuckets = 64;

}  // namespace

std::size_t Ledger::bucket(const Fingerprint& fingerprint) const {
  std::size_t i = static_cast<std::size_t>(fingerprint.low) & (buckets_.size() - 1);
  while (buckets_[i] != 0 && entries_[buckets_[i] - 1].fingerprint != fingerprint) i = (i + 1) & (buckets_.size() - 1);
  return i;
}

void Ledger::grow() {
  buckets_.assign(buckets_.empty() ? kFewestBuckets : 2 * buckets_.size(), 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    buckets_[bucket(entries_[i].fingerprint)] = static_cast<std::uint32_t>(i + 1);
  }
}

std::optional<Ledger::Index> Ledger::find(const Fingerprint& fingerprint) const {
  if (buckets_.empty()) return std::nullopt;
  const std::uint32_t slot = buckets_[bucket(fingerprint)];
  return slot == 0 ? std::nullopt : std::optional<Index>(slot - 1);
}

std::optional<Ledger::Index> Ledger::enter(const Fingerprint& fingerprint, std::uint64_t subscription) {
  if (const std::optional<Index> known = find(fingerprint)) return known;
  if (entries_.size() >= limit_) return std::nullopt;
  if (2 * (entries_.size() + 1) > buckets_.size()) grow();
  Counts& counts = entries_.emplace_back();
  counts.fingerprint = fingerprint;
  counts.subscription = subscription;
  const auto index = static_cast<Index>(entries_.size() - 1);
  buckets_[bucket(fingerprint)] = index + 1;
  return index;
}

void Ledger::clear() {
  entries_ = {};
  buckets_ = {};
}

}  // namespace hawser::session
