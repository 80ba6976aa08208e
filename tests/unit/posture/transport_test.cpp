// The rows of docs' transport table, each a test.
#include "posture/world.hpp"

namespace hawser::posture::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kUntil = "2026-06-02T00:00:00Z";  // half a day after kNow

TEST(Transport, accepts_tls_in_production) {
  const Decision decision = decide(production_token());
  EXPECT_THAT(findings_of(decision), IsEmpty());
  EXPECT_TRUE(decision.ok());
  EXPECT_EQ(decision.transport, Transport::tls);
  EXPECT_EQ(decision.servers.front().printable(), "tls://nats.example.com:4222");
}

TEST(Transport, accepts_wss_in_production) {
  const Decision decision = decide(with(production_token(), {{"NATS_URL", "wss://nats.example.com"}}));
  EXPECT_TRUE(decision.ok());
  EXPECT_EQ(decision.transport, Transport::tls);
}

TEST(Transport, refuses_any_plaintext_url_in_production) {
  for (const std::string url :
       {"nats://nats:4222", "nats", "ws://nats", "NATS://nats", "127.0.0.1:4222", "tls://a,nats://b", "nats://[::1]"}) {
    const Decision decision = decide(with(production_token(), {{"NATS_URL", url}}));
    EXPECT_THAT(findings_of(decision), Contains("error plaintext-in-production")) << url;
    EXPECT_FALSE(decision.ok()) << url;
    EXPECT_EQ(decision.transport, Transport::refused) << url;
  }
}

TEST(Transport, names_the_plaintext_url_without_its_password_and_both_ways_out) {
  const Decision decision =
      decide({{"HAWSER_ENV", "prod"}, {"NATS_URL", "nats://kate:" + std::string(kUrlPassword) + "@nats.example.com"}});
  const Finding& finding = finding_of(decision, Errc::plaintext_in_production);
  EXPECT_THAT(finding.message, HasSubstr("nats://nats.example.com:4222"));
  EXPECT_THAT(finding.hint, HasSubstr("tls://"));
  EXPECT_THAT(finding.hint, HasSubstr("HAWSER_ALLOW_PLAINTEXT"));
  EXPECT_THAT(finding.sources, ElementsAre("env NATS_URL"));
  EXPECT_EQ(error_id(finding.code), "POS-101");
}

TEST(Transport, allows_plaintext_in_production_with_an_override_that_has_owner_and_deadline) {
  const Decision decision = decide(with(production_token(), {{"NATS_URL", "nats://nats"},
                                                             {"HAWSER_ALLOW_PLAINTEXT", "yes"},
                                                             {"HAWSER_PLAINTEXT_OWNER", "kate@example.com"},
                                                             {"HAWSER_PLAINTEXT_UNTIL", kUntil}}));
  EXPECT_THAT(findings_of(decision), ElementsAre("warning break-glass-active"));
  EXPECT_EQ(decision.transport, Transport::plaintext);
  EXPECT_TRUE(decision.break_glass.active);
  EXPECT_EQ(decision.break_glass.owner, "kate@example.com");
  EXPECT_EQ(decision.break_glass.until, parse_rfc3339(kUntil));
}

TEST(Transport, takes_the_override_by_its_alias_too) {
  const Decision decision = decide(with(production_token(), {{"NATS_URL", "nats://nats"},
                                                             {"CORDUM_NATS_ALLOW_PLAINTEXT", "1"},
                                                             {"HAWSER_PLAINTEXT_OWNER", "kate"},
                                                             {"HAWSER_PLAINTEXT_UNTIL", kUntil}}));
  EXPECT_TRUE(decision.ok());
  EXPECT_TRUE(decision.break_glass.active);
}

TEST(Transport, warns_at_start_up_of_an_override_without_owner_or_deadline_and_fails_the_check) {
  const Variables bare = with(production_token(), {{"NATS_URL", "nats://nats"}, {"HAWSER_ALLOW_PLAINTEXT", "true"}});
  const Variables rows[] = {bare, with(bare, {{"HAWSER_PLAINTEXT_OWNER", "kate"}}),
                            with(bare, {{"HAWSER_PLAINTEXT_UNTIL", kUntil}})};
  for (const Variables& row : rows) {
    const Decision start_up = decide(World{.environment = row});
    EXPECT_THAT(findings_of(start_up), ElementsAre("warning break-glass-active", "warning break-glass-unattributed"));
    EXPECT_TRUE(start_up.ok());
    const Decision check = decide(World{.environment = row, .purpose = Purpose::check});
    EXPECT_THAT(findings_of(check), ElementsAre("error break-glass-unattributed", "warning break-glass-active"));
    EXPECT_FALSE(check.ok());
  }
}

TEST(Transport, refuses_plaintext_at_start_when_the_deadline_has_passed) {
  for (const std::string until : {"2026-06-01T11:59:59Z", "2026-06-01T12:00:00Z", "2026-06-01T13:00:00+02:00"}) {
    const Decision decision = decide(with(production_token(), {{"NATS_URL", "nats://nats"},
                                                               {"HAWSER_ALLOW_PLAINTEXT", "true"},
                                                               {"HAWSER_PLAINTEXT_OWNER", "kate"},
                                                               {"HAWSER_PLAINTEXT_UNTIL", until}}));
    EXPECT_THAT(findings_of(decision), ElementsAre("error break-glass-expired")) << until;
    EXPECT_EQ(decision.transport, Transport::refused);
    EXPECT_FALSE(decision.break_glass.active);
  }
}

TEST(Transport, notes_an_override_that_nothing_needs) {
  const Decision decision = decide(with(production_token(), {{"HAWSER_ALLOW_PLAINTEXT", "true"}}));
  EXPECT_THAT(findings_of(decision), ElementsAre("note break-glass-unneeded"));
  EXPECT_FALSE(decision.break_glass.active);
}

TEST(Transport, refuses_a_list_that_mixes_tls_and_plaintext_in_production) {
  const Variables mixed = with(production_token(), {{"NATS_URL", "tls://a,nats://b"}});
  EXPECT_THAT(findings_of(decide(mixed)), ElementsAre("error plaintext-in-production", "error transport-mixed"));
  const Decision overridden = decide(with(
      mixed,
      {{"HAWSER_ALLOW_PLAINTEXT", "true"}, {"HAWSER_PLAINTEXT_OWNER", "kate"}, {"HAWSER_PLAINTEXT_UNTIL", kUntil}}));
  EXPECT_THAT(findings_of(overridden), ElementsAre("error transport-mixed", "warning break-glass-active"));
  EXPECT_EQ(overridden.transport, Transport::refused);
}

TEST(Transport, warns_of_a_mixed_list_in_development) {
  const Decision decision = decide({{"NATS_URL", "tls://a,nats://b"}, {"NATS_TOKEN", std::string(kToken)}});
  EXPECT_THAT(findings_of(decision), ElementsAre("warning transport-mixed"));
  EXPECT_THAT(decision.findings.front().message, HasSubstr("nats://b:4222"));
  EXPECT_EQ(decision.transport, Transport::plaintext);
}

TEST(Transport, warns_that_tls_material_is_ignored_with_a_plaintext_url) {
  for (const char* variable : {"NATS_TLS_CA", "NATS_TLS_CRL", "NATS_TLS_SERVER_NAME"}) {
    const Decision decision =
        decide({{"NATS_URL", "nats://nats"}, {"NATS_TOKEN", std::string(kToken)}, {variable, "/x"}});
    EXPECT_THAT(findings_of(decision), ElementsAre("warning tls-material-ignored")) << variable;
    EXPECT_THAT(decision.findings.front().sources, ElementsAre("env " + std::string(variable)));
    EXPECT_TRUE(decision.ok());
  }
}

TEST(Transport, uses_the_material_as_soon_as_one_url_is_tls) {
  const Decision decision =
      decide({{"NATS_URL", "tls://a"}, {"NATS_TOKEN", std::string(kToken)}, {"NATS_TLS_CA", "/ca.crt"}});
  EXPECT_THAT(findings_of(decision), IsEmpty());
  EXPECT_EQ(decision.tls.source.ca_file, "/ca.crt");
}

TEST(Transport, refuses_a_certificate_or_a_key_without_the_other) {
  for (const char* variable : {"NATS_TLS_CERT", "NATS_TLS_KEY"}) {
    for (const char* environment : {"production", "development"}) {
      const Decision decision = decide(with(production_token(), {{"HAWSER_ENV", environment}, {variable, "/x"}}));
      EXPECT_THAT(findings_of(decision), ElementsAre("error tls-pair-incomplete")) << variable;
      EXPECT_THAT(decision.findings.front().sources, ElementsAre("env " + std::string(variable)));
    }
  }
}

TEST(Transport, refuses_insecure_in_production_and_warns_of_it_in_development) {
  const Decision production = decide(with(production_token(), {{"NATS_TLS_INSECURE", "1"}}));
  EXPECT_THAT(findings_of(production), ElementsAre("error tls-verification-disabled"));
  EXPECT_FALSE(production.tls.insecure);
  const Decision development = decide(with(production_token(), {{"HAWSER_ENV", "dev"}, {"NATS_TLS_INSECURE", "1"}}));
  EXPECT_THAT(findings_of(development), ElementsAre("warning tls-verification-disabled"));
  EXPECT_TRUE(development.tls.insecure);
  EXPECT_TRUE(development.ok());
}

TEST(Transport, keeps_tls_1_2_as_the_minimum_unless_it_is_raised) {
  struct Row {
    std::string_view text;
    tls::Version version;
    bool ok;
  };
  const Row rows[] = {{"", tls::Version::tls12, true},         {"1.2", tls::Version::tls12, true},
                      {"1.3", tls::Version::tls13, true},      {"TLSv1.3", tls::Version::tls13, true},
                      {"1.1", tls::Version::tls12, false},     {"1.0", tls::Version::tls12, false},
                      {"TLSv1.1", tls::Version::tls12, false}, {"2", tls::Version::tls12, false}};
  for (const Row& row : rows) {
    Settings settings;
    set(settings, Key::url, "tls://a", "f:1");
    set(settings, Key::token, kToken, "f:2");
    set(settings, Key::tls_min_version, row.text, "f:3");
    const Decision decision = evaluate(settings, {}, kNow, Purpose::start_up);
    EXPECT_EQ(decision.tls.min_version, row.version) << row.text;
    EXPECT_EQ(decision.ok(), row.ok) << row.text;
  }
}

TEST(Transport, reports_what_validation_of_the_material_found_with_the_setting_that_names_it) {
  const Variables mtls =
      with(production_token(), {{"NATS_TLS_CERT", "/c"}, {"NATS_TLS_KEY", "/k"}, {"NATS_TLS_CA", "/a"}});
  struct Row {
    Errc code;
    Severity severity;
    std::vector<std::string> sources;
  };
  const Row rows[] = {
      {Errc::tls_certificate_expired, Severity::error, {"env NATS_TLS_CERT"}},
      {Errc::tls_certificate_not_yet_valid, Severity::error, {"env NATS_TLS_CERT"}},
      {Errc::tls_key_mismatch, Severity::error, {"env NATS_TLS_CERT", "env NATS_TLS_KEY"}},
      {Errc::tls_no_client_usage, Severity::error, {"env NATS_TLS_CERT"}},
      {Errc::tls_ca_without_certificate, Severity::error, {"env NATS_TLS_CA"}},
      {Errc::key_readable_by_others, Severity::warning, {"env NATS_TLS_KEY"}},
      {Errc::certificate_expiring, Severity::note, {"env NATS_TLS_CERT"}},
      {Errc::certificate_expiring, Severity::warning, {"env NATS_TLS_CERT"}},
  };
  for (const Row& row : rows) {
    World world{.environment = mtls};
    world.facts.material.push_back({.code = row.code, .severity = row.severity, .message = "it is so", .hint = {}});
    const Decision decision = decide(world);
    ASSERT_EQ(decision.findings.size(), 1U);
    EXPECT_EQ(decision.findings.front().severity, row.severity);
    EXPECT_EQ(decision.findings.front().sources, row.sources) << info(row.code).name;
    EXPECT_EQ(decision.ok(), row.severity != Severity::error);
  }
}

TEST(Transport, reports_each_url_that_cannot_be_read_without_showing_it) {
  const Decision decision = decide(with(
      production_token(),
      {{"NATS_URL", "tls://a, http://kate:" + std::string(kUrlPassword) + "@b, tls://kate:canary@@c, tls://d:99999"}}));
  EXPECT_THAT(findings_of(decision), ElementsAre("error url-malformed", "error url-malformed", "error url-malformed"));
  EXPECT_THAT(decision.findings[0].message, HasSubstr("URL 2 of 4"));
  EXPECT_EQ(decision.transport, Transport::refused);
}

TEST(Transport, needs_a_url_in_production_and_takes_the_local_server_in_development) {
  const Decision production = decide({{"HAWSER_ENV", "production"}, {"NATS_TOKEN", std::string(kToken)}});
  EXPECT_THAT(findings_of(production), ElementsAre("error url-missing"));
  const Decision development = decide({{"NATS_TOKEN", std::string(kToken)}});
  EXPECT_THAT(findings_of(development), ElementsAre("note url-missing"));
  EXPECT_EQ(development.servers.front().printable(), "nats://127.0.0.1:4222");
}

TEST(Transport, bounds_the_list_of_servers) {
  std::string many;
  for (int i = 0; i < 300; ++i) {
    many += "tls://h" + std::to_string(i) + ",";
  }
  const Decision decision = decide(with(production_token(), {{"NATS_URL", many}}));
  EXPECT_EQ(decision.servers.size(), 256U);
  EXPECT_THAT(findings_of(decision), ElementsAre("error url-malformed"));
}

TEST(Transport, assumes_the_stricter_where_a_value_is_not_known_here) {
  Settings settings;
  set(settings, Key::environment, "", "pod.yaml:3", Known::no);
  set(settings, Key::url, "nats://b", "pod.yaml:4");
  set(settings, Key::token, "", "pod.yaml:5", Known::no);
  set(settings, Key::allow_plaintext, "", "pod.yaml:6", Known::no);
  const Decision decision = evaluate(settings, {}, kNow, Purpose::check);
  EXPECT_EQ(decision.environment, Environment::production);
  EXPECT_THAT(findings_of(decision), ElementsAre("error plaintext-in-production", "warning setting-unknown-here",
                                                 "warning setting-unknown-here"));
  EXPECT_EQ(decision.auth_mode, AuthMode::token);
}

TEST(Transport, says_that_a_url_which_is_not_known_here_cannot_be_checked) {
  Settings settings;
  set(settings, Key::environment, "production", "pod.yaml:3");
  set(settings, Key::url, "", "pod.yaml:4", Known::no);
  set(settings, Key::token, "", "pod.yaml:5", Known::no);
  const Decision decision = evaluate(settings, {}, kNow, Purpose::check);
  EXPECT_THAT(findings_of(decision), ElementsAre("warning setting-unknown-here"));
  EXPECT_THAT(findings_of(decision), Not(Contains("error url-missing")));
  EXPECT_TRUE(decision.servers.empty());
}

}  // namespace
}  // namespace hawser::posture::test
