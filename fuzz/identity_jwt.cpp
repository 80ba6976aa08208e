// User JWTs, in two ways: the input as a token; and the input as a payload that is then signed well, so that the fuzzer
// gets behind the signature.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "identity/encoding.hpp"
#include "identity/token.hpp"
#include "identity/nkey.hpp"

namespace {

using namespace hawser::identity;

const KeyPair& account() {
  static const KeyPair kKey = [] {
    std::array<std::uint8_t, 32> raw{};
    raw.fill(1);
    return KeyPair::from_raw(KeyKind::account, raw).value();
  }();
  return kKey;
}

void check(std::string_view token) {
  const auto claims = decode_user_jwt(token);
  if (claims && (!PublicKey::parse(claims->subject) || !PublicKey::parse(claims->issuer))) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check({reinterpret_cast<const char*>(data), size});
  const std::string text =
      encode_base64url(as_bytes(R"({"typ":"JWT","alg":"ed25519-nkey"})")) + '.' + encode_base64url({data, size});
  check(text + '.' + encode_base64url(account().sign(text).value()));
  return 0;
}
