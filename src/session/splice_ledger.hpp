// The counts that a splice keeps for each distinct message: how many copies each link delivered, and what that allows.
//
// A hash table from fingerprint to counts, made of two flat arrays; entries are never removed singly, all go with the
// splice. Indices stay valid. Belongs to one splice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "session/fingerprint.hpp"

namespace hawser::session {

// A queue through a HoldBuffer: the kept copies of one message, oldest first.
struct HoldChain {
  static constexpr std::uint32_t kNone = 0xFFFF'FFFF;
  std::uint32_t first = kNone;
  std::uint32_t last = kNone;
  [[nodiscard]] bool empty() const { return first == kNone; }
};

// The letters of docs/splice.md.
struct Counts {
  Fingerprint fingerprint;
  std::uint64_t subscription = 0;  // its serial
  std::uint32_t before_mark = 0;   // a: delivered by O until PONG o1
  std::uint32_t after_mark = 0;    // l: delivered by O after it
  std::uint32_t early = 0;         // e: delivered by N until PONG n2
  std::uint32_t credits = 0;       // c: copies that N will still deliver, to be dropped
  std::uint32_t ahead = 0;         // x: delivered by N, O's copy may still come
  std::uint32_t own_on_old = 0;    // published by the session on O: N's copy is an echo
  std::uint32_t own_on_new = 0;    // published by the session on N: O's copy is an echo
  HoldChain held;
  HoldChain tail;
};

class Ledger {
 public:
  using Index = std::uint32_t;

  explicit Ledger(std::size_t limit) : limit_(limit) {}

  // The entry of this message, made if it is new; nothing when that would pass the limit.
  [[nodiscard]] std::optional<Index> enter(const Fingerprint& fingerprint, std::uint64_t subscription);
  // The entry if there is one.
  [[nodiscard]] std::optional<Index> find(const Fingerprint& fingerprint) const;

  [[nodiscard]] Counts& operator[](Index index) { return entries_[index]; }
  [[nodiscard]] std::span<Counts> entries() { return entries_; }
  [[nodiscard]] std::span<const Counts> entries() const { return entries_; }
  void clear();

 private:
  [[nodiscard]] std::size_t bucket(const Fingerprint& fingerprint) const;
  void grow();

  std::size_t limit_;
  std::vector<Counts> entries_;
  std::vector<std::uint32_t> buckets_;  // index + 1; 0: free. A power of two, at most half full
};

}  // namespace hawser::session
