// Keys that go out of use after a rotation: what is due is carried out by `hawser id rotate due`, and by every push.
#pragma once

#include <string>
#include <vector>

#include "cli/id.hpp"

namespace hawser::cli {

enum class Due : std::uint8_t { by_now, all };
// User keys are revoked, signing keys removed, and what they signed is signed anew. A line each of what was done.
// Errors: those of Issuer and Store; what was done before stays done.
[[nodiscard]] Result<std::vector<std::string>> retire_due(IdStore& id, Due which);
// The retiring keys of one user are revoked, too.
[[nodiscard]] Result<void> revoke_retiring(const IdStore& id, const std::string& account, const std::string& user,
                                           identity::AccountClaims& claims);

}  // namespace hawser::cli
