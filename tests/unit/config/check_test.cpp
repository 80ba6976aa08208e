#include "config/check.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <stdlib.h>
#include <string>

namespace hawser::config {
namespace {

using namespace std::chrono_literals;

class Check : public testing::Test {
 protected:
  Check() {
    std::string name = (std::filesystem::temp_directory_path() / "hawser-check-XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }
  ~Check() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::string write(const std::string& name, std::string_view text) {
    const std::filesystem::path path = directory_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  CheckReport check(const CheckRequest& request, std::map<std::string, std::string> environment = {}) {
    return run_check(
        request,
        [environment](std::string_view name) -> std::optional<posture::EnvironmentValue> {
          const auto found = environment.find(std::string(name));
          if (found == environment.end()) return std::nullopt;
          return posture::EnvironmentValue{found->second, {}, true};
        },
        WallTime(1'790'000'000s));
  }
  // "subject: transport/mode code code …", without the directory.
  std::string brief(const CheckReport& report) {
    std::string out;
    for (const CheckResult& result : report.results) {
      out += result.subject + ":";
      if (result.decision)
        out += fmt::format(" {}/{}", to_string(result.decision->transport), to_string(result.decision->auth_mode));
      for (const posture::Finding& finding : result.findings) {
        if (finding.severity != posture::Severity::note)
          out += fmt::format(" {}:{}", to_string(finding.severity), info(finding.code).name);
      }
      out += "\n";
    }
    const std::string prefix = directory_.string() + "/";
    for (std::size_t at = out.find(prefix); at != std::string::npos; at = out.find(prefix))
      out.erase(at, prefix.size());
    return out;
  }

  std::filesystem::path directory_;
};

TEST_F(Check, judges_an_env_file_as_an_environment) {
  const CheckReport report =
      check({.env_files = {write("p.env", "HAWSER_ENV=production\nNATS_URL=nats://h\nNATS_TOKEN=t\n")}},
            {{"NATS_URL", "tls://elsewhere"}});
  EXPECT_EQ(brief(report), "p.env: refused/token error:plaintext-in-production\n");
  EXPECT_FALSE(report.ok());
  EXPECT_FALSE(report.unreadable);
  EXPECT_EQ(report.results[0].decision->servers, std::vector<std::string>{"nats://h:4222"});
  EXPECT_TRUE(report.results[0].findings[0].sources.at(0).ends_with("/p.env:2:1 (NATS_URL)"));
}

TEST_F(Check, puts_the_environment_over_the_agents_file) {
  const std::string file = write("conf/broker.yaml", "broker: {url: tls://h}\n");
  const CheckReport report =
      check({.config_directory = (directory_ / "conf").string()}, {{"HAWSER_ENV", "production"}, {"NATS_TOKEN", "t"}});
  EXPECT_EQ(brief(report), "environment over conf/broker.yaml: tls/token\n");
  EXPECT_TRUE(report.ok());
}

TEST_F(Check, puts_each_env_file_over_the_agents_file) {
  write("conf/broker.yaml", "broker: {url: tls://h, tls: {insecure: true}}\n");
  const CheckReport report =
      check({.env_files = {write("a.env", "NATS_TOKEN=t\n"), write("b.env", "HAWSER_ENV=prod\nNATS_TOKEN=t\n")},
             .config_directory = (directory_ / "conf").string()},
            {{"NATS_USERNAME", "u"}});
  EXPECT_EQ(brief(report),
            "a.env over conf/broker.yaml: tls/token warning:tls-verification-disabled\n"
            "b.env over conf/broker.yaml: tls/token error:tls-verification-disabled\n");
}

TEST_F(Check, says_where_a_mistake_of_the_agents_file_is) {
  write("conf/broker.yaml", "broker:\n  ulr: tls://h\n  limits: {max_pending: many}\n");
  const CheckReport report = check({.config_directory = (directory_ / "conf").string()});
  EXPECT_EQ(brief(report), "conf/broker.yaml: error:config-unknown-key error:config-bad-value\n");
  EXPECT_TRUE(report.unreadable);
  EXPECT_TRUE(report.results[0].findings[0].sources[0].ends_with("broker.yaml:2:3"));
}

TEST_F(Check, separates_the_place_from_the_words_of_a_file_that_is_not_well_formed) {
  for (const auto& [name, text] : {std::pair{"conf/broker.yaml", "a: [\n"},
                                   {"x.env", "A=1\n=2\n"},
                                   {"m.yaml", "kind: [\n"},
                                   {"s.conf", "a: b c\n"}}) {
    const std::string file = write(name, text);
    CheckRequest request;
    const std::string kind(name);
    if (kind == "x.env") request.env_files = {file};
    if (kind == "m.yaml") request.manifests = {file};
    if (kind == "s.conf") request.server_confs = {file};
    if (kind == "conf/broker.yaml") request.config_directory = (directory_ / "conf").string();
    const CheckReport report = check(request);
    ASSERT_EQ(report.results.size(), 1U) << name;
    EXPECT_TRUE(report.unreadable) << name;
    const posture::Finding& finding = report.results[0].findings.at(0);
    EXPECT_EQ(finding.code, Errc::config_syntax) << name;
    EXPECT_TRUE(finding.sources.at(0).starts_with(file + ":")) << finding.sources.at(0);
    EXPECT_EQ(finding.message.find(directory_.string()), std::string::npos) << finding.message;
  }
}

TEST_F(Check, says_so_when_a_named_file_is_not_there) {
  const std::string none = (directory_ / "none").string();
  const CheckReport report = check({.env_files = {none}, .manifests = {none}, .server_confs = {none}});
  EXPECT_EQ(brief(report), "none: error:file-unreadable\nnone: error:file-unreadable\nnone: error:file-unreadable\n");
  EXPECT_TRUE(report.unreadable);
  EXPECT_EQ(brief(check({.config_directory = none})), "none: error:config-not-found\n");
}

TEST_F(Check, judges_each_container_of_a_manifest_alone_and_without_its_files) {
  const CheckReport report = check({.manifests = {write("m.yaml", R"(kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      initContainers:
      - {name: init, env: [{name: NATS_URL, value: "nats://h"}, {name: HAWSER_ENV, value: production}, {name: NATS_TOKEN, valueFrom: {secretKeyRef: {name: n, key: t}}}]}
      containers:
      - {name: app, env: [{name: NATS_URL, value: "tls://h"}, {name: NATS_CREDS, value: /secrets/x.creds}, {name: NATS_TLS_CA, value: /tls/ca.crt}]}
      - {name: proxy, env: [{name: HAWSER_ENV, value: production}]}
      - {name: all, envFrom: [{secretRef: {name: s}}], env: [{name: NATS_URL, value: "tls://h"}, {name: HAWSER_ENV, value: prod}]}
)")}});
  EXPECT_EQ(brief(report),
            "m.yaml: Deployment web, init container init: refused/token error:plaintext-in-production\n"
            "m.yaml: Deployment web, container app: tls/creds\n"
            "m.yaml: Deployment web, container proxy:\n"
            "m.yaml: Deployment web, container all: tls/refused warning:auth-missing\n");
  const auto& notes = report.results[3].findings;
  EXPECT_NE(notes.back().message.find("envFrom takes all of secret s"), std::string::npos) << notes.back().message;
  EXPECT_EQ(notes.back().severity, posture::Severity::note);
}

TEST_F(Check, refuses_a_manifest_without_a_workload) {
  const CheckReport report = check({.manifests = {write("m.yaml", "kind: Service\n")}});
  EXPECT_TRUE(report.unreadable);
}

TEST_F(Check, holds_the_effective_mode_against_the_expected_one) {
  const std::string file = write("p.env", "NATS_URL=tls://h\nNATS_TOKEN=t\n");
  EXPECT_TRUE(check({.env_files = {file}, .expect = posture::AuthMode::token}).ok());
  const CheckReport report = check({.env_files = {file}, .expect = posture::AuthMode::nkey});
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.results[0].findings.back().code, Errc::auth_mode_mismatch);
  EXPECT_EQ(report.results[0].findings.back().sources, std::vector<std::string>{"flag --expect"});
}

TEST_F(Check, warns_of_a_variable_that_stands_twice_in_an_env_file) {
  EXPECT_EQ(brief(check({.env_files = {write("p.env", "NATS_URL=tls://a\nNATS_TOKEN=t\nNATS_URL=tls://b\n")}})),
            "p.env: tls/token warning:config-duplicate-key\n");
}

TEST_F(Check, lints_a_server_configuration_with_its_files_beside_it) {
  write("tls.crt", "not a certificate");
  write("tls.key", "not a key");
  const CheckReport report = check({.server_confs = {write("s.conf",
                                                           "listen: \"127.0.0.1:4222\"\nauthorization { token: t "
                                                           "}\ntls { cert_file: tls.crt, key_file: tls.key }\n")}});
  ASSERT_EQ(report.results.size(), 1U);
  EXPECT_FALSE(report.results[0].decision.has_value());
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.results[0].findings.at(0).code, Errc::server_certificate_unusable);
}

}  // namespace
}  // namespace hawser::config
