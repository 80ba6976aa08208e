// Which export of an account an import means, and whether its activation still does.
//
// Pure; thread-safe.
//
//   const ExportClaim* offered = export_for(exporter, import.subject);
#pragma once

#include <chrono>
#include <string_view>

#include "identity/claims.hpp"

namespace hawser::identity {

// The narrowest one whose subject covers this one, or null.
[[nodiscard]] const ExportClaim* export_for(const AccountClaims& exporter, std::string_view subject);
// The same for one kind of share.
[[nodiscard]] const ExportClaim* export_for(const AccountClaims& exporter, std::string_view subject, ShareKind kind);

// Whether the import's token lets `importer` in, now and for a while: a day, or for ever.
[[nodiscard]] bool activation_holds(const ImportClaim& import, std::string_view importer, const AccountClaims& exporter,
                                    std::chrono::sys_seconds now);

}  // namespace hawser::identity
