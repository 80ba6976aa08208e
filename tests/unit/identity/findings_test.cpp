#include "identity/findings.hpp"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>

#include "identity/claim_fixtures.hpp"

namespace hawser::identity {
namespace {

using namespace fixtures;
using Severity = ClaimFinding::Severity;
using std::chrono::seconds;

// The members that something is wrong with, as "error limits", in their order.
std::string found(const Claims& claims) {
  std::string all;
  for (const ClaimFinding& finding : findings(claims, kNow)) {
    EXPECT_FALSE(finding.message.empty());
    all += all.empty() ? "" : "; ";
    all += finding.severity == Severity::error    ? "error "
           : finding.severity == Severity::expiry ? "expiry "
                                                  : "warning ";
    all += finding.member;
  }
  return all;
}

template <class T>
struct Row {
  std::string_view why;
  std::function<void(T&)> change;
  std::string_view expected;
};

template <class T, std::size_t N>
void expect_findings(const Row<T> (&rows)[N], const T& good) {
  EXPECT_EQ(found(good), "");
  for (const Row<T>& row : rows) {
    T claims = good;
    row.change(claims);
    EXPECT_EQ(found(claims), row.expected) << row.why;
  }
}

TEST(Findings, tell_when_claims_begin_and_end) {
  const Row<UserClaims> rows[] = {
      {"expired", [](auto& c) { c.expires = kEarlier; }, "expiry exp"},
      {"expires now", [](auto& c) { c.expires = kNow; }, "expiry exp"},
      {"a second left", [](auto& c) { c.expires = kNow + seconds(1); }, ""},
      {"not yet", [](auto& c) { c.not_before = kLater; }, "expiry nbf"},
      {"from now on", [](auto& c) { c.not_before = kNow; }, ""},
  };
  expect_findings(rows, a_user());
  UserClaims expired = a_user();
  expired.expires = kEarlier;
  EXPECT_FALSE(acceptable(findings(expired, kNow)));
}

TEST(Findings, of_users_are_subjects_addresses_times_and_keys) {
  const Row<UserClaims> rows[] = {
      {"a queue group", [](auto& c) { c.permissions.subscribe.allow = {"jobs.* workers"}; }, ""},
      {"a queue group to publish", [](auto& c) { c.permissions.publish.allow = {"a b"}; }, "error pub.allow[0]"},
      {"an empty subject", [](auto& c) { c.permissions.publish.deny = {"a", ""}; }, "error pub.deny[1]"},
      {"three words", [](auto& c) { c.permissions.subscribe.deny = {"a b c"}; }, "error sub.deny[0]"},
      {"an empty group", [](auto& c) { c.permissions.subscribe.allow = {"a "}; }, "error sub.allow[0]"},
      {"an empty token", [](auto& c) { c.permissions.subscribe.allow = {"a..b"}; }, "warning sub.allow[0]"},
      {"blocks", [](auto& c) { c.sources = {"192.0.2.0/24", "::1/128", "0.0.0.0/0"}; }, ""},
      {"no length", [](auto& c) { c.sources = {"192.0.2.1"}; }, "error src[0]"},
      {"lengths over the address", [](auto& c) { c.sources = {"192.0.2.1/33", "::/129", "1.2.3.4/+1"}; },
       "error src[0]; error src[1]; error src[2]"},
      {"no address", [](auto& c) { c.sources = {"example.com/8", "/8", "1.2.3/8"}; },
       "error src[0]; error src[1]; error src[2]"},
      {"times", [](auto& c) { c.times = {{"00:00:00", "23:59:59"}}; }, ""},
      {"no times", [](auto& c) { c.times = {{"24:00:00", "1:00:00"}, {"", "10:60:00"}}; },
       "error times[0].start; error times[0].end; error times[1].start; error times[1].end"},
      {"a zone", [](auto& c) { c.times_location = "America/Argentina/Buenos_Aires"; }, ""},
      {"a path for a zone", [](auto& c) { c.times_location = "../../etc/passwd"; }, "error times_location"},
      {"an unknown connection", [](auto& c) { c.allowed_connection_types = {"standard", "PIGEON"}; },
       "warning allowed_connection_types[1]"},
      {"issuer_account no key", [](auto& c) { c.issuer_account = "nobody"; }, "error issuer_account"},
  };
  expect_findings(rows, a_user());
}

TEST(Findings, of_operators_are_urls_keys_and_versions) {
  const Row<OperatorClaims> rows[] = {
      {"good ones", [](auto& c) { c.service_urls = {"nats://a:4222", "TLS://b", ""}; }, ""},
      {"another scheme", [](auto& c) { c.service_urls = {"http://a"}; }, "error operator_service_urls[0]"},
      {"a password", [](auto& c) { c.service_urls = {"nats://u:p@a"}; }, "error operator_service_urls[0]"},
      {"a path", [](auto& c) { c.service_urls = {"nats://a/b", "nats://a/"}; },
       "error operator_service_urls[0]; error operator_service_urls[1]"},
      {"no host", [](auto& c) { c.service_urls = {"nats://"}; }, "error operator_service_urls[0]"},
      {"no scheme", [](auto& c) { c.account_server_url = "example.com/jwt"; }, "error account_server_url"},
      {"an account's key", [](auto& c) { c.signing_keys = {text(account_key())}; }, "error signing_keys[0]"},
      {"an operator as system account", [](auto& c) { c.system_account = text(operator_key()); },
       "error system_account"},
      {"a version", [](auto& c) { c.assert_server_version = "2.10.0"; }, ""},
      {"no version", [](auto& c) { c.assert_server_version = "2.10"; }, "error assert_server_version"},
      {"a worded version", [](auto& c) { c.assert_server_version = "2.10.x"; }, "error assert_server_version"},
  };
  expect_findings(rows, an_operator());
}

TEST(Findings, of_exports_are_their_members_and_their_overlaps) {
  const Row<AccountClaims> rows[] = {
      {"neither kind", [](auto& c) { c.exports[0].kind = ShareKind::unknown; }, "error exports[0].type"},
      {"a stream with responses", [](auto& c) { c.exports[1].response = ResponseKind::chunked; },
       "error exports[1].response_type"},
      {"a stream with a singleton", [](auto& c) { c.exports[1].response_named = true; },
       "error exports[1].response_type"},
      {"a stream with latency", [](auto& c) { c.exports[1].latency = ServiceLatency{.results = "r"}; },
       "error exports[1].service_latency"},
      {"a rate over all", [](auto& c) { c.exports[0].latency = ServiceLatency{.sampling = 101, .results = "r"}; },
       "error exports[0].service_latency.sampling"},
      {"results to many", [](auto& c) { c.exports[0].latency = ServiceLatency{.results = "r.*"}; },
       "error exports[0].service_latency.results"},
      {"a negative threshold", [](auto& c) { c.exports[0].response_threshold = -seconds(1); },
       "error exports[0].response_threshold"},
      {"a stream's threshold", [](auto& c) { c.exports[1].response_threshold = seconds(1); },
       "error exports[1].response_threshold"},
      {"a position", [](auto& c) { c.exports[0].account_token_position = 2; }, ""},
      {"a position of a word", [](auto& c) { c.exports[0].account_token_position = 1; },
       "error exports[0].account_token_position"},
      {"a position past the end", [](auto& c) { c.exports[0].account_token_position = 3; },
       "error exports[0].account_token_position"},
      {"no subject", [](auto& c) { c.exports[1].subject = ""; }, "error exports[1].subject"},
      {"one within another", [](auto& c) { c.exports.push_back(an_export("ask.x")); }, "error exports[2].subject"},
      {"a service within a stream", [](auto& c) { c.exports.push_back(an_export("feed")); }, ""},
      {"a URL without a host", [](auto& c) { c.exports[0].info_url = "https://"; }, "error exports[0].info_url"},
      {"a long description", [](auto& c) { c.exports[0].description = std::string(9000, 'd'); },
       "error exports[0].description"},
      {"a revocation of nobody", [](auto& c) { c.exports[0].revocations = {{"kate", kNow}}; },
       "warning exports[0].revocations"},
      {"more than allowed", [](auto& c) { c.limits.exports = 1; }, "error exports"},
      {"wildcards that are not allowed",
       [](auto& c) {
         c.limits.exports = 10;
         c.limits.wildcard_exports = false;
       },
       "error exports[0].subject"},
  };
  AccountClaims account = an_account();
  account.exports = {an_export("ask.*"), an_export("feed", ShareKind::stream)};
  expect_findings(rows, account);
}

TEST(Findings, of_imports_are_their_members_and_their_overlaps) {
  const Row<AccountClaims> rows[] = {
      {"neither kind", [](auto& c) { c.imports[0].kind = ShareKind::unknown; }, "error imports[0].type"},
      {"from nobody", [](auto& c) { c.imports[0].account = ""; }, "error imports[0].account"},
      {"from a name", [](auto& c) { c.imports[0].account = "prod"; }, "warning imports[0].account"},
      {"the old `to`", [](auto& c) { c.imports[0].to = "here"; }, "warning imports[0].to"},
      {"both", [](auto& c) { c.imports[0].to = "here", c.imports[0].local_subject = "there.$1"; },
       "warning imports[0].to; error imports[0].local_subject"},
      {"a reference", [](auto& c) { c.imports[0].local_subject = "mine.$1"; }, ""},
      {"a star", [](auto& c) { c.imports[0].local_subject = "mine.*"; }, ""},
      {"a reference too far", [](auto& c) { c.imports[0].local_subject = "mine.$2"; },
       "error imports[0].local_subject; error imports[0].local_subject"},
      {"too few", [](auto& c) { c.imports[0].local_subject = "mine"; }, "error imports[0].local_subject"},
      {"ends differently", [](auto& c) { c.imports[0].local_subject = "mine.$1.>"; }, "error imports[0].local_subject"},
      {"a stream that hears", [](auto& c) { c.imports[1].share = true; }, "error imports[1].share"},
      {"two services in one place", [](auto& c) { c.imports.push_back(an_import("ask.x")); }, "error imports[2]"},
      {"no activation", [](auto& c) { c.imports[0].token = "https://example.com/a"; }, "error imports[0].token"},
      {"more than allowed", [](auto& c) { c.limits.imports = 1; }, "error imports"},
  };
  AccountClaims account = an_account();
  account.imports = {an_import("ask.*"), an_import("feed.>")};
  account.imports[1].kind = ShareKind::stream;
  expect_findings(rows, account);
}

TEST(Findings, of_activations_that_do_not_fit_the_import) {
  const Row<ActivationClaims> rows[] = {
      {"for another account", [](auto& c) { c.subject = text(account_key(7)); }, "error imports[0].token"},
      {"of another kind", [](auto& c) { c.kind = ShareKind::stream; }, "error imports[0].token"},
      {"of another subject", [](auto& c) { c.import_subject = "other.>"; }, "error imports[0].token"},
      {"by a signing key", [](auto& c) { c.issuer_account = text(account_key(4)); }, ""},
      {"expired, which is not the account's fault", [](auto& c) { c.expires = kEarlier; }, ""},
  };
  for (const auto& row : rows) {
    ActivationClaims activation = an_activation();
    row.change(activation);
    AccountClaims account = an_account();
    account.imports = {an_import()};
    account.imports[0].token =
        encode(activation, account_key(activation.issuer_account.empty() ? 4 : 5), kEarlier).value();
    EXPECT_EQ(found(account), row.expected) << row.why;
  }
  AccountClaims account = an_account();
  account.imports = {an_import()};
  account.imports[0].token = encode(an_activation(), account_key(5), kEarlier).value();
  EXPECT_EQ(found(account), "error imports[0].token") << "by another account";
  ActivationClaims unknown = an_activation();
  unknown.kind = ShareKind::unknown;
  EXPECT_EQ(found(unknown), "error kind");
}

TEST(Findings, of_accounts_are_mappings_keys_and_limits) {
  const Row<AccountClaims> rows[] = {
      {"a mapping", [](auto& c) { c.mappings["a.*"] = {{"b.$1", 70, ""}, {"c.$1", 30, ""}}; }, ""},
      {"over all", [](auto& c) { c.mappings["a"] = {{"b", 70, ""}, {"c", 40, ""}}; }, "error mappings[\"a\"]"},
      {"all, twice", [](auto& c) { c.mappings["a"] = {{"b", 0, ""}, {"c", 1, ""}}; }, "error mappings[\"a\"]"},
      {"all in each cluster", [](auto& c) { c.mappings["a"] = {{"b", 100, "x"}, {"c", 100, "y"}}; },
       "warning mappings[\"a\"]"},
      {"to a wildcard", [](auto& c) { c.mappings["a.*"] = {{"b.*", 100, ""}}; }, "error mappings[\"a.*\"][0]"},
      {"from a blank", [](auto& c) { c.mappings["a b"] = {{"b", 100, ""}}; }, "error mappings[\"a b\"]"},
      {"a user's key to sign", [](auto& c) { c.signing_keys = {SigningKey{.key = text(user_key())}}; },
       "error signing_keys[0]"},
      {"a scope of nonsense",
       [](auto& c) {
         c.signing_keys = {SigningKey{.key = text(account_key(3)), .scoped = true}};
         c.signing_keys[0].limits.sources = {"x"};
       },
       "warning signing_keys[0].template.src[0]"},
      {"default permissions", [](auto& c) { c.default_permissions.publish.allow = {"a b"}; },
       "error default_permissions.pub.allow[0]"},
      {"a tier without a name", [](auto& c) { c.limits.unknown = R"({"tiered_limits":{"":{}}})"; },
       "error limits.tiered_limits"},
      {"tiers beside limits", [](auto& c) { c.limits.unknown = R"({"mem_storage":1,"tiered_limits":{"R1":{}}})"; },
       "warning limits"},
      {"signed by itself", [](auto& c) { c.issuer = c.subject; }, "warning limits"},
  };
  expect_findings(rows, an_account());
}

TEST(Findings, show_no_control_characters_and_no_endless_text) {
  UserClaims user = a_user();
  user.sources = {"\x1b[2J\n" + std::string(3000, 'a')};
  const auto all = findings(user, kNow);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_LT(all[0].message.size(), 300U);
  EXPECT_TRUE(std::ranges::none_of(all[0].message, [](char c) { return c == '\x1b' || c == '\n'; }));
}

}  // namespace
}  // namespace hawser::identity
