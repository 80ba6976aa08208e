// The rows of docs' transport table that only show while running.
#include "posture/runtime.hpp"

#include "posture/world.hpp"

namespace hawser::posture::test {
namespace {

constexpr OfferedTls kNone{};
constexpr OfferedTls kAvailable{.available = true, .required = false};
constexpr OfferedTls kRequired{.available = true, .required = true};

Decision development(std::string url) {
  return decide({{"NATS_URL", std::move(url)}, {"NATS_TOKEN", std::string(kToken)}});
}

Decision break_glass(const std::string& until) {
  return decide(with(production_token(), {{"NATS_URL", "nats://nats"},
                                          {"HAWSER_ALLOW_PLAINTEXT", "true"},
                                          {"HAWSER_PLAINTEXT_OWNER", "kate"},
                                          {"HAWSER_PLAINTEXT_UNTIL", until}}));
}

TEST(Runtime, refuses_a_server_without_tls_for_a_tls_url_and_never_downgrades) {
  for (const Decision& decision : {development("tls://nats"), decide(production_token())}) {
    const auto link = decide_on_info(decision, decision.servers[0], kNone, History::never_on_tls, kNow);
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().code, Errc::tls_not_offered);
  }
}

TEST(Runtime, starts_tls_for_a_tls_url_when_the_server_offers_or_requires_it) {
  const Decision decision = decide(production_token());
  for (const OfferedTls offered : {kAvailable, kRequired, OfferedTls{.available = false, .required = true}}) {
    const auto link = decide_on_info(decision, decision.servers[0], offered, History::never_on_tls, kNow);
    ASSERT_TRUE(link);
    EXPECT_TRUE(link->use_tls);
    EXPECT_EQ(link->roots, tls::Roots::material);
    EXPECT_FALSE(link->warning);
  }
}

TEST(Runtime, upgrades_a_plaintext_url_when_the_server_requires_tls_and_warns_to_fix_the_url) {
  const Decision decision = development("nats://nats");
  const auto link = decide_on_info(decision, decision.servers[0], kRequired, History::never_on_tls, kNow);
  ASSERT_TRUE(link);
  EXPECT_TRUE(link->use_tls);
  EXPECT_EQ(link->roots, tls::Roots::material_and_system);
  ASSERT_TRUE(link->warning);
  EXPECT_EQ(link->warning->code, Errc::tls_upgraded);
  EXPECT_EQ(link->warning->severity, Severity::warning);
  EXPECT_THAT(link->warning->message, testing::HasSubstr("nats://nats:4222"));
}

TEST(Runtime, stays_on_plaintext_in_development_when_the_server_does_not_require_tls) {
  const Decision decision = development("nats://nats");
  for (const OfferedTls offered : {kNone, kAvailable}) {
    const auto link = decide_on_info(decision, decision.servers[0], offered, History::never_on_tls, kNow);
    ASSERT_TRUE(link);
    EXPECT_FALSE(link->use_tls);
  }
}

TEST(Runtime, never_reconnects_without_tls_a_session_that_was_once_on_it) {
  const Decision decision = development("tls://a,nats://b");
  const ServerUrl& plain = decision.servers[1];
  const auto refused = decide_on_info(decision, plain, kNone, History::once_on_tls, kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::tls_downgrade_refused);
  const auto upgraded = decide_on_info(decision, plain, kAvailable, History::once_on_tls, kNow);
  ASSERT_TRUE(upgraded);
  EXPECT_TRUE(upgraded->use_tls);
  EXPECT_TRUE(decide_on_info(decision, plain, kNone, History::never_on_tls, kNow));
}

TEST(Runtime, ends_plaintext_of_a_running_agent_when_the_deadline_passes) {
  const std::string until = "2026-06-01T13:00:00Z";
  const Decision decision = break_glass(until);
  const WallTime deadline = *parse_rfc3339(until);
  EXPECT_EQ(next_deadline(decision), deadline);
  EXPECT_TRUE(still_allowed(decision, false, deadline - std::chrono::nanoseconds(1)));
  const auto ended = still_allowed(decision, false, deadline);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::break_glass_expired);
  EXPECT_TRUE(still_allowed(decision, true, deadline));  // a link on TLS needs no override
}

TEST(Runtime, does_not_reconnect_over_plaintext_after_the_deadline) {
  const Decision decision = break_glass("2026-06-01T13:00:00Z");
  const ServerUrl& server = decision.servers[0];
  EXPECT_TRUE(decide_on_info(decision, server, kNone, History::never_on_tls, kNow));
  const auto late = decide_on_info(decision, server, kNone, History::never_on_tls, kNow + std::chrono::hours(1));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::break_glass_expired);
  const auto upgraded =
      decide_on_info(decision, server, kRequired, History::never_on_tls, kNow + std::chrono::hours(1));
  EXPECT_TRUE(upgraded && upgraded->use_tls);
}

TEST(Runtime, refuses_a_plaintext_server_in_production_that_the_decision_did_not_allow) {
  const Decision decision = decide(production_token());
  const ServerUrl gossiped = parse_server_url("nats://other").value();
  const auto link = decide_on_info(decision, gossiped, kNone, History::never_on_tls, kNow);
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().code, Errc::plaintext_in_production);
}

TEST(Runtime, has_no_deadline_without_an_override) {
  EXPECT_EQ(next_deadline(decide(production_token())), std::nullopt);
  EXPECT_EQ(next_deadline(development("nats://a")), std::nullopt);
  EXPECT_TRUE(still_allowed(development("nats://a"), false, kNow));
}

TEST(Runtime, starts_tls_before_info_only_where_it_is_asked_for) {
  Settings settings;
  set(settings, Key::url, "tls://a,nats://b,wss://c", "f:1");
  set(settings, Key::tls_handshake_first, "true", "f:2");
  const Decision decision = evaluate(settings, {}, kNow, Purpose::start_up);
  EXPECT_TRUE(must_handshake_first(decision, decision.servers[0]));
  EXPECT_FALSE(must_handshake_first(decision, decision.servers[1]));
  EXPECT_TRUE(must_handshake_first(decision, decision.servers[2]));
  const Decision plain = decide(production_token());
  EXPECT_FALSE(must_handshake_first(plain, plain.servers[0]));
}

}  // namespace
}  // namespace hawser::posture::test
