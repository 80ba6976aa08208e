// A creds file's text: a user's JWT and its seed between lines of dashes, as every NATS client reads it (creds.hpp).
//
// Pure; thread-safe. What it makes is a secret.
//
//   write_file_atomically(path, creds_text(token, key).reveal(), FileMode::owner_only);
#pragma once

#include <string_view>

#include "base/secret.hpp"
#include "identity/nkey.hpp"

namespace hawser::identity {

[[nodiscard]] Secret creds_text(std::string_view token, const KeyPair& key);

}  // namespace hawser::identity
