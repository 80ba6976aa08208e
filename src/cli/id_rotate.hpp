// Keys that go out of use after a rotation: what is due is carried out by `hawser id rotate due`, and by every push.
#pragma once

#include <string>
#include <vector>

#include "cli/id.hpp"

namespace hawser::cli {

// Signed again by the key that signs now, with creds in the store; names of what was. Errors: those of Issuer and
// Store.
[[nodiscard]] Result<std::vector<std::string>> sign_users_anew(const IdStore& id,
                                                               const identity::StoredAccount& account,
                                                               const std::string& key, const std::string& role);
[[nodiscard]] Result<std::vector<std::string>> sign_activations_anew(const IdStore& id,
                                                                     const identity::StoredAccount& exporter,
                                                                     const std::string& key);
[[nodiscard]] Result<std::vector<std::string>> sign_accounts_anew(const IdStore& id, const std::string& key);

enum class Due : std::uint8_t { by_now, all };
// User keys are revoked, signing keys removed, and what they signed is signed anew. A line each of what was done.
// Errors: those of Issuer and Store; what was done before stays done.
[[nodiscard]] Result<std::vector<std::string>> retire_due(IdStore& id, Due which);
// The retiring keys of one user are revoked, too.
[[nodiscard]] Result<void> revoke_retiring(const IdStore& id, const std::string& account, const std::string& user,
                                           identity::AccountClaims& claims);

}  // namespace hawser::cli
