// Writes protocol frames: appended to a string, or as the pieces of a gathered write.
//
// Arguments are taken as they are: subjects, sids and headers must be valid (subject.hpp, headers.hpp), since a blank
// or a CR in one would be another frame. Integers are printed without formatting machinery and a frame grows the string
// once. Pure; any thread.
//
//   append_pub(out, "orders.new", "", payload);
//   char line[1024]; gather({write_msg_line(line, subject, sid, reply, 0, n), body(frame)});   // copies no
//   payload
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "wire/frame.hpp"

namespace hawser::wire {

// What a client sends. Empty reply, queue: none. `headers` is a whole block, not empty.
void append_pub(std::string& out, std::string_view subject, std::string_view reply, std::string_view payload);
void append_hpub(std::string& out, std::string_view subject, std::string_view reply, std::string_view headers,
                 std::string_view payload);
void append_sub(std::string& out, std::string_view subject, std::string_view queue, std::string_view sid);
// max 0: at once.
void append_unsub(std::string& out, std::string_view sid, std::uint64_t max = 0);
void append_connect(std::string& out, std::string_view json);

// What a server sends.
void append_info(std::string& out, std::string_view json);
void append_msg(std::string& out, std::string_view subject, std::string_view sid, std::string_view reply,
                std::string_view payload);
void append_hmsg(std::string& out, std::string_view subject, std::string_view sid, std::string_view reply,
                 std::string_view headers, std::string_view payload);
// `text` without quotes: -ERR 'text'. Line breaks in it become blanks.
void append_err(std::string& out, std::string_view text);

inline constexpr std::string_view kPing = "PING\r\n";
inline constexpr std::string_view kPong = "PONG\r\n";
inline constexpr std::string_view kOk = "+OK\r\n";
inline void append_ping(std::string& out) { out += kPing; }
inline void append_pong(std::string& out) { out += kPong; }
inline void append_ok(std::string& out) { out += kOk; }

// For gathered writes: the control line alone, into the caller's memory. Answers what it wrote, or an empty view when
// `room` is smaller than line_bound() of the arguments' lengths together. headers_bytes 0 writes PUB or MSG, otherwise
// HPUB or HMSG.
[[nodiscard]] std::string_view write_msg_line(std::span<char> room, std::string_view subject, std::string_view sid,
                                              std::string_view reply, std::size_t headers_bytes,
                                              std::size_t payload_bytes) noexcept;
[[nodiscard]] std::string_view write_pub_line(std::span<char> room, std::string_view subject, std::string_view reply,
                                              std::size_t headers_bytes, std::size_t payload_bytes) noexcept;
// Verb, blanks, two sizes of 20 digits and CRLF, beside the arguments.
[[nodiscard]] constexpr std::size_t line_bound(std::size_t arguments_bytes) noexcept { return arguments_bytes + 56; }

// The end of a PUB, HPUB, MSG or HMSG frame, in place: headers, payload and CRLF; and the same without the headers.
[[nodiscard]] inline std::string_view body(const Frame& frame) noexcept {
  return frame.raw.substr(frame.raw.size() - (frame.headers.size() + frame.payload.size() + 2));
}
[[nodiscard]] inline std::string_view body_without_headers(const Frame& frame) noexcept {
  return frame.raw.substr(frame.raw.size() - (frame.payload.size() + 2));
}

// Decimal, into at least 20 characters; answers the end.
char* write_long_decimal(char* at, std::uint64_t value) noexcept;
// As sizes mostly are: below 10,000.
[[gnu::always_inline]] inline char* write_decimal(char* at, std::uint64_t value) noexcept {
  if (value >= 10000) {
    return write_long_decimal(at, value);
  }
  const auto number = static_cast<std::uint32_t>(value);
  const std::uint32_t high = number / 100;
  const std::uint32_t low = number % 100;
  std::array<char, 4> digits = {static_cast<char>('0' + high / 10), static_cast<char>('0' + high % 10),
                                static_cast<char>('0' + low / 10), static_cast<char>('0' + low % 10)};
  const std::size_t zeros = number >= 1000 ? 0 : number >= 100 ? 1 : number >= 10 ? 2 : 3;
  std::uint32_t word = 0;
  std::memcpy(&word, digits.data(), sizeof word);
  if constexpr (std::endian::native == std::endian::little) {
    word >>= 8 * zeros;
  } else {
    word <<= 8 * zeros;
  }
  std::memcpy(at, &word, sizeof word);
  return at + (4 - zeros);
}

namespace detail {
// The first word and the last, which overlap in the middle: any size from one word to two, without a loop.
template <class Word>
[[gnu::always_inline]] inline void copy_ends(char* at, const char* from, std::size_t size) noexcept {
  Word first;
  Word last;
  std::memcpy(&first, from, sizeof(Word));
  std::memcpy(&last, from + size - sizeof(Word), sizeof(Word));
  std::memcpy(at, &first, sizeof(Word));
  std::memcpy(at + size - sizeof(Word), &last, sizeof(Word));
}
}  // namespace detail

// The text, where it is mostly short (a subject, a sid), so that a call of memcpy would be most of it; answers the end.
[[gnu::always_inline]] inline char* write_short(char* at, std::string_view text) noexcept {
  const char* from = text.data();
  const std::size_t size = text.size();
  if (size > 16) {
    std::memcpy(at, from, size);
  } else if (size >= 8) {
    detail::copy_ends<std::uint64_t>(at, from, size);
  } else if (size >= 4) {
    detail::copy_ends<std::uint32_t>(at, from, size);
  } else if (size >= 2) {
    detail::copy_ends<std::uint16_t>(at, from, size);
  } else if (size == 1) {
    *at = *from;
  }
  return at + size;
}

}  // namespace hawser::wire
