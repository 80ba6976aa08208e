// Credential files: no input may crash the parser, and what it refuses must not be quoted in the error.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "identity/creds.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser::identity;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = parse_credential_text(text);
  if (!parsed) {
    // A seed starts with S and is base32: no run of 20 such characters of the input may stand in the message.
    const std::string message = parsed.error().message();
    for (std::size_t at = 0; at + 20 <= text.size() && at < 4096; ++at) {
      const std::string_view part = text.substr(at, 20);
      if (part.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == std::string_view::npos && part.front() == 'S' &&
          message.find(part) != std::string::npos) {
        std::abort();
      }
    }
  } else if (const auto* creds = std::get_if<Creds>(&*parsed)) {
    if (text.find(creds->jwt.reveal()) == std::string_view::npos || (!creds->key && !creds->claims.bearer)) {
      std::abort();
    }
  }
  return 0;
}
