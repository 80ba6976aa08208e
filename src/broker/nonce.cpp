#include "broker/nonce.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <openssl/rand.h>

#include "identity/encoding.hpp"

namespace hawser::broker {

std::string make_nonce() {
  std::array<std::uint8_t, 11> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return {};
  }
  return identity::encode_base64url(bytes);
}

std::optional<std::string> decode_signature(std::string_view text) {
  if (std::optional<std::string> bytes = identity::decode_base64url(text)) {
    return bytes;
  }
  std::string url(text.substr(0, text.find_last_not_of('=') + 1));
  if (text.size() % 4 != 0 || text.size() - url.size() > 2 || url.find_first_of("-_") != std::string::npos) {
    return std::nullopt;
  }
  std::ranges::replace(url, '+', '-');
  std::ranges::replace(url, '/', '_');
  return identity::decode_base64url(url);
}

}  // namespace hawser::broker
