// The encodings that NKeys and JWTs are written in: base32, base64url, and the checksum of NKeys. Pure; thread-safe.
//
// Decoding is strict: no padding, no blanks, and the unused bits of the last character are zero, so that one value has
// one text. Wrong text is nullopt.
//
//   std::string text = encode_base64url(signature);
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hawser::identity {

using Bytes = std::span<const std::uint8_t>;

[[nodiscard]] std::string encode_base32(Bytes data);  // RFC 4648, upper case, no padding
[[nodiscard]] std::optional<std::string> decode_base32(std::string_view text);

[[nodiscard]] std::string encode_base64url(Bytes data);  // RFC 4648 section 5, no padding
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

// CRC-16/XMODEM: polynomial 0x1021, from 0.
[[nodiscard]] std::uint16_t crc16(Bytes data);

[[nodiscard]] inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace hawser::identity
