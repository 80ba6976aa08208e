// Users who come with a JWT: from a CONNECT, the server's nonce and an address to a verdict, and all of it again later.
//
// Pure; thread-safe. What is asked, and in which order, is nats-server's; what goes beyond it (scoped keys bind types
// of connections and addresses, windows go past midnight) is stricter or says so. No reason holds a token.
//
//   const Verdict verdict = admit_jwt(*authority, {.connect = connect, .nonce = nonce, .address = ip, .at = now});
#pragma once

#include "broker/authenticator.hpp"
#include "broker/authority.hpp"

namespace hawser::broker {

[[nodiscard]] Revalidation admit_jwt(const Authority& authority, const Presented& presented);

// Of one that was admitted, under another Authority: what it may do now, or why no more.
[[nodiscard]] Revalidation admit_again(const Authority& authority, const Grant& old, WallTime at);

}  // namespace hawser::broker
