// Who resumes is verified again: tickets of one context are offered to another that trusts less, with the first one's
// ticket keys, as if the trust had changed under a living context.
#include <array>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "handshake.hpp"
#include "pki.hpp"

namespace hawser::tls::test {
namespace {

const Peer kPeer{.host = "nats.example.com", .session_key = "one:4222"};

struct Tickets : testing::TestWithParam<int> {
  Authority ca = make_ca();
  Issued server_own = server_cert(ca);
  Issued client_own = client_cert(ca);
  ContextPtr client = client_with(client_own);

  [[nodiscard]] ContextPtr server_with(const std::string& trust, const std::string& crl = {}, Pins pins = {},
                                       WallTime loaded = present()) const {
    ServerOptions options;
    options.tickets = 2;
    options.pins = std::move(pins);
    return must(Context::server(make_material(Usage::server, &server_own, trust, crl, loaded), options));
  }
  [[nodiscard]] ContextPtr client_with(const Issued& own) const {
    return must(Context::client(make_material(Usage::client, &own, ca.certificate_pem()), {}));
  }

  // `to` opens what `from` has sealed.
  static void share_keys(const ContextPtr& from, const ContextPtr& to) {
    std::array<unsigned char, 80> keys{};
    ASSERT_EQ(SSL_CTX_get_tlsext_ticket_keys(from->native(), keys.data(), keys.size()), 1);
    ASSERT_EQ(SSL_CTX_set_tlsext_ticket_keys(to->native(), keys.data(), keys.size()), 1);
    for (const ContextPtr& context : {from, to}) {
      ASSERT_EQ(SSL_CTX_set_session_id_context(context->native(), keys.data(), 1), 1);
    }
  }

  [[nodiscard]] Handshake connect(const ContextPtr& to) const {
    SslPtr ssl = must(client->connect(kPeer));
    SSL_set_max_proto_version(ssl.get(), GetParam());
    return {std::move(ssl), must(to->accept())};
  }
  static bool resumed(const Handshake& handshake) {
    return handshake.ok() && SSL_session_reused(handshake.server.ssl()) == 1;
  }
  static std::string refusal(const Handshake& handshake) {
    return handshake.server.error ? error_id(handshake.server.error->code) : "let in";
  }
};

TEST_P(Tickets, are_taken_by_a_context_that_trusts_the_same) {
  const ContextPtr first = server_with(ca.certificate_pem());
  const ContextPtr second = server_with(ca.certificate_pem());
  share_keys(first, second);
  ASSERT_TRUE(connect(first).ok());
  const Handshake again = connect(second);
  EXPECT_TRUE(resumed(again));
  EXPECT_EQ(peer_chain(again.server.ssl()).front(), client_own.info);
}

TEST_P(Tickets, of_a_revoked_certificate_are_refused) {
  const ContextPtr first = server_with(ca.certificate_pem());
  const ContextPtr second = server_with(ca.certificate_pem(), make_crl(ca, {client_own.info.serial}));
  share_keys(first, second);
  ASSERT_TRUE(connect(first).ok());
  EXPECT_EQ(refusal(connect(second)), error_id(Errc::tls_peer_revoked));
}

TEST_P(Tickets, of_a_removed_authority_are_refused) {
  const ContextPtr first = server_with(ca.certificate_pem());
  const ContextPtr second = server_with(make_ca("Other CA").certificate_pem());
  share_keys(first, second);
  ASSERT_TRUE(connect(first).ok());
  EXPECT_EQ(refusal(connect(second)), error_id(Errc::tls_unknown_authority));
}

TEST_P(Tickets, of_a_certificate_that_is_pinned_no_more_are_refused) {
  const ContextPtr first = server_with(ca.certificate_pem(), {}, {client_own.info.spki_sha256});
  const ContextPtr second = server_with(ca.certificate_pem(), {}, {server_own.info.spki_sha256});
  share_keys(first, second);
  ASSERT_TRUE(connect(first).ok());
  EXPECT_EQ(refusal(connect(second)), error_id(Errc::broker_pin_mismatch));
}

TEST_P(Tickets, under_a_crl_that_has_ended_are_refused) {
  server_own = server_cert(ca, {.validity = from_to(-days(3), days(3))});
  const ContextPtr first = server_with(ca.certificate_pem());
  const std::string ended = make_crl(ca, {}, from_to(-days(7), -hours(1)));
  const ContextPtr second = server_with(ca.certificate_pem(), ended, {}, present() - days(1));
  share_keys(first, second);
  ASSERT_TRUE(connect(first).ok());
  EXPECT_EQ(refusal(connect(second)), error_id(Errc::tls_peer_crl_unavailable));
}

TEST_P(Tickets, of_a_refused_certificate_let_a_new_certificate_in_by_a_whole_handshake) {
  const ContextPtr first = server_with(ca.certificate_pem());
  const ContextPtr second = server_with(ca.certificate_pem(), make_crl(ca, {client_own.info.serial}));
  share_keys(first, second);
  ASSERT_TRUE(connect(first).ok());
  // The old session with a new certificate in hand, as a client has it that reloads its files.
  const Issued renewed = client_cert(ca);
  SslPtr ssl = must(client->connect(kPeer));
  ASSERT_NE(SSL_get_session(ssl.get()), nullptr);
  SSL_set_max_proto_version(ssl.get(), GetParam());
  const ContextPtr with_renewed = client_with(renewed);
  const SslPtr other = must(with_renewed->connect(kPeer));
  SSL_use_certificate(ssl.get(), SSL_get_certificate(other.get()));
  SSL_use_PrivateKey(ssl.get(), SSL_get_privatekey(other.get()));
  const Handshake handshake(std::move(ssl), must(second->accept()));
  ASSERT_TRUE(handshake.ok()) << handshake.server.error->message();
  EXPECT_FALSE(resumed(handshake));
  EXPECT_EQ(peer_chain(handshake.server.ssl()).front(), renewed.info);
}

TEST_P(Tickets, carry_the_intermediates_of_the_client) {
  const Authority intermediate = must(ca.intermediate({.name = "Intermediate"}));
  client_own = must(intermediate.issue({.common_name = "agent", .usage = CertUsage::client}));
  client = client_with(client_own);
  const ContextPtr server = server_with(ca.certificate_pem());
  ASSERT_TRUE(connect(server).ok());
  const Handshake again = connect(server);
  EXPECT_TRUE(resumed(again));
  // And the second look at a live, resumed connection has them too.
  EXPECT_TRUE(server->verify_again(again.server.ssl(), present()));
  const ContextPtr narrowed = server_with(make_ca("Other CA").certificate_pem());
  EXPECT_FALSE(narrowed->verify_again(again.server.ssl(), present()));
}

TEST_P(Tickets, without_a_certificate_do_not_count_once_one_is_required) {
  ServerOptions options;
  options.tickets = 2;
  options.client_certificate = ClientCertificate::none;
  const ContextPtr first =
      must(Context::server(make_material(Usage::server, &server_own, ca.certificate_pem()), options));
  const ContextPtr second = server_with(ca.certificate_pem());
  share_keys(first, second);
  client = must(Context::client(make_material(Usage::client, nullptr, ca.certificate_pem()), {}));
  ASSERT_TRUE(connect(first).ok());
  ASSERT_TRUE(resumed(connect(first)));
  EXPECT_EQ(refusal(connect(second)), error_id(Errc::tls_peer_without_certificate));
}

INSTANTIATE_TEST_SUITE_P(BothVersions, Tickets, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) { return version.param == TLS1_2_VERSION ? "tls12" : "tls13"; });

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
