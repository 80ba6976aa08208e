// Credential files: a bare NKey seed, or a creds file with a user JWT and its seed; told apart by content.
//
// Values; move-only since they hold secrets. Nothing printable here shows the token or the seed.
//
//   Result<CredentialText> parsed = parse_credential_text(file_text);
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "identity/nkey.hpp"
#include "identity/token.hpp"

namespace hawser::identity {

struct Creds {
  Secret jwt;  // the token as it is sent; a bearer token is a secret by itself
  UserClaims claims;
  std::optional<KeyPair> key;  // empty only with a bearer token

  // Whether the seed is the one of the JWT's subject.
  [[nodiscard]] bool seed_matches() const;
};

// Errors: creds_malformed, those of NKeys and JWTs, limit_exceeded. A seed of another user than the JWT's is no error
// here: ask seed_matches.
[[nodiscard]] Result<Creds> parse_creds(std::string_view text);

using CredentialText = std::variant<KeyPair, Creds>;
[[nodiscard]] Result<CredentialText> parse_credential_text(std::string_view text);

}  // namespace hawser::identity
