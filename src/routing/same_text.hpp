// Whether two texts are the same, where they are mostly short (a subject, a sid), so that a call of memcmp would be
// most of it.
//
// Pure.
//
//   if (same_text(last_subject, subject)) …
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace hawser::routing {

namespace detail {
// Compares the first word and the last, which overlap in the middle.
template <class Word>
[[gnu::always_inline]] inline bool same_ends(const char* a, const char* b, std::size_t size) noexcept {
  Word first_a;
  Word first_b;
  Word last_a;
  Word last_b;
  std::memcpy(&first_a, a, sizeof(Word));
  std::memcpy(&first_b, b, sizeof(Word));
  std::memcpy(&last_a, a + size - sizeof(Word), sizeof(Word));
  std::memcpy(&last_b, b + size - sizeof(Word), sizeof(Word));
  return ((first_a ^ first_b) | (last_a ^ last_b)) == 0;
}
}  // namespace detail

[[nodiscard]] [[gnu::always_inline]] inline bool same_text(std::string_view a, std::string_view b) noexcept {
  const std::size_t size = a.size();
  if (size != b.size()) {
    return false;
  }
  if (size >= 8 && size <= 16) {
    return detail::same_ends<std::uint64_t>(a.data(), b.data(), size);
  }
  if (size >= 4 && size < 8) {
    return detail::same_ends<std::uint32_t>(a.data(), b.data(), size);
  }
  return size == 0 || std::memcmp(a.data(), b.data(), size) == 0;
}

}  // namespace hawser::routing
