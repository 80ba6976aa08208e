// Every type of claims, written and read again.
#include <gtest/gtest.h>

#include "identity/claim_fixtures.hpp"

namespace hawser::identity {
namespace {

using namespace fixtures;
using std::chrono::seconds;

UserLimits full_limits() {
  UserLimits limits;
  limits.permissions.publish = {.allow = {"orders.>"}, .deny = {"orders.secret"}};
  limits.permissions.subscribe = {.allow = {"jobs.* workers"}, .deny = {"x"}};
  limits.permissions.responses = ResponseRule{.max = 5, .expires = seconds(2)};
  limits.sources = {"10.0.0.0/8"};
  limits.times = {{.start = "08:00:00", .end = "18:00:00"}};
  limits.times_location = "Europe/Berlin";
  limits.subscriptions = 7;
  limits.data = 8;
  limits.payload = 9;
  limits.bearer = true;
  limits.allowed_connection_types = {"STANDARD"};
  return limits;
}

// What comes back of claims that were signed, with what encode() sets.
template <class T>
T as_read(T claims, const KeyPair& signer, const T& read) {
  claims.issuer = text(signer);
  claims.issued_at = kNow;
  claims.id = read.id;
  return claims;
}

TEST(TokenTypes, reads_a_user_with_every_member_as_it_was_written) {
  UserClaims user = a_user();
  static_cast<UserLimits&>(user) = full_limits();
  user.issuer_account = text(account_key());
  user.audience = "nats";
  user.not_before = kEarlier;
  user.expires = kLater;
  user.tags = {"team:blue"};
  user.unknown = R"({"proxy_required":true})";
  user.unknown_beside = R"({"scope":["a"]})";
  const Result<UserClaims> read = decode_user_jwt(encode(user, account_key(2), kNow).value());
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, as_read(user, account_key(2), *read));
  EXPECT_EQ(read->id.size(), 52U);
}

TEST(TokenTypes, reads_an_account_with_every_member_as_it_was_written) {
  AccountClaims account = an_account_with_scope(full_limits());
  account.signing_keys[1].description = "for workers";
  account.signing_keys[1].unknown = R"({"note":"kept"})";
  account.signing_keys[1].unknown_limits = R"({"proxy_required":true})";
  account.imports = {an_import("a"), an_import("b")};
  account.imports[0].token = encode(an_activation("a"), account_key(4), kNow).value();
  account.imports[0].share = true;
  account.imports[1].local_subject = "here";
  account.imports[1].unknown = R"({"allow_trace":true})";
  account.exports = {an_export("c.*"), an_export("d", ShareKind::stream)};
  account.exports[0].response = ResponseKind::chunked;
  account.exports[0].response_named = true;
  account.exports[0].response_threshold = seconds(3);
  account.exports[0].latency = ServiceLatency{.sampling = 0, .results = "latency"};
  account.exports[0].account_token_position = 2;
  account.exports[1].token_required = true;
  account.exports[1].revocations = {{text(account_key(5)), kEarlier}};
  account.exports[1].advertise = true;
  account.exports[1].description = "d";
  account.exports[1].info_url = "https://example.com";
  account.limits.connections = 3;
  account.limits.disallow_bearer = true;
  account.limits.unknown = R"({"mem_storage":-1})";
  account.revocations = {{"*", kEarlier}};
  account.default_permissions.publish.deny = {"secret"};
  account.mappings["from"] = {{.subject = "to", .weight = 30, .cluster = "c"}, {.subject = "from"}};
  account.description = "an account";
  account.info_url = "https://example.com/a";
  account.unknown = R"({"trace":{"dest":"t"}})";
  const Result<AccountClaims> read = decode_account(encode(account, operator_key(), kNow).value());
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, as_read(account, operator_key(), *read));
}

TEST(TokenTypes, reads_an_operator_of_version_1_that_left_its_empty_body_out) {
  const KeyPair op = operator_key();
  const std::string payload = encode_base64url(as_bytes(R"({"iat":1553840337,"iss":")" + text(op) + R"(","name":"ops","sub":")" +
                                                        text(op) + R"(","type":"operator"})"));
  const std::string head = encode_base64url(as_bytes(R"({"typ":"jwt","alg":"ed25519"})"));
  const auto read = decode_operator(head + '.' + payload + '.' + encode_base64url(op.sign(payload).value()));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->name, "ops");
  EXPECT_EQ(read->version, 1);
  const std::string typeless = token(kHeader, R"({"iss":")" + text(op) + R"(","sub":")" + text(op) + R"("})", op);
  EXPECT_EQ(decode(typeless).error().code, Errc::jwt_malformed);
}

TEST(TokenTypes, reads_an_operator_and_an_activation_and_generic_claims_as_they_were_written) {
  OperatorClaims op = an_operator();
  op.signing_keys = {text(operator_key(2))};
  op.account_server_url = "https://example.com/jwt/v1";
  op.service_urls = {"tls://a.example.com:4222"};
  op.system_account = text(account_key(9));
  op.assert_server_version = "2.9.10";
  op.strict_signing_keys = true;
  const auto read_op = decode_operator(encode(op, operator_key(), kNow).value());
  ASSERT_TRUE(read_op) << read_op.error().message();
  EXPECT_EQ(*read_op, as_read(op, operator_key(), *read_op));

  ActivationClaims activation = an_activation();
  activation.issuer_account = text(account_key(4));
  const auto read_activation = decode_activation(encode(activation, account_key(5), kNow).value());
  ASSERT_TRUE(read_activation) << read_activation.error().message();
  EXPECT_EQ(*read_activation, as_read(activation, account_key(5), *read_activation));

  GenericClaims generic;
  generic.subject = "anything";
  generic.unknown = R"({"accounts":["A"]})";
  const auto read_generic = decode_generic(encode(generic, user_key(), kNow).value());
  ASSERT_TRUE(read_generic) << read_generic.error().message();
  EXPECT_EQ(*read_generic, as_read(generic, user_key(), *read_generic));
  EXPECT_EQ(type_name(*read_generic), "generic");
}

TEST(TokenTypes, writes_limits_of_a_user_unless_it_is_a_scoped_one) {
  const std::string plain = payload_json(encode(a_user(), account_key(), kNow).value(), false).value();
  EXPECT_NE(plain.find(R"("pub":{},"sub":{},"subs":-1,"data":-1,"payload":-1,"type":"user","version":2)"),
            std::string::npos)
      << plain;
  const std::string scoped = payload_json(encode(a_scoped_user(), account_key(3), kNow).value(), false).value();
  EXPECT_EQ(scoped.find("subs"), std::string::npos) << scoped;
  EXPECT_EQ(decode_user_jwt(encode(a_scoped_user(), account_key(3), kNow).value())->subscriptions, 0);
}

TEST(TokenTypes, keeps_a_limit_of_nothing_in_a_scope) {
  UserLimits scope;
  scope.payload = 0;
  const auto read = decode_account(encode(an_account_with_scope(scope), operator_key(), kNow).value());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->signing_keys[1].limits.payload, 0);
  EXPECT_EQ(read->signing_keys[1].limits.subscriptions, kNoLimit);
}

TEST(TokenTypes, takes_absent_limits_for_nothing_as_servers_do) {
  const std::string ids = R"({"iss":")" + text(operator_key()) + R"(","sub":")" + text(account_key()) + '"';
  const auto account =
      decode_account(token(kHeader, ids + R"(,"nats":{"type":"account","version":2}})", operator_key()));
  ASSERT_TRUE(account) << account.error().message();
  EXPECT_EQ(account->limits.connections, 0);
  EXPECT_FALSE(account->limits.wildcard_exports);
  EXPECT_EQ(decode_user_jwt(user_token(account_key(), text(user_key())))->payload, 0);
}

TEST(TokenTypes, sorts_exports_and_imports_by_subject) {
  AccountClaims account = an_account();
  account.exports = {an_export("b"), an_export("a")};
  const auto read = decode_account(encode(account, operator_key(), kNow).value());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->exports[0].subject, "a");
}

TEST(TokenTypes, refuses_to_sign_for_the_wrong_kinds_of_keys) {
  OperatorClaims about_an_account = an_operator();
  about_an_account.subject = text(account_key());
  const std::pair<Claims, KeyKind> rows[] = {
      {an_operator(), KeyKind::account},         {an_account(), KeyKind::user},
      {a_user(), KeyKind::operator_key},         {a_user(), KeyKind::user},
      {an_activation(), KeyKind::user},          {an_account(), KeyKind::server},
      {about_an_account, KeyKind::operator_key}, {GenericClaims(), KeyKind::operator_key},
  };
  for (const auto& [claims, kind] : rows) {
    const auto written = encode(claims, key(kind, 1), kNow);
    ASSERT_FALSE(written) << type_name(claims);
    EXPECT_EQ(written.error().code, Errc::jwt_subject_wrong) << type_name(claims);
  }
}

TEST(TokenTypes, refuses_to_sign_what_it_could_not_read) {
  UserClaims not_utf8 = a_user();
  not_utf8.name = "\xC0\xAF";
  EXPECT_EQ(encode(not_utf8, account_key(), kNow).error().code, Errc::jwt_malformed);
  UserClaims long_name = a_user();
  long_name.name = std::string(5000, 'a');
  EXPECT_EQ(encode(long_name, account_key(), kNow).error().code, Errc::jwt_malformed);
  UserClaims no_object = a_user();
  no_object.unknown = "[]";
  EXPECT_EQ(encode(no_object, account_key(), kNow).error().code, Errc::jwt_malformed);
  AccountClaims huge = an_account();
  huge.exports.resize(300, an_export(std::string(4000, 's')));
  EXPECT_EQ(encode(huge, operator_key(), kNow).error().code, Errc::limit_exceeded);
}

TEST(TokenTypes, refuses_generic_claims_that_would_be_read_as_a_user) {
  GenericClaims disguised;
  disguised.subject = text(user_key());
  disguised.type = "user";
  EXPECT_EQ(encode(disguised, account_key(), kNow).error().code, Errc::jwt_malformed);
  disguised.type.clear();
  disguised.unknown = R"({"type":"user"})";
  EXPECT_EQ(encode(disguised, account_key(), kNow).error().code, Errc::jwt_malformed);
}

TEST(TokenTypes, finds_the_token_in_a_file_with_or_without_a_frame) {
  for (const std::string_view text :
       {"a.b.c", "\n a.b.c \r\n\n", "-----BEGIN NATS OPERATOR JWT-----\na.b.c\n------END NATS OPERATOR JWT------\n\n",
        "-----BEGIN NATS USER JWT-----\na.b.c\n------END NATS USER JWT------\n\nSEED\n"}) {
    const auto token = token_of_file(text);
    ASSERT_TRUE(token) << text;
    EXPECT_EQ(*token, "a.b.c");
  }
  for (const std::string_view text :
       {"", "\n\n", "a.b.c\nd.e.f\n", "-----BEGIN NATS OPERATOR JWT-----\n------END NATS OPERATOR JWT------\n"}) {
    EXPECT_FALSE(token_of_file(text)) << text;
  }
}

TEST(TokenTypes, shows_a_payload_for_people) {
  const std::string token =
      user_token(account_key(), text(user_key()), R"(,"name":"k\"ate")", R"(,"tags":[],"pub":{}})");
  EXPECT_FALSE(payload_json(token, true));  // a brace too many: not JSON
  const auto shown = payload_json(
      user_token(account_key(), text(user_key()), R"(,"name":"k\"ate")", R"(,"tags":["a","b"],"pub":{})"), true);
  ASSERT_TRUE(shown) << shown.error().message();
  EXPECT_NE(shown->find("\n  \"name\": \"k\\\"ate\",\n  \"nats\": {\n    \"type\": \"user\",\n    \"version\": 2,\n"
                        "    \"tags\": [\n      \"a\",\n      \"b\"\n    ],\n    \"pub\": {}\n  }\n}"),
            std::string::npos)
      << *shown;
}

}  // namespace
}  // namespace hawser::identity
