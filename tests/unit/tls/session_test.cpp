// Resumption, and the second look at live peers.
#include <gtest/gtest.h>

#include "handshake.hpp"
#include "pki.hpp"

namespace hawser::tls::test {
namespace {

const Peer kPeer{.host = "nats.example.com", .session_key = "one:4222"};

struct Resumption : testing::Test {
  Authority ca = make_ca();
  Issued server_own = server_cert(ca);
  Issued client_own = client_cert(ca);
  ContextPtr server = new_server();
  ContextPtr client = new_client();

  [[nodiscard]] ContextPtr new_server(std::size_t tickets = 2) const {
    ServerOptions options;
    options.tickets = tickets;
    return must(Context::server(make_material(Usage::server, &server_own, ca.certificate_pem()), options));
  }
  [[nodiscard]] ContextPtr new_client() const {
    return must(Context::client(make_material(Usage::client, &client_own, ca.certificate_pem()), {}));
  }
  // Whether a connection resumed; nothing when it failed.
  static std::optional<bool> resumed(const ContextPtr& from, const ContextPtr& to, const Peer& peer = kPeer,
                                     int newest = TLS1_3_VERSION) {
    SslPtr ssl = must(from->connect(peer));
    SSL_set_max_proto_version(ssl.get(), newest);
    const Handshake handshake(std::move(ssl), must(to->accept()));
    return handshake.ok() ? std::optional(SSL_session_reused(handshake.client.ssl()) == 1) : std::nullopt;
  }
};

TEST_F(Resumption, resumes_with_the_same_material_in_both_versions) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    client = new_client();
    EXPECT_EQ(resumed(client, server, kPeer, version), false) << version;
    EXPECT_GT(client->kept_sessions(), 0U) << version;
    EXPECT_EQ(resumed(client, server, kPeer, version), true) << version;
  }
}

TEST_F(Resumption, is_gone_with_new_material_on_either_side) {
  EXPECT_EQ(resumed(client, server), false);
  EXPECT_EQ(resumed(new_client(), server), false);  // a client's tickets go with its context
  EXPECT_EQ(resumed(client, new_server()), false);  // a server's keys go with its context
}

TEST_F(Resumption, never_crosses_servers_or_names) {
  EXPECT_EQ(resumed(client, server), false);
  EXPECT_EQ(resumed(client, server, {.host = "nats.example.com", .session_key = "two:4222"}), false);
  const Result<SslPtr> other = client->connect({.host = "other.example.com", .session_key = kPeer.session_key});
  ASSERT_TRUE(other);
  EXPECT_EQ(SSL_get_session(other->get()), nullptr);
}

TEST_F(Resumption, keeps_nothing_without_a_key) {
  EXPECT_EQ(resumed(client, server, {.host = "nats.example.com", .session_key = {}}), false);
  EXPECT_EQ(client->kept_sessions(), 0U);
}

TEST_F(Resumption, keeps_nothing_from_a_server_without_tickets) {
  EXPECT_EQ(resumed(client, new_server(0)), false);
  EXPECT_EQ(client->kept_sessions(), 0U);
}

TEST_F(Resumption, is_bounded) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(resumed(client, server, {.host = "nats.example.com", .session_key = std::to_string(i)}), false);
  }
  EXPECT_EQ(client->kept_sessions(), 64U);
}

struct Recheck : testing::Test {
  Authority ca = make_ca();
  Authority other = make_ca("Other CA");
  Issued server_own = server_cert(ca);
  Issued client_own = client_cert(ca);
  ContextPtr server = server_with(ca.certificate_pem());
  ContextPtr client = client_with(ca.certificate_pem());
  Handshake live{must(client->connect(kPeer)), must(server->accept())};

  [[nodiscard]] ContextPtr server_with(const std::string& trust, const std::string& crl = {}) const {
    return must(Context::server(make_material(Usage::server, &server_own, trust, crl), {}));
  }
  [[nodiscard]] ContextPtr client_with(const std::string& trust, const std::string& crl = {}) const {
    return must(Context::client(make_material(Usage::client, &client_own, trust, crl), {}));
  }
  void SetUp() override { ASSERT_TRUE(live.ok()); }

  static std::string code(const Result<void>& result) { return result ? "ok" : error_id(result.error().code); }
};

TEST_F(Recheck, keeps_peers_whose_authority_is_still_trusted) {
  const std::string both = other.certificate_pem() + ca.certificate_pem();
  EXPECT_EQ(code(client_with(both)->verify_again(live.client.ssl(), present())), "ok");
  EXPECT_EQ(code(server_with(both)->verify_again(live.server.ssl(), present())), "ok");
}

TEST_F(Recheck, finds_peers_whose_authority_is_gone) {
  const std::string narrowed = other.certificate_pem();
  EXPECT_EQ(code(client_with(narrowed)->verify_again(live.client.ssl(), present())),
            error_id(Errc::tls_unknown_authority));
  EXPECT_EQ(code(server_with(narrowed)->verify_again(live.server.ssl(), present())),
            error_id(Errc::tls_unknown_authority));
}

TEST_F(Recheck, finds_peers_that_a_new_crl_revokes) {
  const ContextPtr strict_client = client_with(ca.certificate_pem(), make_crl(ca, {server_own.info.serial}));
  EXPECT_EQ(code(strict_client->verify_again(live.client.ssl(), present())), error_id(Errc::tls_peer_revoked));
  const ContextPtr strict_server = server_with(ca.certificate_pem(), make_crl(ca, {client_own.info.serial}));
  EXPECT_EQ(code(strict_server->verify_again(live.server.ssl(), present())), error_id(Errc::tls_peer_revoked));
}

TEST_F(Recheck, finds_peers_that_have_expired_meanwhile) {
  EXPECT_EQ(code(client->verify_again(live.client.ssl(), present() + days(91))), error_id(Errc::tls_peer_expired));
}

TEST_F(Recheck, finds_clients_that_have_expired_meanwhile_under_the_same_trust_too) {
  const ContextPtr again = server_with(ca.certificate_pem());
  EXPECT_EQ(code(again->verify_again(live.server.ssl(), present() + days(89))), "ok");
  EXPECT_EQ(code(again->verify_again(live.server.ssl(), present() + days(91))), error_id(Errc::tls_peer_expired));
}

TEST_F(Recheck, finds_clients_of_another_authority_of_the_same_name) {
  const Authority impostor = make_ca();
  EXPECT_EQ(code(server_with(impostor.certificate_pem())->verify_again(live.server.ssl(), present())),
            error_id(Errc::tls_unknown_authority));
}

TEST_F(Recheck, compares_the_name_that_is_configured_now) {
  const MaterialPtr renamed =
      must(load(Source{.server_name = "new.example.com"}, bytes_of(&client_own, ca.certificate_pem()), present()));
  EXPECT_EQ(code(must(Context::client(renamed, {}))->verify_again(live.client.ssl(), present())),
            error_id(Errc::tls_wrong_name));
}

TEST_F(Recheck, follows_pinned_certificates) {
  EXPECT_EQ(code(server_with(client_own.chain_pem)->verify_again(live.server.ssl(), present())), "ok");
  EXPECT_EQ(code(server_with(client_cert(ca).chain_pem)->verify_again(live.server.ssl(), present())),
            error_id(Errc::tls_unknown_authority));
}

}  // namespace
}  // namespace hawser::tls::test
