// The literal children of one level of the trie: a hash table with open addressing, small when it holds little.
//
// `Node` has a member `token`, and belongs to the table. Not synchronised.
//
//   if (Node* node = table.find(token, hash)) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace hawser::routing {

template <class Node>
class TokenTable {
 public:
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  [[nodiscard]] Node* find(std::string_view token, std::uint64_t hash) const noexcept {
    const Slot* slot = look_up(token, hash);
    return slot == nullptr ? nullptr : slot->node.get();
  }

  // The token must not be there.
  Node& insert(std::unique_ptr<Node> node, std::uint64_t hash) {
    if (slots_.size() * 3 < (size_ + 1) * 4) {  // at most three quarters full
      grow();
    }
    Node& inserted = *node;
    place({short_of(hash), std::move(node)});
    ++size_;
    return inserted;
  }

  void erase(std::string_view token, std::uint64_t hash) noexcept {
    const Slot* found = look_up(token, hash);
    if (found == nullptr) {
      return;
    }
    std::size_t hole = static_cast<std::size_t>(found - slots_.data());
    slots_[hole].node.reset();
    --size_;
    // Those that were pushed on past the hole move back, so that a probe may end at the first free slot.
    for (std::size_t at = next(hole); slots_[at].node; at = next(at)) {
      const std::size_t home = slots_[at].hash & mask();
      if (((at - home) & mask()) >= ((at - hole) & mask())) {
        slots_[hole] = std::move(slots_[at]);
        hole = at;
      }
    }
  }

  template <class Visit>
  void for_each(Visit visit) const {
    for (const Slot& slot : slots_) {
      if (slot.node) {
        visit(*slot.node);
      }
    }
  }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::unique_ptr<Node> node;
  };

  static std::uint32_t short_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32U); }
  [[nodiscard]] std::size_t mask() const noexcept { return slots_.size() - 1; }
  [[nodiscard]] std::size_t next(std::size_t at) const noexcept { return (at + 1) & mask(); }

  const Slot* look_up(std::string_view token, std::uint64_t hash) const noexcept {
    if (size_ == 0) {
      return nullptr;
    }
    const std::uint32_t wanted = short_of(hash);
    for (std::size_t at = wanted & mask(); slots_[at].node; at = next(at)) {
      if (slots_[at].hash == wanted && slots_[at].node->token == token) {
        return &slots_[at];
      }
    }
    return nullptr;
  }

  void place(Slot slot) {
    std::size_t at = slot.hash & mask();
    while (slots_[at].node) {
      at = next(at);
    }
    slots_[at] = std::move(slot);
  }

  void grow() {
    std::vector<Slot> old(slots_.empty() ? 2 : slots_.size() * 2);
    old.swap(slots_);
    for (Slot& slot : old) {
      if (slot.node) {
        place(std::move(slot));
      }
    }
  }

  std::vector<Slot> slots_;  // a power of two, or none
  std::size_t size_ = 0;
};

}  // namespace hawser::routing
