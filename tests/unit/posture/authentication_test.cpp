// The rows of docs' authentication table, each a test; and those about user JWTs.
#include "posture/world.hpp"

namespace hawser::posture::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Production is strict, development goes by precedence; each row is asked in both.
Decision strict(const Pairs& more, Facts facts = {}) {
  World world{.environment = {{"HAWSER_ENV", "production"}, {"NATS_URL", "tls://nats"}}, .facts = std::move(facts)};
  world.environment.insert(more.begin(), more.end());
  return decide(world);
}
Decision precedence(const Pairs& more, Facts facts = {}) {
  World world{.environment = {{"NATS_URL", "tls://nats"}}, .facts = std::move(facts)};
  world.environment.insert(more.begin(), more.end());
  return decide(world);
}

const std::pair<std::string, std::string> kUsername{"NATS_USERNAME", "kate"};
const std::pair<std::string, std::string> kPasswordSet{"NATS_PASSWORD", std::string(kPassword)};
const std::pair<std::string, std::string> kTokenSet{"NATS_TOKEN", std::string(kToken)};
const std::pair<std::string, std::string> kNkeySet{"NATS_NKEY", std::string(kSeed)};
const std::pair<std::string, std::string> kCredsSet{"NATS_CREDS", "/run/kate.creds"};
const std::pair<std::string, std::string> kCertSet{"NATS_TLS_CERT", "/c"};
const std::pair<std::string, std::string> kKeySet{"NATS_TLS_KEY", "/k"};

Facts bad_creds() {
  Facts facts;
  facts.creds.emplace();
  facts.creds->error = Error{Errc::creds_malformed, "reading a creds file: it has no JWT block"};
  return facts;
}

struct Validity {
  std::optional<std::chrono::sys_seconds> not_before{};
  std::optional<std::chrono::sys_seconds> expires{};
};

Facts creds_with(Validity validity, bool seed_matches = true) {
  Facts facts;
  facts.creds.emplace();
  facts.creds->form = CredentialFact::Form::creds;
  identity::UserClaims claims;
  claims.subject = kSeedPublic;
  claims.not_before = validity.not_before;
  claims.expires = validity.expires;
  facts.creds->claims = std::move(claims);
  facts.creds->seed_matches = seed_matches;
  return facts;
}

std::chrono::sys_seconds in(std::chrono::hours hours) { return std::chrono::floor<std::chrono::seconds>(kNow) + hours; }

TEST(Authentication, takes_exactly_one_complete_credential) {
  const std::pair<Pairs, AuthMode> rows[] = {
      {{kUsername, kPasswordSet}, AuthMode::user},
      {{kUsername, {"NATS_PASSWORD_FILE", "/p"}}, AuthMode::user},
      {{kTokenSet}, AuthMode::token},
      {{{"NATS_TOKEN_FILE", "/t"}}, AuthMode::token},
      {{kNkeySet}, AuthMode::nkey},
      {{{"NATS_NKEY_FILE", "/n"}}, AuthMode::nkey},
      {{kCredsSet}, AuthMode::creds},
  };
  for (const auto& [variables, mode] : rows) {
    for (const Decision& decision : {strict(variables), precedence(variables)}) {
      EXPECT_THAT(findings_of(decision), IsEmpty());
      EXPECT_EQ(decision.auth_mode, mode);
      EXPECT_EQ(decision.credential.mode, mode);
      EXPECT_NE(decision.credential.value.empty(), decision.credential.file.empty());
    }
  }
}

TEST(Authentication, lets_a_certificate_go_with_any_credential) {
  for (const auto& one : {kTokenSet, kNkeySet, kCredsSet}) {
    const Decision decision = strict({one, kCertSet, kKeySet});
    EXPECT_THAT(findings_of(decision), IsEmpty());
    EXPECT_NE(decision.auth_mode, AuthMode::cert);
  }
}

TEST(Authentication, tells_a_seed_from_creds_by_the_content_of_the_nkey_file) {
  Facts facts = creds_with({});
  facts.nkey_file = std::exchange(facts.creds, std::nullopt);
  EXPECT_EQ(strict({{"NATS_NKEY_FILE", "/n"}}, facts).auth_mode, AuthMode::creds);
}

TEST(Authentication, strictly_refuses_more_than_one_and_names_what_to_unset) {
  const Decision decision = strict({kUsername, kPasswordSet, kTokenSet, kNkeySet, kCredsSet});
  EXPECT_THAT(findings_of(decision), ElementsAre("error auth-collision"));
  EXPECT_EQ(decision.auth_mode, AuthMode::refused);
  const Finding& finding = decision.findings.front();
  EXPECT_THAT(finding.hint,
              AllOf(HasSubstr("env NATS_TOKEN"), HasSubstr("env NATS_NKEY"), HasSubstr("env NATS_CREDS")));
  EXPECT_THAT(finding.sources, ElementsAre("env NATS_USERNAME", "env NATS_PASSWORD", "env NATS_TOKEN", "env NATS_NKEY",
                                           "env NATS_CREDS"));
}

TEST(Authentication, strictly_refuses_each_pair_of_credentials) {
  const std::vector<Pairs> each = {{kUsername, kPasswordSet}, {kTokenSet}, {kNkeySet}, {kCredsSet}};
  for (std::size_t i = 0; i < each.size(); ++i) {
    for (std::size_t j = i + 1; j < each.size(); ++j) {
      Pairs both = each[i];
      both.insert(both.end(), each[j].begin(), each[j].end());
      EXPECT_THAT(findings_of(strict(both)), ElementsAre("error auth-collision")) << i << j;
    }
  }
}

TEST(Authentication, takes_the_first_in_order_by_precedence_and_reports_the_others_as_shadowed) {
  const Decision all = precedence({kUsername, kPasswordSet, kTokenSet, kNkeySet, kCredsSet});
  EXPECT_EQ(all.auth_mode, AuthMode::user);
  EXPECT_THAT(findings_of(all), ElementsAre("warning auth-shadowed", "warning auth-shadowed", "warning auth-shadowed"));
  EXPECT_EQ(precedence({kTokenSet, kNkeySet, kCredsSet}).auth_mode, AuthMode::token);
  EXPECT_EQ(precedence({kNkeySet, kCredsSet}).auth_mode, AuthMode::nkey);
  EXPECT_THAT(precedence({kNkeySet, kCredsSet}).findings.front().sources, ElementsAre("env NATS_CREDS"));
}

TEST(Authentication, strictly_refuses_a_user_without_password_and_the_reverse) {
  for (const Pairs& half : {Pairs{kUsername}, Pairs{kPasswordSet}, Pairs{{"NATS_PASSWORD_FILE", "/p"}}}) {
    const Decision alone = strict(half);
    EXPECT_THAT(findings_of(alone), ElementsAre("error auth-incomplete"));
    EXPECT_EQ(alone.auth_mode, AuthMode::refused);
    Pairs beside = half;
    beside.push_back(kTokenSet);
    EXPECT_THAT(findings_of(strict(beside)), ElementsAre("error auth-incomplete"));
  }
}

TEST(Authentication, by_precedence_half_a_user_is_no_candidate_and_a_warning) {
  for (const Pairs& half : {Pairs{kUsername}, Pairs{kPasswordSet}}) {
    Pairs beside = half;
    beside.push_back(kTokenSet);
    const Decision decision = precedence(beside);
    EXPECT_THAT(findings_of(decision), ElementsAre("warning auth-incomplete"));
    EXPECT_EQ(decision.auth_mode, AuthMode::token);
  }
}

TEST(Authentication, never_falls_back_to_none_when_the_effective_credential_is_malformed) {
  const Pairs bad_nkey = {{"NATS_NKEY", std::string(kBadSeed)}};
  for (const Decision& decision : {strict(bad_nkey), precedence(bad_nkey), strict({kCredsSet}, bad_creds()),
                                   precedence({kCredsSet}, bad_creds())}) {
    EXPECT_THAT(findings_of(decision), ElementsAre("error credential-malformed"));
    EXPECT_EQ(decision.auth_mode, AuthMode::refused);
    EXPECT_EQ(decision.credential.mode, AuthMode::refused);
  }
  EXPECT_THAT(strict(bad_nkey).findings.front().message, HasSubstr("IDN-802"));
}

TEST(Authentication, refuses_a_malformed_effective_nkey_even_when_good_creds_stand_behind_it) {
  const Decision decision = precedence({{"NATS_NKEY", "garbage"}, kCredsSet}, creds_with({}));
  EXPECT_THAT(findings_of(decision), ElementsAre("error credential-malformed", "warning auth-shadowed"));
  EXPECT_EQ(decision.auth_mode, AuthMode::refused);
}

TEST(Authentication, a_malformed_and_shadowed_credential_is_an_error_strictly_and_a_warning_by_precedence) {
  const Decision refused = strict({kTokenSet, kCredsSet}, bad_creds());
  EXPECT_THAT(findings_of(refused), ElementsAre("error credential-malformed", "error auth-collision"));
  const Decision accepted = precedence({kTokenSet, kCredsSet}, bad_creds());
  EXPECT_THAT(findings_of(accepted), ElementsAre("warning auth-shadowed", "warning credential-malformed"));
  EXPECT_EQ(accepted.auth_mode, AuthMode::token);
  EXPECT_TRUE(accepted.ok());
}

TEST(Authentication, takes_the_certificate_when_there_is_no_credential) {
  for (const Decision& decision : {strict({kCertSet, kKeySet}), precedence({kCertSet, kKeySet})}) {
    EXPECT_THAT(findings_of(decision), IsEmpty());
    EXPECT_EQ(decision.auth_mode, AuthMode::cert);
  }
}

TEST(Authentication, refuses_no_credential_and_no_certificate_in_production) {
  const Decision decision = strict({});
  EXPECT_THAT(findings_of(decision), ElementsAre("error auth-missing"));
  EXPECT_EQ(decision.auth_mode, AuthMode::refused);
}

TEST(Authentication, lets_none_pass_in_production_when_the_mode_is_pinned_to_none) {
  const Decision decision = strict({{"HAWSER_AUTH_MODE", "none"}});
  EXPECT_THAT(findings_of(decision), IsEmpty());
  EXPECT_EQ(decision.auth_mode, AuthMode::none);
}

TEST(Authentication, warns_of_none_in_production_by_precedence) {
  const Decision decision = strict({{"HAWSER_AUTH_POLICY", "precedence"}});
  EXPECT_THAT(findings_of(decision), ElementsAre("warning auth-missing"));
  EXPECT_EQ(decision.auth_mode, AuthMode::none);
}

TEST(Authentication, notes_none_in_development_under_both_policies) {
  EXPECT_THAT(findings_of(precedence({})), ElementsAre("note auth-missing"));
  EXPECT_THAT(findings_of(precedence({{"HAWSER_AUTH_POLICY", "strict"}})), ElementsAre("note auth-missing"));
}

TEST(Authentication, refuses_a_mode_that_differs_from_the_pinned_one) {
  const std::pair<Pairs, std::string> rows[] = {
      {{kTokenSet}, "user"},
      {{kTokenSet}, "none"},
      {{kUsername, kPasswordSet}, "token"},
      {{kNkeySet}, "creds"},
      {{kCredsSet}, "nkey"},
      {{kCertSet, kKeySet}, "none"},
      {{}, "cert"},
      {{kTokenSet, kCertSet, kKeySet}, "cert"},
  };
  for (const auto& [variables, pin] : rows) {
    Pairs pinned = variables;
    pinned.emplace_back("HAWSER_AUTH_MODE", pin);
    const Decision decision = precedence(pinned);
    EXPECT_THAT(findings_of(decision), Contains("error auth-mode-mismatch")) << pin;
    EXPECT_EQ(decision.auth_mode, AuthMode::refused) << pin;
  }
}

TEST(Authentication, accepts_a_mode_that_is_the_pinned_one) {
  const std::pair<Pairs, std::string> rows[] = {{{kTokenSet}, "TOKEN"},
                                                {{kUsername, kPasswordSet}, "user"},
                                                {{kNkeySet}, "nkey"},
                                                {{kCredsSet}, "creds"},
                                                {{kCertSet, kKeySet}, "cert"}};
  for (const auto& [variables, pin] : rows) {
    Pairs pinned = variables;
    pinned.emplace_back("HAWSER_AUTH_MODE", pin);
    EXPECT_TRUE(strict(pinned).ok()) << pin;
    EXPECT_TRUE(precedence(pinned).ok()) << pin;
  }
}

TEST(Authentication, takes_the_credentials_of_a_url_when_nothing_else_is_set_and_warns_that_urls_are_logged) {
  const std::string user_url = "tls://kate:" + std::string(kUrlPassword) + "@nats";
  for (const char* environment : {"production", "development"}) {
    const Decision decision = decide({{"HAWSER_ENV", environment}, {"NATS_URL", user_url}});
    EXPECT_THAT(findings_of(decision), ElementsAre("warning credentials-in-url"));
    EXPECT_EQ(decision.auth_mode, AuthMode::user);
    EXPECT_EQ(decision.credential.user, "kate");
    EXPECT_EQ(decision.credential.value.reveal(), kUrlPassword);
    const Decision token =
        decide({{"HAWSER_ENV", environment}, {"NATS_URL", "tls://" + std::string(kUrlToken) + "@nats"}});
    EXPECT_THAT(findings_of(token), ElementsAre("warning credentials-in-url"));
    EXPECT_EQ(token.auth_mode, AuthMode::token);
    EXPECT_EQ(token.credential.value.reveal(), kUrlToken);
  }
}

TEST(Authentication, strictly_refuses_credentials_in_the_url_beside_others_as_a_collision) {
  const Decision decision =
      decide(with(production_token(), {{"NATS_URL", "tls://kate:" + std::string(kUrlPassword) + "@nats"}}));
  EXPECT_THAT(findings_of(decision), ElementsAre("error auth-collision", "warning credentials-in-url"));
  EXPECT_THAT(decision.findings.front().sources, ElementsAre("env NATS_TOKEN", "env NATS_URL"));
}

TEST(Authentication, counts_the_credentials_of_a_url_last_by_precedence) {
  const Decision decision =
      decide({{"NATS_URL", "tls://kate:" + std::string(kUrlPassword) + "@nats"}, {kCredsSet.first, kCredsSet.second}});
  EXPECT_THAT(findings_of(decision), ElementsAre("warning credentials-in-url", "warning auth-shadowed"));
  EXPECT_EQ(decision.auth_mode, AuthMode::creds);
}

TEST(Authentication, takes_several_urls_with_the_same_credentials_for_one_and_with_different_ones_for_a_collision) {
  const std::string password(kUrlPassword);
  const Decision same = decide(
      {{"HAWSER_ENV", "production"}, {"NATS_URL", "tls://kate:" + password + "@a,tls://kate:" + password + "@b"}});
  EXPECT_TRUE(same.ok());
  const Decision different =
      decide({{"HAWSER_ENV", "production"}, {"NATS_URL", "tls://kate:" + password + "@a,tls://kate:canary@b"}});
  EXPECT_THAT(findings_of(different), ElementsAre("error auth-collision", "warning credentials-in-url"));
}

TEST(Authentication, refuses_a_url_with_a_password_and_no_user_as_incomplete) {
  const Decision decision =
      decide({{"HAWSER_ENV", "production"}, {"NATS_URL", "tls://:" + std::string(kUrlPassword) + "@a"}});
  EXPECT_THAT(findings_of(decision), ElementsAre("error auth-incomplete", "warning credentials-in-url"));
}

TEST(Authentication, reports_a_secret_that_is_given_by_value_and_as_a_file) {
  const Pairs both = {kTokenSet, {"NATS_TOKEN_FILE", "/t"}};
  EXPECT_THAT(findings_of(strict(both)), ElementsAre("error credential-set-twice"));
  const Decision decision = precedence(both);
  EXPECT_THAT(findings_of(decision), ElementsAre("warning credential-set-twice"));
  EXPECT_EQ(decision.credential.value.reveal(), kToken);
}

TEST(Authentication, refuses_creds_whose_jwt_has_expired) {
  const Decision decision = strict({kCredsSet}, creds_with({.expires = in(std::chrono::hours(0))}));
  EXPECT_THAT(findings_of(decision), ElementsAre("error user-jwt-expired"));
  EXPECT_EQ(decision.auth_mode, AuthMode::refused);
}

TEST(Authentication, warns_of_creds_whose_jwt_expires_soon) {
  const Decision soon = strict({kCredsSet}, creds_with({.expires = in(std::chrono::hours(24))}));
  EXPECT_THAT(findings_of(soon), ElementsAre("warning user-jwt-expiring"));
  EXPECT_TRUE(soon.ok());
  EXPECT_THAT(findings_of(strict({kCredsSet}, creds_with({.expires = in(std::chrono::hours(24 * 8))}))), IsEmpty());
}

TEST(Authentication, refuses_creds_whose_seed_does_not_belong_to_the_jwts_subject) {
  for (const Decision& decision :
       {strict({kCredsSet}, creds_with({}, false)), precedence({kCredsSet}, creds_with({}, false))}) {
    EXPECT_THAT(findings_of(decision), ElementsAre("error user-jwt-seed-mismatch"));
  }
}

TEST(Authentication, refuses_creds_whose_jwt_is_not_valid_yet) {
  EXPECT_THAT(findings_of(strict({kCredsSet}, creds_with({.not_before = in(std::chrono::hours(1))}))),
              ElementsAre("error user-jwt-not-yet-valid"));
}

TEST(Authentication, warns_only_of_an_expired_jwt_that_is_shadowed) {
  const Decision decision = precedence({kTokenSet, kCredsSet}, creds_with({.expires = in(std::chrono::hours(-1))}));
  EXPECT_THAT(findings_of(decision), ElementsAre("warning auth-shadowed", "warning user-jwt-expired"));
  EXPECT_EQ(decision.auth_mode, AuthMode::token);
}

TEST(Authentication, counts_values_from_elsewhere_as_set) {
  Settings settings;
  set(settings, Key::environment, "production", "pod.yaml:1");
  set(settings, Key::url, "tls://nats", "pod.yaml:2");
  set(settings, Key::nkey, "", "pod.yaml:3", Known::no);
  EXPECT_EQ(evaluate(settings, {}, kNow, Purpose::check).auth_mode, AuthMode::nkey);
  set(settings, Key::token, "", "pod.yaml:4", Known::no);
  const Decision decision = evaluate(settings, {}, kNow, Purpose::check);
  EXPECT_THAT(findings_of(decision), ElementsAre("error auth-collision"));
  EXPECT_THAT(decision.findings.front().sources, ElementsAre("pod.yaml:4", "pod.yaml:3"));
}

TEST(Authentication, warns_of_a_credential_file_that_others_can_read) {
  Facts facts = creds_with({});
  facts.creds->readable_by_others = true;
  EXPECT_THAT(findings_of(strict({kCredsSet}, facts)), ElementsAre("warning credential-readable-by-others"));
}

}  // namespace
}  // namespace hawser::posture::test
