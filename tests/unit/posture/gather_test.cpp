// Real files in a temporary directory, through gather and evaluate: what a start-up sees.
#include "posture/gather.hpp"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include "identity/encoding.hpp"
#include "posture/world.hpp"
#include "tls/authority.hpp"

namespace hawser::posture::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Gather : public testing::Test {
 protected:
  Gather() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hawser-gather-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~Gather() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, std::string_view content, mode_t mode = 0600) {
    const std::filesystem::path path = directory_ / name;
    std::ofstream(path, std::ios::binary) << content;
    ::chmod(path.c_str(), mode);
    return path.string();
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (directory_ / name).string(); }

  static Decision decide(const Variables& environment, WallTime now = wall_now()) {
    const Settings settings = from_environment(lookup_in(environment));
    const Facts facts = gather(settings, now);
    Decision decision = evaluate(settings, facts, now, Purpose::start_up);
    expect_no_canary(decision);
    return decision;
  }

  // Production with mTLS by a new CA.
  Variables mtls(const tls::CertificateRequest& request, mode_t key_mode = 0600) {
    const tls::Authority ca = tls::Authority::create({.name = "CA"}).value();
    const tls::Issued issued = ca.issue(request).value();
    return {{"HAWSER_ENV", "production"},
            {"NATS_URL", "tls://nats"},
            {"NATS_TLS_CERT", write("tls.crt", issued.chain_pem)},
            {"NATS_TLS_KEY", write("tls.key", issued.key_pem.reveal(), key_mode)},
            {"NATS_TLS_CA", write("ca.crt", ca.certificate_pem())}};
  }

  std::filesystem::path directory_;
};

const tls::CertificateRequest kClient{.common_name = "agent-kate", .usage = tls::CertUsage::client};

tls::CertificateRequest valid(std::chrono::hours from, std::chrono::hours to) {
  const auto now = std::chrono::floor<std::chrono::seconds>(wall_now());
  tls::CertificateRequest request = kClient;
  request.validity = {.from = now + from, .to = now + to};
  return request;
}

std::string user_creds(std::string_view extra, std::string_view seed) {
  using namespace identity;
  std::array<std::uint8_t, 32> raw{};
  raw.fill(1);
  const KeyPair account = KeyPair::from_raw(KeyKind::account, raw).value();
  const std::string payload = R"({"iss":")" + account.public_key().text() + R"(","sub":")" + std::string(kSeedPublic) +
                              '"' + std::string(extra) + R"(,"nats":{"type":"user","version":2}})";
  const std::string text =
      encode_base64url(as_bytes(R"({"typ":"JWT","alg":"ed25519-nkey"})")) + '.' + encode_base64url(as_bytes(payload));
  return "-----BEGIN NATS USER JWT-----\n" + text + '.' + encode_base64url(account.sign(text).value()) +
         "\n------END NATS USER JWT------\n-----BEGIN USER NKEY SEED-----\n" + std::string(seed) +
         "\n------END USER NKEY SEED------\n";
}

TEST_F(Gather, finds_nothing_wrong_with_good_material) {
  const Decision decision = decide(mtls(kClient));
  EXPECT_THAT(findings_of(decision), IsEmpty());
  EXPECT_EQ(decision.auth_mode, AuthMode::cert);
}

TEST_F(Gather, refuses_an_expired_certificate) {
  const Decision decision = decide(mtls(valid(std::chrono::hours(-48), std::chrono::hours(-1))));
  EXPECT_THAT(findings_of(decision),
              AllOf(Contains("error tls-certificate-expired"), Not(Contains(HasSubstr("certificate-expiring")))));
  EXPECT_THAT(finding_of(decision, Errc::tls_certificate_expired).sources, ElementsAre("env NATS_TLS_CERT"));
}

TEST_F(Gather, refuses_a_certificate_that_is_not_yet_valid) {
  EXPECT_THAT(findings_of(decide(mtls(valid(std::chrono::hours(2), std::chrono::hours(4000))))),
              Contains("error tls-certificate-not-yet-valid"));
}

TEST_F(Gather, refuses_a_key_that_does_not_match) {
  Variables variables = mtls(kClient);
  const tls::Issued other = tls::Authority::self_signed(kClient).value();
  variables["NATS_TLS_KEY"] = write("other.key", other.key_pem.reveal());
  EXPECT_THAT(findings_of(decide(variables)), Contains("error tls-key-mismatch"));
}

TEST_F(Gather, refuses_a_certificate_that_is_not_for_clients) {
  EXPECT_THAT(findings_of(decide(mtls({.common_name = "nats", .usage = tls::CertUsage::server}))),
              Contains("error tls-no-client-usage"));
}

TEST_F(Gather, refuses_a_ca_file_without_a_certificate) {
  Variables variables = mtls(kClient);
  variables["NATS_TLS_CA"] = write("empty.crt", "\n");
  EXPECT_THAT(findings_of(decide(variables)), Contains("error tls-ca-without-certificate"));
}

TEST_F(Gather, warns_of_a_key_that_others_can_read) {
  const Decision decision = decide(mtls(kClient, 0644));
  EXPECT_THAT(findings_of(decision), ElementsAre("warning key-readable-by-others"));
  EXPECT_TRUE(decision.ok());
}

TEST_F(Gather, notes_30_days_before_a_certificate_ends_and_warns_7_days_and_1_day_before) {
  const std::pair<int, std::vector<std::string>> rows[] = {{31, {}},
                                                           {29, {"note certificate-expiring"}},
                                                           {6, {"warning certificate-expiring"}},
                                                           {1, {"warning certificate-expiring"}}};
  for (const auto& [days, expected] : rows) {
    EXPECT_EQ(findings_of(decide(mtls(valid(std::chrono::hours(-1), std::chrono::hours(24 * days - 1))))), expected)
        << days;
  }
}

TEST_F(Gather, refuses_material_that_does_not_exist) {
  Variables variables = mtls(kClient);
  variables["NATS_TLS_CA"] = path("nowhere.crt");
  EXPECT_THAT(findings_of(decide(variables)), Contains("error tls-file-unreadable"));
}

TEST_F(Gather, reports_half_a_pair_once) {
  Variables variables = mtls(kClient);
  variables.erase("NATS_TLS_KEY");
  variables["NATS_TOKEN"] = kToken;
  EXPECT_THAT(findings_of(decide(variables)), ElementsAre("error tls-pair-incomplete"));
}

TEST_F(Gather, does_not_show_the_pin_of_a_key_in_a_token) {
  Variables variables = mtls(kClient);
  variables["NATS_TLS_KEY"] = "pkcs11:token=none;object=none?pin-value=" + std::string(kPin);
  EXPECT_FALSE(decide(variables).ok());  // decide searches for canaries
}

TEST_F(Gather, reads_good_creds_and_loads_the_credential) {
  const Decision decision =
      decide(with(production_token(), {{"NATS_TOKEN", ""}, {"NATS_CREDS", write("k.creds", user_creds("", kSeed))}}));
  EXPECT_THAT(findings_of(decision), IsEmpty());
  const auto credential = load_credential(decision);
  ASSERT_TRUE(credential) << credential.error().message();
  EXPECT_FALSE(credential->prove("nonce")->jwt.empty());
  EXPECT_THAT(credential_files(decision), ElementsAre(path("k.creds")));
}

TEST_F(Gather, reads_the_user_jwt_in_a_creds_file) {
  const std::string other = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
  const std::tuple<std::string, std::string, std::string> rows[] = {
      {R"(,"exp":1700000000)", std::string(kSeed), "error user-jwt-expired"},
      {R"(,"exp":)" +
           std::to_string(std::chrono::floor<std::chrono::seconds>(wall_now()).time_since_epoch().count() + 86400),
       std::string(kSeed), "warning user-jwt-expiring"},
      {"", other, "error user-jwt-seed-mismatch"},
      {"", std::string(kBadSeed), "error credential-malformed"},
  };
  for (const auto& [claims, seed, expected] : rows) {
    const Variables variables =
        with(production_token(), {{"NATS_TOKEN", ""}, {"NATS_CREDS", write("k.creds", user_creds(claims, seed))}});
    EXPECT_THAT(findings_of(decide(variables)), ElementsAre(expected));
  }
}

TEST_F(Gather, tells_a_seed_from_creds_in_the_nkey_file) {
  const auto mode = [this](std::string_view content) {
    return decide({{"NATS_URL", "tls://a"}, {"NATS_NKEY_FILE", write("k", content)}}).auth_mode;
  };
  EXPECT_EQ(mode(std::string(kSeed) + "\n"), AuthMode::nkey);
  EXPECT_EQ(mode(user_creds("", kSeed)), AuthMode::creds);
  EXPECT_EQ(mode("neither"), AuthMode::refused);
}

TEST_F(Gather, refuses_a_bare_seed_where_creds_belong_and_says_where_it_does) {
  const Decision decision = decide({{"NATS_URL", "tls://a"}, {"NATS_CREDS", write("k", kSeed)}});
  EXPECT_THAT(findings_of(decision), ElementsAre("error credential-malformed"));
  EXPECT_THAT(decision.findings.front().message, HasSubstr("NATS_NKEY_FILE"));
}

TEST_F(Gather, refuses_missing_and_empty_secret_files_and_names_them) {
  for (const char* variable : {"NATS_TOKEN_FILE", "NATS_NKEY_FILE", "NATS_CREDS"}) {
    const Decision missing = decide({{"NATS_URL", "tls://a"}, {variable, path("nowhere")}});
    EXPECT_THAT(findings_of(missing), ElementsAre("error credential-malformed")) << variable;
    EXPECT_THAT(missing.findings.front().message, AllOf(HasSubstr(path("nowhere")), HasSubstr("No such file")));
    EXPECT_THAT(findings_of(decide({{"NATS_URL", "tls://a"}, {variable, write("empty", " \n")}})),
                ElementsAre("error credential-malformed"));
  }
}

TEST_F(Gather, does_not_show_a_secret_that_was_given_for_its_file) {
  const Decision decision = decide({{"NATS_URL", "tls://a"}, {"NATS_TOKEN_FILE", std::string(kToken)}});
  EXPECT_THAT(findings_of(decision), ElementsAre("error credential-malformed"));
  EXPECT_THAT(decision.findings.front().message, HasSubstr("No such file"));
}

TEST_F(Gather, loads_a_password_from_its_file_anew_each_time) {
  const Decision decision = decide({{"NATS_URL", "tls://a"},
                                    {"NATS_USERNAME", "kate"},
                                    {"NATS_PASSWORD_FILE", write("password", std::string(kPassword) + "\n")}});
  EXPECT_THAT(findings_of(decision), IsEmpty());
  EXPECT_EQ(load_credential(decision)->prove("")->password.reveal(), kPassword);
  write("password", "another");
  EXPECT_EQ(load_credential(decision)->prove("")->password.reveal(), "another");
  write("password", "");
  EXPECT_FALSE(load_credential(decision));
}

TEST_F(Gather, loads_nothing_for_a_certificate_and_refuses_what_posture_refused) {
  EXPECT_EQ(load_credential(decide(mtls(kClient)))->printable(), "none");
  EXPECT_FALSE(load_credential(decide({{"NATS_URL", "tls://a"}, {"NATS_NKEY", "bad"}})));
}

TEST_F(Gather, warns_of_a_credential_file_that_others_can_read) {
  const Decision decision = decide({{"NATS_URL", "tls://a"}, {"NATS_NKEY_FILE", write("k", kSeed, 0644)}});
  EXPECT_THAT(findings_of(decision), ElementsAre("warning credential-readable-by-others"));
}

}  // namespace
}  // namespace hawser::posture::test
