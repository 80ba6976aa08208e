// What nsc itself was told last: where its stores are, and which operator is meant (`nsc env`).
//
// Reads one small file; blocking, thread-safe. It counts where nobody named a store.
//
//   Result<NscContext> nsc = read_nsc_context(environment);
#pragma once

#include <string>

#include "base/error.hpp"
#include "identity/store_layout.hpp"

namespace hawser::identity {

struct NscContext {
  std::string store_root{};     // empty: nsc's own place
  std::string operator_name{};  // empty: none
};

// Of $NSC_HOME/nsc.json, else $XDG_CONFIG_HOME/nats/nsc/nsc.json; without one, both are empty. Errors:
// id_store_unusable for a file that is no JSON object, file_unreadable.
[[nodiscard]] Result<NscContext> read_nsc_context(const EnvironmentLookup& environment);

}  // namespace hawser::identity
