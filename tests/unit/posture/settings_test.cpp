#include "posture/settings.hpp"

#include "posture/world.hpp"

namespace hawser::posture::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Settings read(const Variables& variables) { return from_environment(lookup_in(variables)); }

std::vector<std::string> findings_in(const Settings& settings) {
  std::vector<std::string> all;
  for (const Finding& finding : settings.findings) {
    all.push_back(std::string(to_string(finding.severity)) + ' ' + std::string(info(finding.code).name));
    expect_no_canary(finding.message);
  }
  return all;
}

TEST(Settings, reads_every_variable_of_the_table_with_its_provenance) {
  const Settings s = read({{"HAWSER_ENV", "production"},
                           {"NATS_URL", "tls://a,tls://b"},
                           {"NATS_TLS_CA", "/ca"},
                           {"NATS_TLS_CERT", "/cert"},
                           {"NATS_TLS_KEY", "/key"},
                           {"NATS_TLS_SERVER_NAME", "nats"},
                           {"NATS_TLS_CRL", "/crl"},
                           {"NATS_TLS_INSECURE", "no"},
                           {"NATS_USERNAME", "kate"},
                           {"NATS_PASSWORD", "p"},
                           {"NATS_PASSWORD_FILE", "/p"},
                           {"NATS_TOKEN", "t"},
                           {"NATS_TOKEN_FILE", "/t"},
                           {"NATS_NKEY", "n"},
                           {"NATS_NKEY_FILE", "/n"},
                           {"NATS_CREDS", "/c"},
                           {"HAWSER_AUTH_POLICY", "strict"},
                           {"HAWSER_AUTH_MODE", "user"},
                           {"HAWSER_ALLOW_PLAINTEXT", "off"},
                           {"HAWSER_PLAINTEXT_OWNER", "kate"},
                           {"HAWSER_PLAINTEXT_UNTIL", "2026-12-31T18:00:00Z"}});
  EXPECT_THAT(findings_in(s), IsEmpty());
  EXPECT_EQ(s.environment->value, Environment::production);
  EXPECT_EQ(s.urls.front().value.reveal(), "tls://a,tls://b");
  EXPECT_EQ(s.tls_ca->value, "/ca");
  EXPECT_EQ(s.tls_cert->value, "/cert");
  EXPECT_EQ(s.tls_key->value, "/key");
  EXPECT_EQ(s.tls_server_name->value, "nats");
  EXPECT_EQ(s.tls_crl->value, "/crl");
  EXPECT_FALSE(s.tls_insecure->value);
  EXPECT_EQ(s.username->value, "kate");
  EXPECT_EQ(s.password->value.reveal(), "p");
  EXPECT_EQ(s.password_file->value, "/p");
  EXPECT_EQ(s.token->value.reveal(), "t");
  EXPECT_EQ(s.token_file->value, "/t");
  EXPECT_EQ(s.nkey->value.reveal(), "n");
  EXPECT_EQ(s.nkey_file->value, "/n");
  EXPECT_EQ(s.creds->value, "/c");
  EXPECT_EQ(s.auth_policy->value, AuthPolicy::strict);
  EXPECT_EQ(s.auth_mode->value, AuthMode::user);
  EXPECT_FALSE(s.allow_plaintext->value);
  EXPECT_EQ(s.plaintext_owner->value, "kate");
  EXPECT_EQ(s.plaintext_until->value, parse_rfc3339("2026-12-31T18:00:00Z"));
  EXPECT_EQ(s.creds->origin, "env NATS_CREDS");
  EXPECT_EQ(s.urls.front().origin, "env NATS_URL");
}

TEST(Settings, keeps_the_provenance_that_an_env_file_or_a_manifest_gives) {
  const Settings s = from_environment([](std::string_view name) -> std::optional<EnvironmentValue> {
    if (name == "NATS_TOKEN") {
      return EnvironmentValue{.text = {}, .origin = "pod.yaml:9:7 (agent)", .known = false};
    }
    return std::nullopt;
  });
  ASSERT_TRUE(s.token);
  EXPECT_FALSE(s.token->known);
  EXPECT_EQ(s.token->origin, "pod.yaml:9:7 (agent)");
}

TEST(Settings, takes_production_or_prod_in_any_case_and_anything_else_for_development) {
  for (const char* text : {"production", "prod", "PRODUCTION", "Prod", " prod \n"}) {
    EXPECT_EQ(read({{"HAWSER_ENV", text}}).environment->value, Environment::production) << text;
  }
  for (const char* text : {"development", "dev", "staging", "test", "preprod", "non-production", "local"}) {
    const Settings s = read({{"HAWSER_ENV", text}});
    EXPECT_EQ(s.environment->value, Environment::development) << text;
    EXPECT_THAT(findings_in(s), IsEmpty()) << text;
  }
  EXPECT_FALSE(read({}).environment);
  EXPECT_FALSE(read({{"HAWSER_ENV", "  "}}).environment);
}

TEST(Settings, warns_of_an_environment_that_is_nearly_production) {
  for (const char* text : {"prodution", "produciton", "prd", "productoin"}) {
    const Settings s = read({{"HAWSER_ENV", text}});
    EXPECT_EQ(s.environment->value, Environment::development);
    EXPECT_THAT(findings_in(s), ElementsAre("warning setting-malformed")) << text;
  }
}

TEST(Settings, takes_the_aliases) {
  EXPECT_EQ(read({{"CORDUM_ENV", "production"}}).environment->value, Environment::production);
  EXPECT_TRUE(read({{"CORDUM_NATS_ALLOW_PLAINTEXT", "yes"}}).allow_plaintext->value);
  EXPECT_EQ(read({{"NATS_CREDS_FILE", "/c"}}).creds->value, "/c");
  EXPECT_THAT(findings_in(read({{"HAWSER_ENV", "prod"}, {"CORDUM_ENV", "production"}})), IsEmpty());
}

TEST(Settings, lets_the_stricter_of_two_aliases_count_and_says_so) {
  for (const auto& [main, alias] : {std::pair{"production", "development"}, std::pair{"development", "production"}}) {
    const Settings s = read({{"HAWSER_ENV", main}, {"CORDUM_ENV", alias}});
    EXPECT_EQ(s.environment->value, Environment::production);
    EXPECT_THAT(findings_in(s), ElementsAre("warning setting-clash"));
    EXPECT_THAT(s.findings.front().sources, ElementsAre("env HAWSER_ENV", "env CORDUM_ENV"));
  }
  for (const auto& [main, alias] : {std::pair{"yes", "no"}, std::pair{"no", "yes"}}) {
    const Settings s = read({{"HAWSER_ALLOW_PLAINTEXT", main}, {"CORDUM_NATS_ALLOW_PLAINTEXT", alias}});
    EXPECT_FALSE(s.allow_plaintext->value);
    EXPECT_THAT(findings_in(s), ElementsAre("warning setting-clash"));
  }
  EXPECT_THAT(findings_in(read({{"NATS_CREDS", "/a"}, {"NATS_CREDS_FILE", "/b"}})), ElementsAre("error setting-clash"));
}

TEST(Settings, trims_values_and_takes_empty_for_unset) {
  const Settings s =
      read({{"NATS_TOKEN", "  t \r\n"}, {"NATS_URL", " \t"}, {"NATS_USERNAME", ""}, {"NATS_CREDS", " /c "}});
  EXPECT_EQ(s.token->value.reveal(), "t");
  EXPECT_TRUE(s.urls.empty());
  EXPECT_FALSE(s.username);
  EXPECT_EQ(s.creds->value, "/c");
}

TEST(Settings, takes_1_true_yes_y_on_in_any_case_for_yes) {
  for (const char* text : {"1", "true", "TRUE", "yes", "Y", "on", " On "}) {
    EXPECT_TRUE(read({{"NATS_TLS_INSECURE", text}}).tls_insecure->value) << text;
  }
  for (const char* text : {"0", "false", "NO", "n", "off"}) {
    EXPECT_FALSE(read({{"NATS_TLS_INSECURE", text}}).tls_insecure->value) << text;
  }
}

TEST(Settings, reports_malformed_values_and_leaves_them_unset) {
  const std::pair<const char*, const char*> rows[] = {
      {"NATS_TLS_INSECURE", "ture"},           {"HAWSER_ALLOW_PLAINTEXT", "2"},  {"HAWSER_AUTH_POLICY", "lax"},
      {"HAWSER_AUTH_MODE", "refused"},         {"HAWSER_AUTH_MODE", "password"}, {"HAWSER_PLAINTEXT_UNTIL", "tomorrow"},
      {"HAWSER_PLAINTEXT_UNTIL", "2026-12-31"}};
  for (const auto& [name, value] : rows) {
    const Settings s = read({{name, value}});
    EXPECT_THAT(findings_in(s), ElementsAre("error setting-malformed")) << name;
    EXPECT_THAT(s.findings.front().sources, ElementsAre("env " + std::string(name)));
    EXPECT_FALSE(s.tls_insecure || s.allow_plaintext || s.auth_policy || s.auth_mode || s.plaintext_until);
  }
}

TEST(Settings, refuses_the_secret_itself_where_its_path_belongs_and_does_not_show_it) {
  const std::string creds = "-----BEGIN NATS USER JWT-----\ncanary\n------END NATS USER JWT------";
  for (const char* name : {"NATS_CREDS", "NATS_NKEY_FILE", "NATS_TLS_KEY", "NATS_TOKEN_FILE", "NATS_PASSWORD_FILE"}) {
    for (const std::string& value : {creds, std::string(kSeed)}) {
      const Settings s = read({{name, value}});
      EXPECT_THAT(findings_in(s), ElementsAre("error setting-malformed")) << name;
      EXPECT_FALSE(s.has_credentials());
    }
  }
}

Settings file(std::initializer_list<std::pair<Key, std::string_view>> rows) {
  Settings settings;
  int line = 0;
  for (const auto& [key, text] : rows) {
    set(settings, key, text, "./config/broker.yaml:" + std::to_string(++line) + ":3");
  }
  return settings;
}

TEST(Settings, lets_the_environment_win_over_the_file_and_reports_the_clash) {
  const Settings s =
      merge(read({{"NATS_URL", "tls://b"}, {"NATS_TLS_CA", "/b"}, {"NATS_TOKEN", std::string(kToken)}}),
            file({{Key::url, "tls://a"}, {Key::tls_ca, "/a"}, {Key::token, "canary"}, {Key::tls_crl, "/r"}}));
  EXPECT_EQ(s.urls.size(), 1U);
  EXPECT_EQ(s.urls.front().value.reveal(), "tls://b");
  EXPECT_EQ(s.tls_ca->value, "/b");
  EXPECT_EQ(s.tls_crl->value, "/r");
  EXPECT_EQ(s.tls_crl->origin, "./config/broker.yaml:4:3");
  EXPECT_EQ(s.token->value.reveal(), kToken);
  EXPECT_THAT(findings_in(s), ElementsAre("warning setting-clash", "warning setting-clash", "warning setting-clash"));
  EXPECT_THAT(s.findings.front().sources, ElementsAre("env NATS_URL", "./config/broker.yaml:1:3"));
}

TEST(Settings, reports_no_clash_where_both_say_the_same) {
  const Settings s =
      merge(read({{"NATS_URL", "tls://a, tls://b"}, {"NATS_TLS_CA", "/a"}, {"NATS_TOKEN", "t"}}),
            file({{Key::url, "tls://a"}, {Key::url, "tls://b"}, {Key::tls_ca, "/a"}, {Key::token, "t"}}));
  EXPECT_THAT(findings_in(s), IsEmpty());
}

TEST(Settings, takes_a_secret_and_its_file_for_one_setting_when_layers_meet) {
  const Settings s = merge(read({{"NATS_TOKEN", "t"}}), file({{Key::token_file, "/t"}}));
  EXPECT_EQ(s.token->value.reveal(), "t");
  EXPECT_FALSE(s.token_file);
  EXPECT_THAT(findings_in(s), ElementsAre("warning setting-clash"));
  EXPECT_TRUE(merge(read({{"NATS_USERNAME", "kate"}}), file({{Key::password_file, "/p"}})).password_file);
}

TEST(Settings, keeps_credentials_of_different_modes_so_that_posture_sees_the_collision) {
  const Settings s = merge(read({{"HAWSER_ENV", "production"}, {"NATS_TOKEN", "t"}}),
                           file({{Key::url, "tls://a"}, {Key::nkey_file, "/n"}}));
  const Decision decision = evaluate(s, {}, kNow, Purpose::start_up);
  EXPECT_THAT(findings_of(decision), ElementsAre("error auth-collision"));
  EXPECT_THAT(decision.findings.front().sources, ElementsAre("env NATS_TOKEN", "./config/broker.yaml:2:3"));
}

TEST(Settings, lets_flags_replace_credentials_on_purpose_without_a_finding) {
  Settings flags;
  set(flags, Key::creds, "/flag.creds", "flag --creds");
  set(flags, Key::url, "tls://flag", "flag --server");
  const Settings s =
      merge(std::move(flags), read({{"NATS_TOKEN", "t"}, {"NATS_URL", "tls://a"}}), Layering::deliberate);
  EXPECT_FALSE(s.token);
  EXPECT_EQ(s.creds->value, "/flag.creds");
  EXPECT_EQ(s.urls.front().value.reveal(), "tls://flag");
  EXPECT_THAT(findings_in(s), IsEmpty());
}

TEST(Settings, keeps_the_findings_of_both_layers) {
  const Settings s = merge(read({{"NATS_TLS_INSECURE", "maybe"}}), file({{Key::auth_policy, "lax"}}));
  EXPECT_THAT(findings_in(s), ElementsAre("error setting-malformed", "error setting-malformed"));
}

}  // namespace
}  // namespace hawser::posture::test
