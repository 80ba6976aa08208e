#include "broker/tls_policy.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <tuple>

#include "broker/peer_identity.hpp"
#include "tls/handshake.hpp"
#include "tls/pki.hpp"

namespace hawser::broker {
namespace {

using namespace tls::test;  // NOLINT: the throw-away PKI and handshakes by hand
using tls::Authority;
using tls::CertUsage;
using tls::Issued;

const tls::Peer kPeer{.host = "nats.example.com", .session_key = "one:4222"};

struct Row {
  std::vector<std::string> ciphers;
  std::vector<std::string> curves;
  std::string expected;  // "tls12 | tls13 | groups", or the error's id
};

TEST(Names, of_go_are_translated_to_those_of_openssl) {
  const std::vector<Row> rows = {
      {{}, {}, " |  | "},
      {{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}, {}, "ECDHE-RSA-AES128-GCM-SHA256 |  | "},
      {{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
       {},
       "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384 |  | "},
      {{"TLS_AES_256_GCM_SHA384"}, {}, " | TLS_AES_256_GCM_SHA384 | "},
      {{"TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
       {},
       "ECDHE-RSA-AES128-GCM-SHA256 | TLS_AES_256_GCM_SHA384 | "},
      {{"TLS_RSA_WITH_RC4_128_SHA"}, {}, "BRK-1111"},
      {{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"}, {}, "BRK-1111"},
      {{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"}, {}, "BRK-1111"},
      {{"ECDHE-RSA-AES128-GCM-SHA256"}, {}, "BRK-1111"},
      {{""}, {}, "BRK-1111"},
      {{"ALL:eNULL"}, {}, "BRK-1111"},
      {{}, {"X25519", "CurveP256", "CurveP384", "CurveP521"}, " |  | X25519:P-256:P-384:P-521"},
      {{}, {"X25519MLKEM768", "X25519"}, " |  | X25519"},
      {{}, {"X25519MLKEM768"}, "BRK-1111"},
      {{}, {"P-256"}, "BRK-1111"},
  };
  for (const Row& row : rows) {
    TlsSettings settings;
    settings.cipher_suites = row.ciphers;
    settings.curve_preferences = row.curves;
    const Result<TlsNames> names = translate_names(settings);
    const std::string got = names ? names->tls12_ciphers + " | " + names->tls13_suites + " | " + names->groups
                                  : error_id(names.error().code);
    EXPECT_EQ(got, row.expected);
  }
}

TEST(Names, that_are_wrong_are_answered_with_those_there_are) {
  TlsSettings settings;
  settings.cipher_suites = {"TLS_RSA_WITH_AES_128_CBC_SHA"};
  const std::string text = translate_names(settings).error().doing;
  EXPECT_NE(text.find("is insecure"), std::string::npos) << text;
  EXPECT_NE(text.find("TLS_AES_128_GCM_SHA256"), std::string::npos) << text;
}

struct Trust : testing::Test {
  Authority ca = make_ca();
  Authority other = make_ca("Other CA");
  Issued server_own = server_cert(ca);
  Issued client_own = client_cert(ca);
  TlsSettings settings;
  std::string trusted = ca.certificate_pem();
  std::string crl;

  Trust() { settings.verify = true; }

  [[nodiscard]] std::shared_ptr<const TlsPolicy> policy() const {
    return must(TlsPolicy::make(settings, make_material(tls::Usage::server, &server_own, trusted, crl)));
  }
  [[nodiscard]] tls::ContextPtr client_context(const Issued* own) const {
    return must(tls::Context::client(make_material(tls::Usage::client, own, ca.certificate_pem()), {}));
  }
  [[nodiscard]] Handshake shake(const TlsPolicy& with, const Issued* own, int newest = TLS1_3_VERSION) const {
    tls::SslPtr ssl = must(client_context(own)->connect(kPeer));
    SSL_set_max_proto_version(ssl.get(), newest);
    return {std::move(ssl), must(with.context().accept())};
  }
  static std::string refusal(const Handshake& handshake) {
    return handshake.server.error ? error_id(handshake.server.error->code) : "let in";
  }
  static std::string verdict(const TlsPolicy& now, const Handshake& live) {
    const Result<void> result = now.recheck(live.server.ssl(), present());
    return result ? "stays" : error_id(result.error().code);
  }
};

TEST_F(Trust, asks_for_certificates_only_when_it_verifies) {
  EXPECT_TRUE(policy()->verifies_clients());
  EXPECT_EQ(refusal(shake(*policy(), nullptr)), error_id(Errc::tls_peer_without_certificate));
  EXPECT_EQ(refusal(shake(*policy(), &client_own)), "let in");
  settings.verify = false;
  const Handshake plain = shake(*policy(), &client_own);
  EXPECT_TRUE(plain.ok());
  EXPECT_FALSE(peer_identity(plain.server.ssl()));
  settings.verify_and_map = true;
  EXPECT_TRUE(policy()->verifies_clients());
}

TEST_F(Trust, refuses_in_the_handshake_with_the_subject_and_the_reason) {
  const Issued stranger = client_cert(other, {.common_name = "mallory", .organization = "Elsewhere"});
  const Handshake refused = shake(*policy(), &stranger);
  ASSERT_TRUE(refused.server.error);
  EXPECT_EQ(error_id(refused.server.error->code), error_id(Errc::tls_unknown_authority));
  EXPECT_NE(refused.server.error->doing.find("CN=mallory,O=Elsewhere"), std::string::npos);
  EXPECT_NE(refused.server.error->doing.find("unable to get local issuer certificate"), std::string::npos);
}

TEST_F(Trust, offers_what_the_settings_say) {
  settings.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"};
  EXPECT_EQ(tls::cipher_name(shake(*policy(), &client_own).server.ssl()), "TLS_CHACHA20_POLY1305_SHA256");
  EXPECT_EQ(tls::cipher_name(shake(*policy(), &client_own, TLS1_2_VERSION).server.ssl()),
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
  settings.curve_preferences = {"CurveP384"};
  const Handshake p384 = shake(*policy(), &client_own);
  ASSERT_TRUE(p384.ok());
  EXPECT_EQ(SSL_get_negotiated_group(p384.server.ssl()), NID_secp384r1);
  settings.min_version = tls::Version::tls13;
  EXPECT_EQ(refusal(shake(*policy(), &client_own, TLS1_2_VERSION)), error_id(Errc::tls_protocol_version));
}

TEST_F(Trust, means_tls_1_3_alone_when_only_its_suites_are_named) {
  settings.cipher_suites = {"TLS_AES_256_GCM_SHA384"};
  EXPECT_EQ(refusal(shake(*policy(), &client_own)), "let in");
  EXPECT_EQ(refusal(shake(*policy(), &client_own, TLS1_2_VERSION)), error_id(Errc::tls_protocol_version));
}

TEST_F(Trust, wants_a_certificate_of_its_own) {
  settings.source.cert_file.clear();
  const auto made = TlsPolicy::make(settings, make_material(tls::Usage::server, nullptr, trusted));
  ASSERT_FALSE(made);
  EXPECT_EQ(error_id(made.error().code), error_id(Errc::broker_tls_incomplete));
}

TEST_F(Trust, judges_live_connections_by_the_new_configuration) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Handshake live = shake(*policy(), &client_own, version);
    ASSERT_TRUE(live.ok());
    EXPECT_EQ(verdict(*policy(), live), "stays");
    trusted = other.certificate_pem() + ca.certificate_pem();
    EXPECT_EQ(verdict(*policy(), live), "stays");
    trusted = other.certificate_pem();
    EXPECT_EQ(verdict(*policy(), live), error_id(Errc::tls_unknown_authority));
    trusted = ca.certificate_pem();
    crl = make_crl(ca, {client_own.info.serial});
    EXPECT_EQ(verdict(*policy(), live), error_id(Errc::tls_peer_revoked));
    crl = make_crl(ca, {server_own.info.serial});
    EXPECT_EQ(verdict(*policy(), live), "stays");
    crl.clear();
    settings.pinned_certs = {server_own.info.spki_sha256};
    EXPECT_EQ(verdict(*policy(), live), error_id(Errc::broker_pin_mismatch));
    settings.pinned_certs = {client_own.info.spki_sha256, server_own.info.spki_sha256};
    EXPECT_EQ(verdict(*policy(), live), "stays");
    settings.pinned_certs.clear();
    trusted = other.certificate_pem();
    settings.recheck = false;
    EXPECT_EQ(verdict(*policy(), live), "stays") << "as nats-server does it";
    settings.recheck = true;
    settings.verify = false;
    EXPECT_EQ(verdict(*policy(), live), "stays") << "nobody is verified any more";
    settings.verify = true;
    trusted = ca.certificate_pem();
  }
}

TEST_F(Trust, misses_the_certificate_that_is_required_now) {
  settings.verify = false;
  const Handshake live = shake(*policy(), nullptr);
  ASSERT_TRUE(live.ok());
  settings.verify = true;
  EXPECT_EQ(verdict(*policy(), live), error_id(Errc::tls_peer_without_certificate));
}

TEST_F(Trust, knows_whether_anything_it_judges_by_has_changed) {
  const auto first = policy();
  EXPECT_TRUE(first->same_trust(*policy()));
  server_own = server_cert(ca);
  settings.curve_preferences = {"X25519"};
  EXPECT_TRUE(first->same_trust(*policy())) << "its own certificate and its ciphers are none of it";
  const auto differs = [&](auto change) {
    const auto before = std::tuple(settings, trusted, crl);
    change();
    const bool different = !first->same_trust(*policy());
    std::tie(settings, trusted, crl) = before;
    return different;
  };
  EXPECT_TRUE(differs([this] { trusted += other.certificate_pem(); }));
  EXPECT_TRUE(differs([this] { trusted = other.certificate_pem(); }));
  EXPECT_TRUE(differs([this] { crl = make_crl(ca); }));
  EXPECT_TRUE(differs([this] { settings.pinned_certs = {client_own.info.spki_sha256}; }));
  EXPECT_TRUE(differs([this] { settings.verify = false; }));
  EXPECT_TRUE(differs([this] { settings.recheck = false; }));
  EXPECT_FALSE(differs([] {}));
}

TEST_F(Trust, knows_the_connections_that_it_has_let_in_itself) {
  const auto first = policy();
  const Handshake live = shake(*first, &client_own);
  EXPECT_TRUE(first->accepted(live.server.ssl()));
  EXPECT_FALSE(policy()->accepted(live.server.ssl()));
}

TEST_F(Trust, tells_when_its_own_certificate_ends) {
  EXPECT_EQ(policy()->not_after(), WallTime(server_own.info.not_after));
}

TEST_F(Trust, ends_tickets_when_it_is_made_anew) {
  settings.tickets = 2;
  const tls::ContextPtr client = client_context(&client_own);
  const auto resumed = [&client](const TlsPolicy& with) {
    const Handshake handshake(must(client->connect(kPeer)), must(with.context().accept()));
    return handshake.ok() && SSL_session_reused(handshake.server.ssl()) == 1;
  };
  const auto first = policy();
  EXPECT_FALSE(resumed(*first));
  EXPECT_TRUE(resumed(*first));
  EXPECT_FALSE(resumed(*policy()));
}

TEST_F(Trust, tells_whom_a_certificate_names) {
  client_own = must(ca.issue({.common_name = "kate",
                              .organization = "Example, Inc",
                              .dns_names = {"a.example.com", "b.example.com"},
                              .ip_addresses = {"192.0.2.1"},
                              .emails = {"kate@example.com"},
                              .uris = {"spiffe://example.com/kate"},
                              .usage = CertUsage::client}));
  const Handshake live = shake(*policy(), &client_own);
  const std::optional<PeerIdentity> peer = peer_identity(live.server.ssl());
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->subject, "CN=kate,O=Example\\, Inc");
  EXPECT_TRUE(tls::equal(peer->name, *tls::parse_distinguished_name("CN=kate,O=Example\\, Inc")));
  EXPECT_EQ(peer->dns_names, (std::vector<std::string>{"a.example.com", "b.example.com"}));
  EXPECT_EQ(peer->emails, std::vector<std::string>{"kate@example.com"});
  EXPECT_EQ(peer->uris, std::vector<std::string>{"spiffe://example.com/kate"});
  const std::vector<PeerCertificateFacts> chain = peer_certificates(live.server.ssl());
  ASSERT_EQ(chain.size(), 1U);
  EXPECT_EQ(chain[0].cert_sha256, client_own.info.sha256);
  EXPECT_EQ(chain[0].spki_sha256, client_own.info.spki_sha256);
}

}  // namespace
}  // namespace hawser::broker
