#include "posture/finding.hpp"

#include <algorithm>

namespace hawser::posture {

Finding make_finding(Errc code, Severity severity, std::string message, std::vector<std::string> sources) {
  return {.code = code,
          .severity = severity,
          .message = std::move(message),
          .hint = std::string(info(code).hint),
          .sources = std::move(sources)};
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::note: return "note";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
  }
  return "error";
}

bool any_error(std::span<const Finding> findings) {
  return std::ranges::any_of(findings, [](const Finding& finding) { return finding.severity == Severity::error; });
}

Error to_error(const Finding& finding) { return {finding.code, finding.message}; }

}  // namespace hawser::posture
