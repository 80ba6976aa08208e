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

// An Error says its row's summary by itself, and some findings are made of an Error: not twice.
Error to_error(const Finding& finding) {
  std::string_view doing = finding.message;
  const std::string_view summary = info(finding.code).summary;
  if (doing.starts_with(summary)) {
    doing.remove_prefix(summary.size());
    doing.remove_prefix(std::min(doing.find_first_not_of(": "), doing.size()));
  }
  return {finding.code, std::string(doing)};
}

}  // namespace hawser::posture
