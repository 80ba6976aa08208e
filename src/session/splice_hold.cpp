#include "session/splice_hold.hpp"

namespace hawser::session {

void HoldBuffer::push(HoldChain& chain, Ledger::Index entry, std::uint64_t subscription, bool early,
                      std::string_view raw) {
  const auto number = base_ + static_cast<std::uint32_t>(items_.size());
  items_.push_back({.raw = std::string(raw), .subscription = subscription, .entry = entry, .early = early});
  if (chain.empty()) {
    chain.first = number;
  } else {
    at(chain.last).next = number;
  }
  chain.last = number;
  bytes_ += cost(raw);
}

void HoldBuffer::drop_first(HoldChain& chain) {
  Item& item = at(chain.first);
  chain.first = item.next;
  bytes_ -= cost(item.raw);
  item.raw = {};
  while (gone_ < items_.size() && items_[gone_].raw.empty()) ++gone_;
  if (2 * gone_ < items_.size()) return;
  items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(gone_));
  base_ += static_cast<std::uint32_t>(gone_);
  gone_ = 0;
}

void HoldBuffer::clear() {
  base_ += static_cast<std::uint32_t>(items_.size());
  items_ = {};
  gone_ = 0;
  bytes_ = 0;
}

}  // namespace hawser::session
