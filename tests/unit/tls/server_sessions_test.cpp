// A session that a server keeps lets nobody in whom a whole handshake would not.
#include "tls/server_sessions.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "handshake.hpp"
#include "pki.hpp"
#include "tls/connection.hpp"

namespace hawser::tls::test {
namespace {

const Peer kPeer{.host = "nats.example.com", .session_key = "one:4222"};

struct ServerResumption : testing::TestWithParam<int> {
  Authority ca = make_ca();
  Issued server_own = server_cert(ca);
  Issued client_own = client_cert(ca);
  ContextPtr client = client_with(client_own);

  [[nodiscard]] ContextPtr server_with(const std::string& trust, const std::string& crl = {}, Pins pins = {}) const {
    ServerOptions options;
    options.tickets = 2;
    options.pins = std::move(pins);
    return must(Context::server(make_material(Usage::server, &server_own, trust, crl), options));
  }
  [[nodiscard]] ContextPtr client_with(const Issued& own) const {
    return must(Context::client(make_material(Usage::client, &own, ca.certificate_pem()), {}));
  }
  [[nodiscard]] Handshake connect(const ContextPtr& to) const {
    SslPtr ssl = must(client->connect(kPeer));
    SSL_set_max_proto_version(ssl.get(), GetParam());
    return {std::move(ssl), must(to->accept())};
  }
  // With a session of a context before, from which the client was let in.
  [[nodiscard]] Handshake connect_again(const ContextPtr& before, const ContextPtr& now) const {
    EXPECT_TRUE(connect(before).ok());
    EXPECT_TRUE(resumed(connect(before)));  // it does have one to offer
    return connect(now);
  }
  static bool resumed(const Handshake& handshake) {
    return handshake.ok() && SSL_session_reused(handshake.server.ssl()) == 1;
  }
  static std::string refusal(const Handshake& handshake) {
    return handshake.server.error ? error_id(handshake.server.error->code) : "let in";
  }
};

TEST_P(ServerResumption, keeps_what_was_known_of_the_client) {
  const ContextPtr server = server_with(ca.certificate_pem());
  EXPECT_FALSE(resumed(connect(server)));
  const Handshake again = connect(server);
  ASSERT_TRUE(resumed(again));
  EXPECT_EQ(peer_chain(again.server.ssl()).front(), client_own.info);
  EXPECT_TRUE(resumed(connect(server))) << "also by what a resumed connection was given";
}

TEST_P(ServerResumption, is_refused_to_a_certificate_that_was_revoked) {
  EXPECT_EQ(refusal(connect_again(server_with(ca.certificate_pem()),
                                  server_with(ca.certificate_pem(), make_crl(ca, {client_own.info.serial})))),
            error_id(Errc::tls_peer_revoked));
}

TEST_P(ServerResumption, is_refused_to_a_certificate_of_an_authority_that_was_removed) {
  EXPECT_EQ(refusal(connect_again(server_with(ca.certificate_pem()), server_with(make_ca("Other").certificate_pem()))),
            error_id(Errc::tls_unknown_authority));
}

TEST_P(ServerResumption, is_refused_to_a_certificate_that_is_pinned_no_more) {
  EXPECT_EQ(refusal(connect_again(server_with(ca.certificate_pem(), {}, {client_own.info.spki_sha256}),
                                  server_with(ca.certificate_pem(), {}, {server_own.info.spki_sha256}))),
            error_id(Errc::broker_pin_mismatch));
}

TEST_P(ServerResumption, is_a_whole_handshake_with_a_new_context_of_the_same_trust) {
  const Handshake handshake = connect_again(server_with(ca.certificate_pem()), server_with(ca.certificate_pem()));
  EXPECT_TRUE(handshake.ok());
  EXPECT_FALSE(resumed(handshake));
}

TEST_P(ServerResumption, without_a_certificate_is_nothing_where_one_is_required) {
  ServerOptions options;
  options.tickets = 2;
  options.client_certificate = ClientCertificate::none;
  const ContextPtr open =
      must(Context::server(make_material(Usage::server, &server_own, ca.certificate_pem()), options));
  client = must(Context::client(make_material(Usage::client, nullptr, ca.certificate_pem()), {}));
  EXPECT_EQ(refusal(connect_again(open, server_with(ca.certificate_pem()))),
            error_id(Errc::tls_peer_without_certificate));
}

TEST_P(ServerResumption, does_not_hide_the_intermediates_from_the_second_look) {
  const Authority intermediate = must(ca.intermediate({.name = "Intermediate"}));
  client_own = must(intermediate.issue({.common_name = "agent", .usage = CertUsage::client}));
  client = client_with(client_own);
  const ContextPtr server = server_with(ca.certificate_pem());
  ASSERT_TRUE(connect(server).ok());
  const Handshake again = connect(server);
  ASSERT_TRUE(resumed(again));
  EXPECT_TRUE(server->verify_again(again.server.ssl(), present()));
  EXPECT_FALSE(server_with(make_ca("Other").certificate_pem())->verify_again(again.server.ssl(), present()));
}

TEST_P(ServerResumption, outlives_a_connection_that_was_cut) {
  const ContextPtr server = server_with(ca.certificate_pem());
  {
    const Handshake first = connect(server);
    ASSERT_TRUE(first.ok());
  }  // without a TLS close on either side
  EXPECT_TRUE(resumed(connect(server)));
}

TEST_P(ServerResumption, is_kept_no_longer_than_its_context) {
  const ContextPtr server = server_with(ca.certificate_pem());
  ASSERT_TRUE(connect(server).ok());
  EXPECT_GT(server->kept_sessions(), 0U);
  ServerOptions none;
  const ContextPtr without =
      must(Context::server(make_material(Usage::server, &server_own, ca.certificate_pem()), none));
  client = client_with(client_own);
  ASSERT_TRUE(connect(without).ok());
  EXPECT_EQ(without->kept_sessions(), 0U);
  EXPECT_FALSE(resumed(connect(without)));
}

INSTANTIATE_TEST_SUITE_P(BothVersions, ServerResumption, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) { return version.param == TLS1_2_VERSION ? "tls12" : "tls13"; });

Owned<SSL_SESSION> session() { return Owned<SSL_SESSION>(SSL_SESSION_new()); }

TEST(ServerSessions, are_good_only_until_what_was_verified_ends) {
  ServerSessions sessions;
  sessions.keep("a", {session(), present() + hours(1)});
  EXPECT_TRUE(sessions.find("a", present()));
  EXPECT_TRUE(sessions.find("a", present() + hours(1) - std::chrono::nanoseconds(1)));
  EXPECT_FALSE(sessions.find("a", present() + hours(1)));
  EXPECT_FALSE(sessions.find("a", present())) << "it is forgotten";
  sessions.keep("for ever", {session(), Seconds::max()});
  EXPECT_TRUE(sessions.find("for ever", present()));
  EXPECT_FALSE(sessions.find("unknown", present()));
}

TEST(ServerSessions, are_bounded_and_the_oldest_go_first) {
  ServerSessions sessions;
  for (std::size_t i = 0; i < ServerSessions::kMost + 10; ++i) {
    sessions.keep(std::to_string(i), {session(), Seconds::max()});
  }
  EXPECT_EQ(sessions.size(), ServerSessions::kMost);
  EXPECT_FALSE(sessions.find("9", present()));
  EXPECT_TRUE(sessions.find("10", present()));
  for (std::size_t i = 0; i < 3 * ServerSessions::kMost; ++i) {
    sessions.keep("short-lived " + std::to_string(i), {session(), present()});
    EXPECT_FALSE(sessions.find("short-lived " + std::to_string(i), present()));
  }
  EXPECT_LE(sessions.size(), ServerSessions::kMost);
}

TEST(ServerSessions, end_with_the_first_end_of_the_chain_or_of_a_crl) {
  // What a context notes down with a session, seen by the session's life at a later time.
  const Authority ca = make_ca();
  const Issued server_own = server_cert(ca);
  const Issued client_own = client_cert(ca, {.validity = from_to(-hours(1), days(2))});
  const auto until = [&](const std::string& crl) {
    const ContextPtr server =
        must(Context::server(make_material(Usage::server, &server_own, ca.certificate_pem(), crl), {.tickets = 1}));
    const ContextPtr client =
        must(Context::client(make_material(Usage::client, &client_own, ca.certificate_pem()), {}));
    const Handshake live(must(client->connect(kPeer)), must(server->accept()));
    EXPECT_TRUE(live.ok());
    return connection_of(live.server.ssl())->verified_until;
  };
  EXPECT_EQ(until({}), client_own.info.not_after);
  EXPECT_EQ(until(make_crl(ca, {}, from_to(-hours(1), days(1)))), present() + days(1));
  EXPECT_EQ(until(make_crl(ca, {}, from_to(-hours(1), days(7)))), client_own.info.not_after);
}

TEST(Pinned, keys_alone_are_let_in) {
  const Authority ca = make_ca();
  const Issued server_own = server_cert(ca);
  const Issued kate = client_cert(ca, {.common_name = "kate"});
  const Issued mallory = client_cert(ca, {.common_name = "mallory"});
  ServerOptions options;
  options.pins = {kate.info.spki_sha256};
  const ContextPtr server =
      must(Context::server(make_material(Usage::server, &server_own, ca.certificate_pem()), options));
  const auto shake = [&](const Issued& own) {
    const ContextPtr client = must(Context::client(make_material(Usage::client, &own, ca.certificate_pem()), {}));
    return Handshake(must(client->connect(kPeer)), must(server->accept()));
  };
  EXPECT_TRUE(shake(kate).ok());
  const Handshake refused = shake(mallory);
  ASSERT_TRUE(refused.server.error);
  EXPECT_EQ(error_id(refused.server.error->code), error_id(Errc::broker_pin_mismatch));
  EXPECT_NE(refused.server.error->doing.find("CN=mallory"), std::string::npos) << refused.server.error->doing;
}

}  // namespace
}  // namespace hawser::tls::test
