// Which kinds of keys may be the subject of which claims, and which may issue them. Inside this room only. Pure.
//
//   if (!may_issue(claims, signer.kind())) …
#pragma once

#include <string_view>

#include "identity/claims.hpp"
#include "identity/nkey.hpp"

namespace hawser::identity {

[[nodiscard]] bool may_issue(const Claims& claims, KeyKind issuer);
// Generic claims may be about anything.
[[nodiscard]] bool may_be_about(const Claims& claims, std::string_view subject);
[[nodiscard]] bool is_key(std::string_view text, KeyKind kind);

}  // namespace hawser::identity
