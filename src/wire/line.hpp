// A control line, cut into its arguments in one pass. For parser.cpp.
//
// Sixteen bytes at a time: a mask of the bytes up to 0x20, in which only blanks, CR and LF matter. This is the hot
// path: one line is one to four steps. Views into the caller's bytes.
//
//   Line line; line.split(verb_end, first, stop);
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace hawser::wire {

struct Line {
  static constexpr std::size_t kMaxArguments = 5;  // HMSG subject sid reply headers total

  struct Argument {
    const char* begin;
    const char* end;
    [[nodiscard]] std::string_view text() const noexcept { return {begin, static_cast<std::size_t>(end - begin)}; }
  };

  Argument arguments[kMaxArguments];  // not initialised: a fifth of a frame's time
  std::size_t count = 0;              // kMaxArguments + 1: too many
  const char* end = nullptr;          // after its LF; null: the line is not whole
  bool stray_cr = false;              // a CR that is not part of the line's end

  // The same for what most lines are: short, two or three arguments with one blank between them, CRLF. False: they are
  // not, or fewer than kShort bytes may be read; nothing is known then.
  static constexpr std::ptrdiff_t kShort = 32;
  bool split_short(const char* at, const char* stop) noexcept;

  // Cuts what starts at `at`. Bytes from `first` (the frame's start, before `at`) up to `stop` may be read.
  void split(const char* at, const char* first, const char* stop) noexcept;

 private:
  static constexpr std::ptrdiff_t kStep = 16;

  static std::uint32_t mask_of_step(const char* at) noexcept;
  static std::uint32_t mask_of_tail(const char* at, const char* first, const char* stop) noexcept;
  [[gnu::always_inline]] void add(const char* begin, const char* end_of_argument) noexcept {
    if (begin == end_of_argument) {
      return;
    }
    if (count < kMaxArguments) {
      arguments[count++] = {begin, end_of_argument};
    } else {
      count = kMaxArguments + 1;
    }
  }
};

// Bit i: at[i] <= 0x20.
inline std::uint32_t Line::mask_of_step(const char* at) noexcept {
#if defined(__SSE2__)
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x20)), bytes);
  return static_cast<std::uint32_t>(_mm_movemask_epi8(low));
#else
  std::uint32_t mask = 0;
  for (unsigned i = 0; i < kStep; ++i) {
    mask |= (static_cast<unsigned char>(at[i]) <= 0x20U ? 1U : 0U) << i;
  }
  return mask;
#endif
}

// The same for fewer than 16 bytes before `stop`, by reading the last 16 and shifting out those before `at`.
inline std::uint32_t Line::mask_of_tail(const char* at, const char* first, const char* stop) noexcept {
  if (stop - first >= kStep) {
    return mask_of_step(stop - kStep) >> static_cast<unsigned>(kStep - (stop - at));
  }
  std::uint32_t mask = 0;
  for (unsigned i = 0; at + i < stop; ++i) {
    mask |= (static_cast<unsigned char>(at[i]) <= 0x20U ? 1U : 0U) << i;
  }
  return mask;
}

[[gnu::always_inline]] inline bool Line::split_short(const char* at, const char* stop) noexcept {
  if (stop - at < kShort) {
    return false;
  }
  std::uint32_t mask = mask_of_step(at) | mask_of_step(at + kStep) << 16U;
  const unsigned first = static_cast<unsigned>(std::countr_zero(mask));
  mask &= mask - 1;
  const unsigned second = static_cast<unsigned>(std::countr_zero(mask));  // 32, as `last`: there is none
  mask &= mask - 1;
  unsigned last = second;
  if (second > 31 || first == 0 || at[first] != ' ' || second == first + 1) {
    return false;
  }
  arguments[0] = {at, at + first};
  arguments[1] = {at + first + 1, at + second};
  count = 2;
  if (at[second] == ' ') {
    last = static_cast<unsigned>(std::countr_zero(mask));
    if (last > 31 || last == second + 1) {
      return false;
    }
    arguments[2] = {at + second + 1, at + last};
    count = 3;
  }
  end = at + last + 2;
  return last < 31 && at[last] == '\r' && at[last + 1] == '\n';
}

[[gnu::always_inline]] inline void Line::split(const char* at, const char* first, const char* stop) noexcept {
  const char* argument = at;
  for (; at < stop; at += kStep) {
    std::uint32_t mask = stop - at >= kStep ? mask_of_step(at) : mask_of_tail(at, first, stop);
    for (; mask != 0; mask &= mask - 1) {
      const char* found = at + std::countr_zero(mask);
      switch (*found) {
        case ' ':
        case '\t':
          add(argument, found);
          argument = found + 1;
          break;
        case '\r':
          if (found + 1 == stop) {
            return;
          }
          if (found[1] != '\n') {
            stray_cr = true;
            break;
          }
          add(argument, found);
          end = found + 2;
          return;
        case '\n':
          add(argument, found);
          end = found + 1;
          return;
        default: break;  // another control character: nats-server takes it as part of the argument
      }
    }
  }
}

}  // namespace hawser::wire
