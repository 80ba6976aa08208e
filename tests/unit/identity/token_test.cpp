#include "identity/token.hpp"

#include <gtest/gtest.h>

#include "identity/fixtures.hpp"

namespace hawser::identity {
namespace {

using fixtures::key;
using fixtures::token;
using fixtures::user_token;
using std::chrono::seconds;
using std::chrono::sys_seconds;

TEST(UserJwt, reads_the_claims_of_a_token_that_another_implementation_made) {
  const Result<UserClaims> claims = decode_user_jwt(fixtures::kToken);
  ASSERT_TRUE(claims) << claims.error().message();
  EXPECT_EQ(claims->subject, fixtures::kUserPublic);
  EXPECT_EQ(claims->name, "agent-kate");
  EXPECT_EQ(claims->issuer, key(KeyKind::account, 2).public_key().text());
  EXPECT_EQ(claims->issuer_account, key(KeyKind::account, 1).public_key().text());
  EXPECT_EQ(claims->issued_at, sys_seconds(seconds(1700000000)));
  EXPECT_EQ(claims->not_before, sys_seconds(seconds(1700000000)));
  EXPECT_EQ(claims->expires, sys_seconds(seconds(4102444800)));
  EXPECT_EQ(claims->version, 2);
  EXPECT_FALSE(claims->bearer);
}

TEST(UserJwt, reads_a_token_of_the_first_version) {
  const Result<UserClaims> claims = decode_user_jwt(fixtures::kTokenVersion1);
  ASSERT_TRUE(claims) << claims.error().message();
  EXPECT_EQ(claims->name, "old");
  EXPECT_EQ(claims->version, 1);
  EXPECT_EQ(claims->expires, std::nullopt);
}

TEST(UserJwt, reads_bearer_and_connection_types) {
  const KeyPair account = key(KeyKind::account, 1);
  const auto claims = decode_user_jwt(user_token(
      account, fixtures::kUserPublic, "", R"(,"bearer_token":true,"allowed_connection_types":["STANDARD","MQTT"])"));
  ASSERT_TRUE(claims) << claims.error().message();
  EXPECT_TRUE(claims->bearer);
  EXPECT_EQ(claims->allowed_connection_types, (std::vector<std::string>{"STANDARD", "MQTT"}));
}

TEST(UserJwt, takes_an_expiry_of_zero_for_none_and_a_huge_one_for_a_late_one) {
  const KeyPair account = key(KeyKind::account, 1);
  EXPECT_EQ(decode_user_jwt(user_token(account, fixtures::kUserPublic, R"(,"exp":0)"))->expires, std::nullopt);
  const auto late = decode_user_jwt(user_token(account, fixtures::kUserPublic, R"(,"exp":9223372036854775807)"));
  ASSERT_TRUE(late);
  EXPECT_GT(late->expires, sys_seconds(seconds(8'000'000'000)));
  EXPECT_LT(late->expires, sys_seconds(seconds(9'223'372'036)));  // so that nanoseconds do not overflow
}

TEST(UserJwt, refuses_a_token_that_was_changed_after_it_was_signed) {
  const KeyPair account = key(KeyKind::account, 1);
  const std::string good = user_token(account, fixtures::kUserPublic, R"(,"name":"kate")");
  const std::string other = user_token(account, fixtures::kUserPublic, R"(,"name":"root")");
  ASSERT_TRUE(decode_user_jwt(good));
  const std::string swapped = other.substr(0, other.rfind('.')) + good.substr(good.rfind('.'));
  const auto claims = decode_user_jwt(swapped);
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().code, Errc::jwt_signature_invalid);
}

TEST(UserJwt, refuses_a_version_2_token_signed_as_version_1) {
  const KeyPair account = key(KeyKind::account, 1);
  const std::string good = user_token(account, fixtures::kUserPublic);
  const std::size_t dot = good.find('.');
  const std::string payload = good.substr(dot + 1, good.rfind('.') - dot - 1);
  const std::string forged = good.substr(0, good.rfind('.') + 1) + encode_base64url(account.sign(payload).value());
  EXPECT_EQ(decode_user_jwt(forged).error().code, Errc::jwt_signature_invalid);
}

TEST(UserJwt, refuses_a_token_signed_by_another_key_than_its_issuer) {
  const KeyPair account = key(KeyKind::account, 1);
  const std::string good = user_token(account, fixtures::kUserPublic);
  const std::string text = good.substr(0, good.rfind('.'));
  const std::string forged = text + '.' + encode_base64url(key(KeyKind::account, 3).sign(text).value());
  EXPECT_EQ(decode_user_jwt(forged).error().code, Errc::jwt_signature_invalid);
}

struct Hostile {
  std::string_view why, header, payload;
  Errc code;
};

TEST(UserJwt, refuses_what_is_not_a_user_token_and_says_why) {
  const KeyPair account = key(KeyKind::account, 1);
  const std::string iss = account.public_key().text();
  const std::string sub(fixtures::kUserPublic);
  const std::string ids = R"("iss":")" + iss + R"(","sub":")" + sub + '"';
  const std::string user = "{" + ids + R"(,"nats":{"type":"user","version":2}})";
  const std::string account_type =
      R"({"iss":")" + iss + R"(","sub":")" + iss + R"(","nats":{"type":"account","version":2}})";
  const std::string no_nats = "{" + ids + "}";
  const std::string version_3 = "{" + ids + R"(,"nats":{"type":"user","version":3}})";
  const std::string version_text = "{" + ids + R"(,"nats":{"type":"user","version":"2"}})";
  const std::string exp_text = "{" + ids + R"(,"exp":"never","nats":{"type":"user","version":2}})";
  const std::string exp_negative = "{" + ids + R"(,"exp":-5,"nats":{"type":"user","version":2}})";
  const std::string bearer_text = "{" + ids + R"(,"nats":{"type":"user","version":2,"bearer_token":"yes"}})";
  const std::string user_issuer =
      R"({"iss":")" + sub + R"(","sub":")" + sub + R"(","nats":{"type":"user","version":2}})";
  const std::string account_subject =
      R"({"iss":")" + iss + R"(","sub":")" + iss + R"(","nats":{"type":"user","version":2}})";
  const std::string bad_issuer_account = "{" + ids + R"(,"nats":{"type":"user","version":2,"issuer_account":"ABC"}})";
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  const std::string_view good = fixtures::kHeader;
  const Hostile rows[] = {
      {"no algorithm", R"({"typ":"JWT"})", user, Errc::jwt_unsupported},
      {"algorithm none", R"({"typ":"JWT","alg":"none"})", user, Errc::jwt_unsupported},
      {"algorithm RS256", R"({"typ":"JWT","alg":"RS256"})", user, Errc::jwt_unsupported},
      {"algorithm as a number", R"({"typ":"JWT","alg":5})", user, Errc::jwt_malformed},
      {"another type", R"({"typ":"JWE","alg":"ed25519-nkey"})", user, Errc::jwt_unsupported},
      {"header not JSON", "x", user, Errc::jwt_malformed},
      {"header an array", "[]", user, Errc::jwt_malformed},
      {"payload not JSON", good, "}", Errc::jwt_malformed},
      {"payload nested too deep", good, deep, Errc::jwt_malformed},
      {"payload empty", good, "", Errc::jwt_malformed},
      {"an account's", good, account_type, Errc::jwt_wrong_type},
      {"no nats member", good, no_nats, Errc::jwt_malformed},
      {"a newer version", good, version_3, Errc::jwt_unsupported},
      {"a version as text", good, version_text, Errc::jwt_unsupported},
      {"an expiry as text", good, exp_text, Errc::jwt_malformed},
      {"a negative expiry", good, exp_negative, Errc::jwt_malformed},
      {"bearer as text", good, bearer_text, Errc::jwt_malformed},
      {"issued by a user", good, user_issuer, Errc::jwt_malformed},
      {"about an account", good, account_subject, Errc::jwt_malformed},
      {"issuer account no key", good, bad_issuer_account, Errc::jwt_malformed},
  };
  for (const Hostile& row : rows) {
    const auto claims = decode_user_jwt(token(row.header, row.payload, account));
    ASSERT_FALSE(claims) << row.why;
    EXPECT_EQ(claims.error().code, row.code) << row.why << ": " << claims.error().message();
  }
}

TEST(UserJwt, refuses_a_token_of_the_wrong_shape) {
  const std::string good(fixtures::kToken);
  for (const std::string& text : {std::string(), std::string("."), std::string(".."), std::string("a.b"), good + ".x",
                                  good.substr(1), good + "=", good.substr(0, good.size() - 1), " " + good}) {
    EXPECT_FALSE(decode_user_jwt(text)) << text.substr(0, 20);
  }
}

TEST(UserJwt, refuses_a_token_over_a_mebibyte) {
  EXPECT_EQ(decode_user_jwt(std::string((1U << 20U) + 1, 'a')).error().code, Errc::limit_exceeded);
}

}  // namespace
}  // namespace hawser::identity
