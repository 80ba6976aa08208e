#include "identity/creds.hpp"

#include <gtest/gtest.h>

#include "identity/credential.hpp"
#include "identity/fixtures.hpp"

namespace hawser::identity {
namespace {

using fixtures::creds_text;

std::string with_line_ends(std::string text, std::string_view end) {
  std::string result;
  for (const char c : text) {
    c == '\n' ? result += end : result += c;
  }
  return result;
}

TEST(Creds, reads_what_nsc_writes) {
  const Result<Creds> creds = parse_creds(creds_text(fixtures::kToken, fixtures::kUserSeed));
  ASSERT_TRUE(creds) << creds.error().message();
  EXPECT_EQ(creds->jwt.reveal(), fixtures::kToken);
  EXPECT_EQ(creds->claims.name, "agent-kate");
  ASSERT_TRUE(creds->key);
  EXPECT_EQ(creds->key->public_key().text(), fixtures::kUserPublic);
  EXPECT_TRUE(creds->seed_matches());
}

TEST(Creds, reads_it_with_windows_line_ends_blanks_and_without_the_banner) {
  const std::string plain = "---BEGIN NATS USER JWT---\n\n  " + std::string(fixtures::kToken) +
                            "  \n\n---END NATS USER JWT---\n---BEGIN USER NKEY SEED---\n" +
                            std::string(fixtures::kUserSeed) + "\n---END USER NKEY SEED---";
  EXPECT_TRUE(parse_creds(plain));
  EXPECT_TRUE(parse_creds(with_line_ends(creds_text(fixtures::kToken, fixtures::kUserSeed), "\r\n")));
}

TEST(Creds, tells_a_bare_seed_and_a_creds_file_apart_by_content) {
  for (const std::string& text :
       {std::string(fixtures::kUserSeed), "\n " + std::string(fixtures::kUserSeed) + "\r\n",
        "-----BEGIN USER NKEY SEED-----\n" + std::string(fixtures::kUserSeed) + "\n------END USER NKEY SEED------\n"}) {
    const auto parsed = parse_credential_text(text);
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_TRUE(std::holds_alternative<KeyPair>(*parsed));
  }
  const auto parsed = parse_credential_text(creds_text(fixtures::kToken, fixtures::kUserSeed));
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(std::holds_alternative<Creds>(*parsed));
}

TEST(Creds, notices_that_a_seed_is_of_another_user_than_the_jwt) {
  const KeyPair other = fixtures::key(KeyKind::user, 9);
  const auto creds = parse_creds(creds_text(fixtures::kToken, other.seed().reveal()));
  ASSERT_TRUE(creds) << creds.error().message();
  EXPECT_FALSE(creds->seed_matches());
}

TEST(Creds, takes_a_bearer_token_without_a_seed) {
  const KeyPair account = fixtures::key(KeyKind::account, 1);
  const std::string jwt = fixtures::user_token(account, fixtures::kUserPublic, "", R"(,"bearer_token":true)");
  const auto creds = parse_creds("-----BEGIN NATS USER JWT-----\n" + jwt + "\n------END NATS USER JWT------\n");
  ASSERT_TRUE(creds) << creds.error().message();
  EXPECT_FALSE(creds->key);
  EXPECT_TRUE(creds->seed_matches());
}

TEST(Creds, refuses_broken_files_without_showing_the_seed) {
  const std::string jwt(fixtures::kToken);
  const std::string seed(fixtures::kUserSeed);
  const std::string jwt_block = "-----BEGIN NATS USER JWT-----\n" + jwt + "\n------END NATS USER JWT------\n";
  const std::string seed_block = "-----BEGIN USER NKEY SEED-----\n" + seed + "\n------END USER NKEY SEED------\n";
  const std::pair<std::string, Errc> rows[] = {
      {"", Errc::creds_malformed},
      {"hello", Errc::creds_malformed},
      {seed_block, Errc::creds_malformed},
      {jwt_block, Errc::creds_malformed},
      {jwt_block + jwt_block + seed_block, Errc::creds_malformed},
      {jwt_block + seed_block + seed_block, Errc::creds_malformed},
      {jwt_block + "-----BEGIN USER NKEY SEED-----\n" + seed + "\n", Errc::creds_malformed},
      {jwt_block + "-----BEGIN USER NKEY SEED-----\n------END USER NKEY SEED------\n", Errc::creds_malformed},
      {jwt_block + "-----BEGIN USER NKEY SEED-----\n" + seed + "\n" + seed + "\n------END USER NKEY SEED------\n",
       Errc::creds_malformed},
      {creds_text(jwt, seed.substr(0, 50)), Errc::nkey_malformed},
      {creds_text(jwt, fixtures::kUserPublic), Errc::nkey_seed_expected},
      {creds_text(jwt, fixtures::kAccountSeed), Errc::nkey_wrong_kind},
      {creds_text(jwt.substr(0, 60), seed), Errc::jwt_malformed},
      {std::string((1U << 20U) + 1, 'x'), Errc::limit_exceeded},
  };
  for (const auto& [text, code] : rows) {
    const auto creds = parse_creds(text);
    ASSERT_FALSE(creds) << text.substr(0, 80);
    EXPECT_EQ(creds.error().code, code) << creds.error().message();
    EXPECT_EQ(creds.error().message().find(seed.substr(4, 16)), std::string::npos);
  }
}

TEST(Creds, refuses_a_bare_seed_of_another_kind_than_a_users) {
  EXPECT_EQ(parse_credential_text(fixtures::kAccountSeed).error().code, Errc::nkey_wrong_kind);
  EXPECT_EQ(parse_credential_text(fixtures::kUserPublic).error().code, Errc::nkey_seed_expected);
  EXPECT_EQ(parse_credential_text("").error().code, Errc::nkey_malformed);
}

TEST(Credential, proves_each_kind_with_the_fields_that_nats_server_wants) {
  const auto user = Credential(Credential::User{.name = "kate", .password = Secret("pw")}).prove("nonce").value();
  EXPECT_EQ(user.user, "kate");
  EXPECT_EQ(user.password.reveal(), "pw");
  EXPECT_TRUE(user.signature.empty());

  const auto token = Credential(Credential::Token{.text = Secret("t0ken")}).prove("nonce").value();
  EXPECT_EQ(token.auth_token.reveal(), "t0ken");
  EXPECT_TRUE(token.user.empty());

  const KeyPair key = KeyPair::from_seed(fixtures::kUserSeed).value();
  const auto nkey = Credential(KeyPair::from_seed(fixtures::kUserSeed).value()).prove("PXoWU7zWAMt75FY").value();
  EXPECT_EQ(nkey.nkey, fixtures::kUserPublic);
  EXPECT_EQ(nkey.signature, key.sign_nonce("PXoWU7zWAMt75FY").value());
  EXPECT_TRUE(nkey.jwt.empty());

  const auto creds = Credential(parse_creds(creds_text(fixtures::kToken, fixtures::kUserSeed)).value())
                         .prove("PXoWU7zWAMt75FY")
                         .value();
  EXPECT_EQ(creds.jwt.reveal(), fixtures::kToken);
  EXPECT_EQ(creds.signature, nkey.signature);
  EXPECT_TRUE(creds.nkey.empty());

  const auto none = Credential().prove("nonce").value();
  EXPECT_TRUE(none.user.empty() && none.jwt.empty() && none.nkey.empty() && none.signature.empty());
}

TEST(Credential, signs_nothing_without_a_nonce) {
  const auto proof = Credential(KeyPair::from_seed(fixtures::kUserSeed).value()).prove("").value();
  EXPECT_EQ(proof.nkey, fixtures::kUserPublic);
  EXPECT_TRUE(proof.signature.empty());
}

TEST(Credential, prints_whom_it_stands_for_and_no_secret) {
  EXPECT_EQ(Credential().printable(), "none");
  EXPECT_EQ(Credential(Credential::User{.name = "kate", .password = Secret("canary")}).printable(), "user kate");
  EXPECT_EQ(Credential(Credential::Token{.text = Secret("canary")}).printable(), "token");
  EXPECT_EQ(Credential(KeyPair::from_seed(fixtures::kUserSeed).value()).printable(),
            "nkey " + std::string(fixtures::kUserPublic));
  EXPECT_EQ(Credential(parse_creds(creds_text(fixtures::kToken, fixtures::kUserSeed)).value()).printable(),
            "creds of agent-kate (" + std::string(fixtures::kUserPublic) + ")");
}

}  // namespace
}  // namespace hawser::identity
