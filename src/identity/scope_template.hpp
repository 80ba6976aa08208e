// A scoped signing key's limits, with the templates in their subjects filled in for one user. Inside this room only.
// Pure.
//
//   Result<UserLimits> limits = fill_in(key.limits, user, account);
#pragma once

#include "base/error.hpp"
#include "identity/claims.hpp"

namespace hawser::identity {

// {{name()}} {{subject()}} {{account-name()}} {{account-subject()}} {{tag(k)}} {{account-tag(k)}}, each a whole token;
// a tag with several values makes several subjects. As in nats-server: what an `allow` refers to and is not there
// allows nothing (and nothing at all, if no other subject is left); of a `deny` it is an error. Errors:
// jwt_template_empty, limit_exceeded.
[[nodiscard]] Result<UserLimits> fill_in(const UserLimits& scope, const UserClaims& user, const AccountClaims& account);

}  // namespace hawser::identity
