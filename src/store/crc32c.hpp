// CRC-32C (Castagnoli, RFC 3720 appendix B.4), which notices what a disk did to bytes; no protection from an attacker.
//
// Pure, safe from any thread; uses the processor's instruction where there is one.
#pragma once

#include <cstdint>
#include <string_view>

namespace hawser::store {

// Of `bytes`, going on from `before` (0 at the start): crc32c(b, crc32c(a)) is that of a and b in one piece.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;
// The same without that instruction, for the tests.
[[nodiscard]] std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t before = 0) noexcept;

}  // namespace hawser::store
