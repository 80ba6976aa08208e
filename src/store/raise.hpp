// A number that only grows, written by several threads.
#pragma once

#include <atomic>
#include <cstdint>

namespace hawser::store {

// Never lowers it.
inline void raise(std::atomic<std::uint64_t>& number, std::uint64_t to) noexcept {
  std::uint64_t seen = number.load();
  while (seen < to && !number.compare_exchange_weak(seen, to)) {
  }
}

}  // namespace hawser::store
