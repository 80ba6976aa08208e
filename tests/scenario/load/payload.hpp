// What a numbered message carries, so that the receiver can tell which it is, when it left, and that no byte changed.
//
// 32 bytes (magic, publisher, subject, sequence, time of sending) and padding whose bytes follow from the sequence.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hawser::load {

using Clock = std::chrono::steady_clock;

struct Stamp {
  std::uint32_t publisher = 0;
  std::uint32_t subject = 0;
  std::uint64_t sequence = 0;  // 0: a warm-up message, outside the count
  Clock::time_point sent{};
};

inline constexpr std::size_t kStampBytes = 32;

// Writes stamp and padding into `out`, at least kStampBytes and otherwise `size_bytes` long.
void write_payload(std::string& out, const Stamp& stamp, std::size_t size_bytes);
// Nothing when it is not ours or a byte of it changed.
[[nodiscard]] std::optional<Stamp> read_payload(std::string_view payload);

}  // namespace hawser::load
