// Exports and imports of an account, as flags. A private export's activation is made here, with the exporter's key.
//
//   SharingFlags flags;   add_sharing_flags(*command, flags);   change_sharing(id, claims, flags);
#pragma once

#include <string>

#include "cli/id.hpp"
#include "cli/id_flags.hpp"

namespace hawser::cli {

struct SharingFlags {
  Words exports, rm_exports, imports, rm_imports;
  bool is_private = false;
  std::string response, local_subject;
};
void add_sharing_flags(CLI::App& command, SharingFlags& flags);
// Errors: bad_usage, id_not_found (no such account or export), id_key_missing.
[[nodiscard]] Result<void> change_sharing(const IdStore& id, identity::AccountClaims& claims,
                                          const SharingFlags& flags);

}  // namespace hawser::cli
