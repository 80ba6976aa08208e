// Messages that a splice keeps for a moment, in the order in which they came, each findable by its ledger entry.
//
// Counts its bytes (frames and bookkeeping), so that its owner can bound it. Belongs to one splice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "session/splice_ledger.hpp"

namespace hawser::session {

class HoldBuffer {
 public:
  struct Item {
    std::string raw;  // empty: dropped meanwhile
    std::uint64_t subscription = 0;
    Ledger::Index entry = 0;
    std::uint32_t next = HoldChain::kNone;  // of the same message
    bool early = false;
  };

  // `chain` is the one of `entry`. `raw` is not empty.
  void push(HoldChain& chain, Ledger::Index entry, std::uint64_t subscription, bool early, std::string_view raw);
  // Drops the oldest of this message. The chain is not empty.
  void drop_first(HoldChain& chain);
  [[nodiscard]] bool first_is_early(const HoldChain& chain) const { return items_[chain.first - base_].early; }

  // In order, with what was dropped as empty texts.
  [[nodiscard]] std::span<const Item> items() const { return std::span(items_).subspan(gone_); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] static std::size_t cost(std::string_view raw) { return raw.size() + sizeof(Item); }
  void clear();

 private:
  [[nodiscard]] Item& at(std::uint32_t number) { return items_[number - base_]; }

  std::vector<Item> items_;
  std::uint32_t base_ = 0;  // number of items_[0]
  std::size_t gone_ = 0;    // how many were dropped at the front
  std::size_t bytes_ = 0;
};

}  // namespace hawser::session
