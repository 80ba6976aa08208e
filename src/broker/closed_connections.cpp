#include "broker/closed_connections.hpp"

#include <algorithm>
#include <utility>

namespace hawser::broker {

ClosedConnections::ClosedConnections(std::size_t kept) : kept_(kept) {}

void ClosedConnections::keep(std::size_t kept) {
  const std::lock_guard lock(mutex_);
  std::ranges::rotate(ring_, ring_.begin() + static_cast<std::ptrdiff_t>(next_));  // the oldest first
  next_ = 0;
  if (ring_.size() > kept) {
    ring_.erase(ring_.begin(), ring_.end() - static_cast<std::ptrdiff_t>(kept));
  }
  ring_.shrink_to_fit();
  kept_ = kept;
}

void ClosedConnections::add(ConnectionFacts facts) {
  for (std::string* text : {&facts.name, &facts.lang, &facts.version, &facts.name_tag}) {  // a CONNECT's, of any length
    if (text->size() > kMostText) {
      text->resize(kMostText);
      text->shrink_to_fit();
    }
  }
  facts.subscriptions_list = {};
  facts.tags = {};
  if (facts.tls_peer_certs.size() > 1) {
    facts.tls_peer_certs = {std::move(facts.tls_peer_certs.front())};
  }
  ConnectionFacts overwritten;  // freed outside the lock
  const std::lock_guard lock(mutex_);
  ++total_;
  if (ring_.size() < kept_) {
    ring_.push_back(std::move(facts));
    return;
  }
  if (kept_ > 0) {
    overwritten = std::exchange(ring_[next_], std::move(facts));
    next_ = (next_ + 1) % kept_;
  }
}

std::vector<ConnectionFacts> ClosedConnections::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<ConnectionFacts> all;
  all.reserve(ring_.size());
  const auto oldest = ring_.begin() + static_cast<std::ptrdiff_t>(next_);
  all.insert(all.end(), oldest, ring_.end());
  all.insert(all.end(), ring_.begin(), oldest);
  return all;
}

std::optional<ConnectionFacts> ClosedConnections::find(std::uint64_t cid) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(ring_.begin(), ring_.end(), [cid](const auto& facts) { return facts.cid == cid; });
  return found == ring_.end() ? std::nullopt : std::optional(*found);
}

std::uint64_t ClosedConnections::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

}  // namespace hawser::broker
