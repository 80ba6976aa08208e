// The JSON of `hawser check`. Field names are frozen: added to, never renamed.
#include <boost/json.hpp>

#include "cli/check_render.hpp"

namespace hawser::cli {

namespace json = boost::json;

namespace {

json::object finding_json(const posture::Finding& finding) {
  json::array sources;
  for (const std::string& source : finding.sources) {
    sources.emplace_back(source);
  }
  return {{"code", info(finding.code).name},
          {"id", error_id(finding.code)},
          {"severity", posture::to_string(finding.severity)},
          {"message", finding.message},
          {"hint", finding.hint},
          {"sources", std::move(sources)}};
}

json::object result_json(const config::CheckResult& result) {
  json::object out{{"subject", result.subject}};
  if (result.decision) {
    json::array servers;
    for (const std::string& server : result.decision->servers) {
      servers.emplace_back(server);
    }
    out["decision"] = json::object{{"transport", posture::to_string(result.decision->transport)},
                                   {"auth_mode", posture::to_string(result.decision->auth_mode)},
                                   {"servers", std::move(servers)}};
  } else {
    out["decision"] = nullptr;  // a server's configuration, or nothing that connects
  }
  json::array findings;
  for (const posture::Finding& finding : result.findings) {
    findings.emplace_back(finding_json(finding));
  }
  out["findings"] = std::move(findings);
  return out;
}

}  // namespace

std::string render_check_json(const config::CheckReport& report) {
  json::array results;
  for (const config::CheckResult& result : report.results) {
    results.emplace_back(result_json(result));
  }
  return json::serialize(json::object{{"ok", report.ok()}, {"results", std::move(results)}}) + "\n";
}

}  // namespace hawser::cli
