// A token taken apart: header checked, payload and signature as bytes, nothing of it believed yet. Inside this room
// only.
//
//   Result<TokenText> text = take_apart(token);   // `token` outlives it
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace hawser::identity {

enum class TokenAlgorithm : std::uint8_t { ed25519, ed25519_nkey };  // the first version's, and today's

struct TokenText {
  TokenAlgorithm algorithm = TokenAlgorithm::ed25519_nkey;
  Secret payload{};  // JSON
  std::string signature{};
  std::string_view payload_part{};        // what the first version signs
  std::string_view header_and_payload{};  // what the second signs
};

inline constexpr std::string_view kTokenHeader = R"({"typ":"JWT","alg":"ed25519-nkey"})";

// Errors: jwt_malformed, jwt_unsupported; limit_exceeded over 1 MiB.
[[nodiscard]] Result<TokenText> take_apart(std::string_view token);

}  // namespace hawser::identity
