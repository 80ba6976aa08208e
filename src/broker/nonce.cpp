#include "broker/nonce.hpp"

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

}  // namespace hawser::broker
