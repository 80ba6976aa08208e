// Everything that a link needs to be let in: where the servers are, how TLS is done, and who we are.
//
// An immutable snapshot, swapped as one pointer when material or credentials change; links keep the one they were made
// with.
#pragma once

#include <cstdint>
#include <memory>

#include "base/error.hpp"
#include "identity/credential.hpp"
#include "posture/evaluate.hpp"
#include "tls/context.hpp"

namespace hawser::session {

struct Access {
  std::shared_ptr<const posture::Decision> decision;
  tls::ContextPtr tls;           // for tls://
  tls::ContextPtr tls_upgraded;  // for a nats:// whose server requires TLS: the system's roots count as well
  std::shared_ptr<const identity::Credential> credential;
  std::uint64_t generation = 0;  // grows by one with each change
};
using AccessPtr = std::shared_ptr<const Access>;

// Reads the credential's file and makes the TLS contexts. Blocking; not for a reactor's thread.
[[nodiscard]] Result<AccessPtr> make_access(std::shared_ptr<const posture::Decision> decision,
                                            const tls::MaterialPtr& material, std::uint64_t generation);

}  // namespace hawser::session
