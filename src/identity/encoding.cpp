#include "identity/encoding.hpp"

#include <array>

#include "base/secret.hpp"

namespace hawser::identity {
namespace {

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t kInvalid = 0xFF;

constexpr std::array<std::uint8_t, 256> values_of(std::string_view alphabet) {
  std::array<std::uint8_t, 256> values{};
  values.fill(kInvalid);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr std::array<std::uint8_t, 256> kBase32Values = values_of(kBase32);
constexpr std::array<std::uint8_t, 256> kBase64UrlValues = values_of(kBase64Url);

std::string encode(Bytes data, std::string_view alphabet, unsigned bits_each) {
  std::string text;
  text.reserve((data.size() * 8 + bits_each - 1) / bits_each);
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  const std::uint32_t mask = (1U << bits_each) - 1;
  for (const std::uint8_t byte : data) {
    pending = (pending << 8U) | byte;
    pending_bits += 8;
    while (pending_bits >= bits_each) {
      pending_bits -= bits_each;
      text += alphabet[(pending >> pending_bits) & mask];
    }
  }
  if (pending_bits > 0) {
    text += alphabet[(pending << (bits_each - pending_bits)) & mask];
  }
  return text;
}

std::optional<std::string> decode(std::string_view text, const std::array<std::uint8_t, 256>& values,
                                  unsigned bits_each) {
  std::string data;
  data.reserve(text.size() * bits_each / 8);
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  for (const char c : text) {
    const std::uint8_t value = values[static_cast<std::uint8_t>(c)];
    if (value == kInvalid) {
      wipe(data);  // it may be the beginning of a seed
      return std::nullopt;
    }
    pending = (pending << bits_each) | value;
    pending_bits += bits_each;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      data += static_cast<char>((pending >> pending_bits) & 0xFFU);
    }
  }
  // A last character that adds no byte, or bits that no encoder would have set.
  if (pending_bits >= bits_each || (pending & ((1U << pending_bits) - 1)) != 0) {
    wipe(data);
    return std::nullopt;
  }
  return data;
}

}  // namespace

std::string encode_base32(Bytes data) { return encode(data, kBase32, 5); }
std::optional<std::string> decode_base32(std::string_view text) { return decode(text, kBase32Values, 5); }
std::string encode_base64url(Bytes data) { return encode(data, kBase64Url, 6); }
std::optional<std::string> decode_base64url(std::string_view text) { return decode(text, kBase64UrlValues, 6); }

std::uint16_t crc16(Bytes data) {
  std::uint16_t crc = 0;
  for (const std::uint8_t byte : data) {
    crc = static_cast<std::uint16_t>(crc ^ (byte << 8U));
    for (int bit = 0; bit < 8; ++bit) {
      const bool carry = (crc & 0x8000U) != 0;
      crc = static_cast<std::uint16_t>(crc << 1U);
      if (carry) {
        crc = static_cast<std::uint16_t>(crc ^ 0x1021U);
      }
    }
  }
  return crc;
}

}  // namespace hawser::identity
