// An account's JWT as this broker's settings have accounts: exports, imports, mappings, permissions, limits.
//
// Pure; thread-safe. The account is called by its public key.
//
//   Account account = account_of(claims, [&](const identity::ImportClaim& import) { return is_activated(import); });
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "broker/settings.hpp"
#include "identity/claims.hpp"

namespace hawser::broker {

// Whether the activation that comes with an import is good.
using Activated = std::function<bool(const identity::ImportClaim&)>;

[[nodiscard]] Account account_of(const identity::AccountClaims& claims, const Activated& activated);

// Nothing when the claims say nothing: everything is allowed. As in nats-server, answers without a number are one, and
// without a time are for two minutes.
[[nodiscard]] std::optional<Permissions> permissions_of(const identity::ClaimPermissions& claims);

// "account A… (orders)", for messages.
[[nodiscard]] std::string shown_account(const identity::AccountClaims& claims);

}  // namespace hawser::broker
