// A quick hash of subjects and tokens, seeded so that nobody outside can choose names that collide.
//
// Pure. Not for storage: the value differs between programs.
//
//   const std::uint64_t hash = hash_of(token, seed);
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace hawser::routing {

namespace detail {

__extension__ using Wide = unsigned __int128;

inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

template <class Word>
std::uint64_t read(const char* from) noexcept {
  Word word;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

inline constexpr std::uint64_t kOdd1 = 0x9e3779b97f4a7c15U;  // 2^64 / the golden ratio
inline constexpr std::uint64_t kOdd2 = 0xc2b2ae3d27d4eb4fU;  // a prime with half of its bits set

}  // namespace detail

inline std::uint64_t hash_of(std::string_view text, std::uint64_t seed) noexcept {
  using namespace detail;
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t state = seed ^ (left * kOdd1);
  for (; left > 16; at += 16, left -= 16) {
    state = fold(read<std::uint64_t>(at) ^ kOdd1 ^ state, read<std::uint64_t>(at + 8) ^ seed);
  }
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  if (left >= 8) {
    a = read<std::uint64_t>(at);
    b = read<std::uint64_t>(at + left - 8);
  } else if (left >= 4) {
    a = read<std::uint32_t>(at);
    b = read<std::uint32_t>(at + left - 4);
  } else if (left > 0) {
    a = static_cast<unsigned char>(at[0]);
    b = (static_cast<std::uint64_t>(static_cast<unsigned char>(at[left / 2])) << 8U) |
        static_cast<unsigned char>(at[left - 1]);
  }
  return fold(fold(a ^ kOdd1 ^ state, b ^ seed) ^ kOdd2, state ^ kOdd1);
}

// For a Sublist or a cache, once.
[[nodiscard]] std::uint64_t random_seed();

}  // namespace hawser::routing
