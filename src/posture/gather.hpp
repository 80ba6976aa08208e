// The one impure part of posture: reads the files that the settings name. Blocking: call it at start-up or on a thread
// of its own, never on a reactor.
//
//   Facts facts = gather(settings, now);
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "identity/credential.hpp"
#include "posture/evaluate.hpp"
#include "posture/facts.hpp"
#include "posture/settings.hpp"

namespace hawser::posture {

[[nodiscard]] Facts gather(const Settings& settings, WallTime now);

// The effective credential, ready to answer a server's nonce. Reads the file anew each time, so call it again when the
// file changed (credential_files names what to watch). Errors: file_unreadable, limit_exceeded, those of identity.
[[nodiscard]] Result<identity::Credential> load_credential(const Decision& decision);
[[nodiscard]] std::vector<std::string> credential_files(const Decision& decision);

}  // namespace hawser::posture
