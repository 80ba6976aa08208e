// What the files that the settings name turned out to hold. Input of evaluate(), so that evaluate() itself reads
// nothing.
//
// An empty optional means: not looked at (a manifest is checked elsewhere than it runs); it counts as well-formed.
// `gather` (gather.hpp) fills it. Plain values without secrets.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "identity/claims.hpp"
#include "posture/finding.hpp"

namespace hawser::posture {

// What a credential's file holds.
struct CredentialFact {
  enum class Form : std::uint8_t { text, seed, creds };
  Form form = Form::text;
  std::optional<Error> error;                  // unreadable, empty, malformed; the rest is then not filled
  std::optional<identity::UserClaims> claims;  // of creds
  bool seed_matches = true;                    // the seed belongs to the JWT's subject
  bool readable_by_others = false;
};

// One thing that validation of the TLS material found.
struct MaterialFact {
  Errc code{};
  Severity severity = Severity::error;
  std::string message;
  std::string hint;  // empty: the hint of the code's row
};

struct Facts {
  std::optional<CredentialFact> password_file;
  std::optional<CredentialFact> token_file;
  std::optional<CredentialFact> nkey_file;
  std::optional<CredentialFact> creds;
  std::vector<MaterialFact> material;
};

}  // namespace hawser::posture
