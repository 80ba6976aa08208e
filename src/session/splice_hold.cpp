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
  while (!items_.empty() && items_.front().raw.empty()) {
    items_.pop_front();
    ++base_;
  }
}

void HoldBuffer::clear() {
  items_ = {};
  bytes_ = 0;
}

}  // namespace hawser::session
