#include "posture/evaluate.hpp"

#include "posture/rules.hpp"

namespace hawser::posture {
namespace {

// What a manifest takes from elsewhere: those that decide how safe the connection is are worth a warning, since what
// this check says of them is an assumption. Credentials are meant to come from elsewhere, and count as set.
void note_unknown_values(const Settings& settings, Decision& decision) {
  const auto unknown = [&decision](const auto& setting, Severity severity, std::string_view assumed) {
    if (setting && !setting->known) {
      rules::add(decision, Errc::setting_unknown_here, severity, "a value is not known here; " + std::string(assumed),
                 {setting->origin});
    }
  };
  unknown(settings.environment, Severity::warning, "production is assumed");
  unknown(settings.allow_plaintext, Severity::warning, "no override is assumed");
  unknown(settings.tls_insecure, Severity::warning, "verification is assumed to be on");
  unknown(settings.auth_policy, Severity::note, "the strict policy is assumed");
  unknown(settings.auth_mode, Severity::note, "it cannot be compared with the effective mode");
  unknown(settings.plaintext_until, Severity::note, "it cannot be seen whether the override has ended");
}

void worst_first(std::vector<Finding>& findings) {
  std::vector<Finding> sorted;
  sorted.reserve(findings.size());
  for (const Severity severity : {Severity::error, Severity::warning, Severity::note}) {
    for (Finding& finding : findings) {
      if (finding.severity == severity) {
        sorted.push_back(std::move(finding));
      }
    }
  }
  findings = std::move(sorted);
}

}  // namespace

Decision evaluate(const Settings& settings, const Facts& facts, WallTime now, Purpose purpose) {
  const rules::Case c{.settings = settings, .facts = facts, .now = now, .purpose = purpose};
  Decision decision;
  decision.environment = c.production() ? Environment::production : Environment::development;
  decision.findings = settings.findings;
  note_unknown_values(settings, decision);
  rules::decide_transport(c, decision);
  rules::decide_tls(c, decision);
  rules::decide_authentication(c, decision);
  worst_first(decision.findings);
  return decision;
}

std::string_view to_string(Transport transport) {
  switch (transport) {
    case Transport::tls: return "tls";
    case Transport::plaintext: return "plaintext";
    case Transport::refused: return "refused";
  }
  return "refused";
}

}  // namespace hawser::posture
