// The credentials that a plan names, read from their files: as whom brokers show them, and until when they are good.
//
// Blocking; what is read is immutable and safe to share. No error shows anything of a secret.
//
//   Result<ReadCredential> read = read_credential(plan.prober.old_credential);   // read->who, read->credential
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "identity/credential.hpp"
#include "rotation/budget.hpp"
#include "rotation/inventory.hpp"
#include "rotation/plan.hpp"
#include "rotation/presented.hpp"

namespace hawser::rotation {

struct ReadCredential {
  Identity who;
  std::shared_ptr<const identity::Credential> credential;
  std::shared_ptr<const Secret> token{};  // presented beside a password
  std::vector<std::string> faults{};      // of its JWT: why servers refuse it, whatever the time
  tls::Seconds from{};
  tls::Seconds to = tls::Seconds::max();
};

// Errors: file_unreadable, limit_exceeded, those of identity, credential_malformed; all name the file.
[[nodiscard]] Result<ReadCredential> read_credential(const CredentialSource& source);
// Creds or a seed, told apart by their content.
[[nodiscard]] Result<ReadCredential> read_credential(const Path& file);

// What inspect() does for a plan of kind credentials.
void inspect_credentials(const Plan& plan, std::string_view mark, WallTime now, Inspection& out);

}  // namespace hawser::rotation
