// A posture question as the tests put it: an environment, perhaps a file and facts; and the answer as short texts.
// Every secret that tests use is a canary, and every answer is searched for them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "posture/evaluate.hpp"

namespace hawser::posture::test {

inline constexpr std::string_view kPassword = "canary-password-1";
inline constexpr std::string_view kToken = "canary-token-2";
inline constexpr std::string_view kUrlPassword = "canary-url-password-3";
inline constexpr std::string_view kUrlToken = "canary-url-token-4";
inline constexpr std::string_view kPin = "canary-pin-5";
inline constexpr std::string_view kSeed = "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y";
inline constexpr std::string_view kBadSeed = "SUBAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y";
inline constexpr std::string_view kSeedPublic = "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK";

inline const WallTime kNow = *parse_rfc3339("2026-06-01T12:00:00Z");

using Variables = std::map<std::string, std::string, std::less<>>;

inline Lookup lookup_in(const Variables& variables) {
  return [&variables](std::string_view name) -> std::optional<EnvironmentValue> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt
                                    : std::optional(EnvironmentValue{.text = found->second, .origin = {}});
  };
}

inline void expect_no_canary(std::string_view text) {
  EXPECT_EQ(text.find("canary"), std::string_view::npos) << text;
  EXPECT_EQ(text.find(kSeed.substr(4, 20)), std::string_view::npos) << text;
}

inline void expect_no_canary(const Decision& decision) {
  for (const Finding& finding : decision.findings) {
    expect_no_canary(finding.message);
    expect_no_canary(finding.hint);
    expect_no_canary(to_error(finding).message());
    for (const std::string& source : finding.sources) {
      expect_no_canary(source);
    }
  }
  for (const ServerUrl& server : decision.servers) {
    expect_no_canary(server.printable());
  }
  expect_no_canary(decision.credential.origin);
  expect_no_canary(decision.break_glass.owner);
}

struct World {
  Variables environment{};
  Facts facts{};
  Purpose purpose = Purpose::start_up;
  WallTime now = kNow;
};

inline Decision decide(const World& world) {
  Decision decision = evaluate(from_environment(lookup_in(world.environment)), world.facts, world.now, world.purpose);
  expect_no_canary(decision);
  return decision;
}
inline Decision decide(Variables environment) { return decide(World{.environment = std::move(environment)}); }

// "error plaintext-in-production", in the decision's order.
inline std::vector<std::string> findings_of(const Decision& decision) {
  std::vector<std::string> all;
  for (const Finding& finding : decision.findings) {
    all.push_back(std::string(to_string(finding.severity)) + ' ' + std::string(info(finding.code).name));
  }
  return all;
}

inline const Finding& finding_of(const Decision& decision, Errc code) {
  for (const Finding& finding : decision.findings) {
    if (finding.code == code) {
      return finding;
    }
  }
  static const Finding kNothing{};
  ADD_FAILURE() << "no finding " << info(code).name;
  return kNothing;
}

// What a safe production service sets; tests add to it or take away.
inline Variables production_token() {
  return {{"HAWSER_ENV", "production"}, {"NATS_URL", "tls://nats.example.com"}, {"NATS_TOKEN", std::string(kToken)}};
}
inline Variables with(Variables variables, std::initializer_list<std::pair<const char*, std::string>> more) {
  for (const auto& [name, value] : more) {
    variables[name] = value;
  }
  return variables;
}

}  // namespace hawser::posture::test
