// SARIF 2.1.0 (OASIS): what code scanning services read. One run, one rule a code that was found.
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <vector>

#include "cli/check_render.hpp"

namespace hawser::cli {

namespace json = boost::json;

namespace {

std::string_view level_of(posture::Severity severity) { return posture::to_string(severity); }  // the same three words

// A path as a URI reference: absolute ones as file:, the rest relative to wherever the run was.
std::string uri_of(const std::string& file) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string out = file.starts_with('/') ? "file://" : "";
  const std::string path = std::filesystem::path(file).lexically_normal().generic_string();
  for (const char c : path) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

json::object location_json(const std::string& source, const std::string& subject) {
  const SourcePlace place = place_of(source);
  if (place.file.empty()) {
    return {{"logicalLocations",
             json::array{json::object{{"name", source}, {"fullyQualifiedName", subject + ": " + source}}}}};
  }
  json::object physical{{"artifactLocation", json::object{{"uri", uri_of(place.file)}}}};
  if (place.line != 0) {
    json::object region{{"startLine", place.line}};
    if (place.column != 0) {
      region["startColumn"] = place.column;
    }
    physical["region"] = std::move(region);
  }
  return {{"physicalLocation", std::move(physical)},
          {"logicalLocations", json::array{json::object{{"name", subject}}}}};
}

json::object rule_json(Errc code) {
  const ErrorInfo& row = info(code);
  return {{"id", error_id(code)},
          {"name", row.name},
          {"shortDescription", json::object{{"text", row.summary}}},
          {"fullDescription", json::object{{"text", row.summary}}},
          {"help", json::object{{"text", row.hint}}}};
}

}  // namespace

std::string render_check_sarif(const config::CheckReport& report) {
  std::vector<Errc> rules;
  json::array results;
  for (const config::CheckResult& result : report.results) {
    for (const posture::Finding& finding : result.findings) {
      const auto known = std::find(rules.begin(), rules.end(), finding.code);
      const auto index = static_cast<std::size_t>(known - rules.begin());
      if (known == rules.end()) {
        rules.push_back(finding.code);
      }
      json::array locations;
      for (const std::string& source : finding.sources) {
        locations.emplace_back(location_json(source, result.subject));
      }
      if (locations.empty()) {
        locations.emplace_back(location_json(result.subject, result.subject));
      }
      results.emplace_back(
          json::object{{"ruleId", error_id(finding.code)},
                       {"ruleIndex", index},
                       {"level", level_of(finding.severity)},
                       {"message", json::object{{"text", fmt::format("{}. {}", finding.message, finding.hint)}}},
                       {"locations", std::move(locations)}});
    }
  }
  json::array rule_list;
  for (const Errc code : rules) {
    rule_list.emplace_back(rule_json(code));
  }
  const json::object run{
      {"tool",
       json::object{
           {"driver", json::object{{"name", "hawser"}, {"version", HAWSER_VERSION}, {"rules", std::move(rule_list)}}}}},
      {"columnKind", "unicodeCodePoints"},
      {"invocations", json::array{json::object{{"executionSuccessful", !report.unreadable}}}},
      {"results", std::move(results)}};
  return json::serialize(json::object{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                                      {"version", "2.1.0"},
                                      {"runs", json::array{run}}}) +
         "\n";
}

}  // namespace hawser::cli
