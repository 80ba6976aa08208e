#include "identity/policy_sharing.hpp"

#include "identity/chain.hpp"
#include "identity/claim_subject.hpp"

namespace hawser::identity {

using namespace std::chrono_literals;

namespace {

template <class Wanted>
const ExportClaim* narrowest(const AccountClaims& exporter, std::string_view subject, Wanted wanted) {
  const ExportClaim* best = nullptr;
  for (const ExportClaim& one : exporter.exports) {
    if (wanted(one) && contained_in(subject, one.subject) &&
        (best == nullptr || contained_in(one.subject, best->subject))) {
      best = &one;
    }
  }
  return best;
}

}  // namespace

const ExportClaim* export_for(const AccountClaims& exporter, std::string_view subject) {
  return narrowest(exporter, subject, [](const ExportClaim&) { return true; });
}

const ExportClaim* export_for(const AccountClaims& exporter, std::string_view subject, ShareKind kind) {
  return narrowest(exporter, subject, [kind](const ExportClaim& one) { return one.kind == kind; });
}

bool activation_holds(const ImportClaim& import, std::string_view importer, const AccountClaims& exporter,
                      std::chrono::sys_seconds now) {
  return !import.token.empty() && admit_activation(import, importer, exporter, now) &&
         admit_activation(import, importer, exporter, now + 24h);
}

}  // namespace hawser::identity
