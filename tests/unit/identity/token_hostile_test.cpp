// Tokens that are well signed and should still be refused.
#include <gtest/gtest.h>

#include "identity/claim_fixtures.hpp"

namespace hawser::identity {
namespace {

using namespace fixtures;

struct Row {
  std::string_view why;
  std::string type;
  std::string members;  // of `nats`
  Errc code = Errc::jwt_malformed;
};

std::string payload_of(const std::string& type, const std::string& members) {
  const KeyPair about = type == "user" ? user_key() : type == "operator" ? operator_key() : account_key();
  return R"({"iss":")" + text(type == "user" ? account_key() : operator_key()) + R"(","sub":")" + text(about) +
         R"(","nats":{"type":")" + type + R"(","version":2)" + (members.empty() ? "" : "," + members) + "}}";
}

Result<Claims> read(const std::string& type, const std::string& members) {
  return decode(token(kHeader, payload_of(type, members), type == "user" ? account_key() : operator_key()));
}

TEST(HostileToken, reads_each_type_of_claims_when_nothing_is_wrong) {
  for (const char* type : {"operator", "account", "user", "activation", "whatever"}) {
    const auto claims = read(type, "");
    ASSERT_TRUE(claims) << claims.error().message();
    EXPECT_EQ(type_name(*claims), type);
  }
}

TEST(HostileToken, refuses_members_of_a_wrong_type_size_or_number) {
  const std::string scope = R"("signing_keys":[{"kind":"user_scope","key":"A","role":"r","template":)";
  const Row rows[] = {
      {"subs as text", "user", R"("subs":"1")"},
      {"subs as a fraction", "user", R"("subs":1.5)"},
      {"subs over 64 bits", "user", R"("subs":18446744073709551615)"},
      {"pub as an array", "user", R"("pub":[])"},
      {"allow with a number", "user", R"("pub":{"allow":[1]})"},
      {"times as an object", "user", R"("times":{})"},
      {"times of text", "user", R"("times":["08:00:00"])"},
      {"resp with text", "user", R"("resp":{"max":"1"})"},
      {"a long subject", "user", R"("pub":{"allow":[")" + std::string(5000, 'a') + R"("]})"},
      {"tags as text", "user", R"("tags":"a")"},
      {"an unknown cluster type", "cluster", "", Errc::jwt_unsupported},
      {"limits as an array", "account", R"("limits":[])"},
      {"an export that is null", "account", R"("exports":[null])"},
      {"an export of another type", "account", R"("exports":[{"subject":"a","type":"queue"}])"},
      {"an unknown response type", "account", R"("exports":[{"subject":"a","type":"service","response_type":"Many"}])"},
      {"an unknown sampling", "account", R"("exports":[{"service_latency":{"sampling":"always"}}])"},
      {"a position below zero", "account", R"("exports":[{"account_token_position":-1}])"},
      {"a revocation as text", "account", R"("revocations":{"*":"now"})"},
      {"a negative revocation", "account", R"("revocations":{"*":-1})"},
      {"a weight over a byte", "account", R"("mappings":{"a":[{"subject":"b","weight":256}]})"},
      {"a mapping to text", "account", R"("mappings":{"a":"b"})"},
      {"a signing key as a number", "account", R"("signing_keys":[1])"},
      {"a scope of an unknown kind", "account", R"("signing_keys":[{"kind":"account_scope","key":"A"}])"},
      {"a key with a scope and without", "account", scope + R"({}},"A"])"},
      {"a template as text", "account", scope + R"("x"}])"},
      {"a strange kind", "activation", R"("kind":"both")"},
      {"issuer_account no key", "activation", R"("issuer_account":"AAAA")"},
      {"signing keys of an operator as objects", "operator", R"("signing_keys":[{}])"},
      {"strict as text", "operator", R"("strict_signing_key_usage":"yes")"},
  };
  for (const Row& row : rows) {
    const auto claims = read(row.type, row.members);
    ASSERT_FALSE(claims) << row.why;
    EXPECT_EQ(claims.error().code, row.code) << row.why << ": " << claims.error().message();
  }
}

TEST(HostileToken, names_the_member_that_is_wrong) {
  const auto claims = read("account", R"("exports":[{"subject":"a"},{"subject":7}])");
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().doing, "reading a JWT: `nats.exports[1].subject` is not a string");
}

TEST(HostileToken, refuses_two_members_of_one_name_at_any_depth) {
  for (const char* members :
       {R"("subs":1,"subs":2)", R"("pub":{"allow":["a"],"allow":["b"]})", R"("other":{"x":{"a":1,"a":2}})",
        R"("other":[{"a":1,"a":1}])", R"("subs":1,"sub\u0073":2)"}) {
    const auto claims = read("user", members);
    ASSERT_FALSE(claims) << members;
    EXPECT_EQ(claims.error().code, Errc::jwt_malformed) << members;
  }
  EXPECT_TRUE(read("user", R"("pub":{"allow":["a"]},"sub":{"allow":["a"]})"));  // of two objects it is no repetition
}

TEST(HostileToken, refuses_members_that_differ_from_known_ones_in_case_only) {
  for (const char* members : {R"("Subs":1)", R"("PUB":{})", R"("pub":{"Allow":[]})", R"("VERSION":1)"}) {
    EXPECT_FALSE(read("user", members)) << members;
  }
  EXPECT_TRUE(read("user", R"("sup":1)"));
  EXPECT_TRUE(read("account", R"("mappings":{"orders":[],"ORDERS":[]})"));  // names of no member, but subjects
}

TEST(HostileToken, refuses_claims_issued_by_a_kind_of_key_that_cannot) {
  const std::pair<const char*, KeyKind> rows[] = {
      {"operator", KeyKind::account}, {"operator", KeyKind::user},     {"account", KeyKind::user},
      {"account", KeyKind::server},   {"user", KeyKind::operator_key}, {"user", KeyKind::user},
      {"activation", KeyKind::user},  {"other", KeyKind::cluster},
  };
  for (const auto& [type, kind] : rows) {
    const KeyPair issuer = key(kind, 1);
    const std::string about = text(std::string_view(type) == "user"       ? user_key()
                                   : std::string_view(type) == "operator" ? operator_key()
                                                                          : account_key());
    const std::string payload =
        R"({"iss":")" + text(issuer) + R"(","sub":")" + about + R"(","nats":{"type":")" + type + R"(","version":2}})";
    const auto claims = decode(token(kHeader, payload, issuer));
    ASSERT_FALSE(claims) << type << " by " << to_string(kind);
    EXPECT_EQ(claims.error().code, Errc::jwt_malformed);
  }
}

TEST(HostileToken, refuses_depth_that_nobody_needs) {
  const std::string deep = std::string(20, '[') + std::string(20, ']');
  EXPECT_EQ(read("user", R"("other":)" + deep).error().code, Errc::jwt_malformed);
  EXPECT_TRUE(read("user", R"("other":)" + std::string(10, '[') + std::string(10, ']')));
}

TEST(HostileToken, refuses_every_token_with_one_changed_character) {
  const std::string good = encode(a_user(), account_key(), kNow).value();
  ASSERT_TRUE(decode(good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(decode(changed)) << i;
    EXPECT_FALSE(decode(std::string_view(good).substr(0, i))) << i;
  }
}

TEST(HostileToken, refuses_base64_that_is_not_canonical) {
  const std::string good = encode(a_user(), account_key(), kNow).value();
  const std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  // 64 bytes leave four bits of the last character unused: one of its neighbours decodes to the same bytes elsewhere.
  std::string other = good;
  other.back() = alphabet[alphabet.find(good.back()) ^ 1U];
  EXPECT_EQ(decode(other).error().code, Errc::jwt_malformed);
  EXPECT_EQ(decode(good + "==").error().code, Errc::jwt_malformed);
  EXPECT_EQ(decode(good + "\n").error().code, Errc::jwt_malformed);
}

TEST(HostileToken, says_which_type_was_expected) {
  const auto claims = decode_user_jwt(encode(an_account(), operator_key(), kNow).value());
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().code, Errc::jwt_wrong_type);
  EXPECT_FALSE(decode_account(encode(a_user(), account_key(), kNow).value()));
  EXPECT_FALSE(decode_activation(encode(an_operator(), operator_key(), kNow).value()));
}

TEST(HostileToken, knows_the_version_by_where_the_type_stands) {
  const std::string ids = R"({"iss":")" + text(account_key()) + R"(","sub":")" + text(user_key()) + R"(",)";
  const auto first_version = [&](const std::string& payload) {
    const std::string part = encode_base64url(as_bytes(payload));
    return encode_base64url(as_bytes(R"({"typ":"jwt","alg":"ed25519"})")) + '.' + part + '.' +
           encode_base64url(account_key().sign(part).value());
  };
  const auto first =
      decode_user_jwt(first_version(ids + R"("type":"user","tags":["a"],"issuer_account":")" + text(account_key(2)) +
                                    R"(","nats":{"src":"10.0.0.0/8, 192.0.2.0/24","max":5}})"));
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_EQ(first->version, 1);
  EXPECT_EQ(first->subscriptions, kNoLimit);  // of the first version, what is absent is no limit
  EXPECT_EQ(first->sources, (std::vector<std::string>{"10.0.0.0/8", "192.0.2.0/24"}));
  EXPECT_EQ(first->issuer_account, text(account_key(2)));
  EXPECT_EQ(first->tags, std::vector<std::string>{"a"});
  EXPECT_EQ(first->unknown, "");
  EXPECT_EQ(decode(first_version(ids + R"("nats":{"type":"user","version":2}})")).error().code,
            Errc::jwt_signature_invalid);
  EXPECT_EQ(decode(first_version(ids + R"("nats":{"type":"user"}})")).error().code, Errc::jwt_unsupported);
}

}  // namespace
}  // namespace hawser::identity
