#include "handshake.hpp"

#include <gtest/gtest.h>

#include "crafted.hpp"
#include "pki.hpp"

namespace hawser::tls::test {
namespace {

const Peer kPeer{.host = "nats.example.com", .session_key = "nats.example.com:4222"};

// Both sides with certificates of one CA; each part may be replaced before `run`.
struct Sides {
  Authority ca = make_ca();
  Issued server = server_cert(ca);
  Issued client = client_cert(ca);
  std::string client_trusts = ca.certificate_pem();
  std::string server_trusts = ca.certificate_pem();
  std::string client_crl;
  std::string server_crl;
  bool client_has_certificate = true;
  ClientOptions client_options;
  ServerOptions server_options;
  Peer peer = kPeer;
  WallTime loaded_at = present();

  [[nodiscard]] ContextPtr client_context() const {
    return must(Context::client(
        make_material(Usage::client, client_has_certificate ? &client : nullptr, client_trusts, client_crl, loaded_at),
        client_options));
  }
  [[nodiscard]] ContextPtr server_context() const {
    return must(
        Context::server(make_material(Usage::server, &server, server_trusts, server_crl, loaded_at), server_options));
  }
  [[nodiscard]] Handshake run() const {
    return {must(client_context()->connect(peer)), must(server_context()->accept())};
  }
};

void expect_client_error(const Handshake& handshake, Errc code) {
  ASSERT_TRUE(handshake.client.error) << "the client saw no error";
  EXPECT_EQ(error_id(handshake.client.error->code), error_id(code)) << handshake.client.error->message();
}

void expect_server_error(const Handshake& handshake, Errc code) {
  ASSERT_TRUE(handshake.server.error) << "the server saw no error";
  EXPECT_EQ(error_id(handshake.server.error->code), error_id(code)) << handshake.server.error->message();
}

TEST(Handshake, succeeds_with_mutual_certificates_and_shows_each_side_the_other) {
  const Sides sides;
  const Handshake handshake = sides.run();
  ASSERT_TRUE(handshake.ok());
  EXPECT_EQ(version_name(handshake.client.ssl()), "1.3");
  EXPECT_FALSE(cipher_name(handshake.client.ssl()).empty());
  const std::vector<CertificateInfo> seen = peer_chain(handshake.server.ssl());
  ASSERT_EQ(seen.size(), 1U);  // the CA of the trust store is not appended
  EXPECT_EQ(seen.front(), sides.client.info);
  EXPECT_EQ(peer_chain(handshake.client.ssl()).front().sha256, sides.server.info.sha256);
}

TEST(Handshake, outlives_the_context_and_material_that_it_began_with) {
  Sides sides;
  SslPtr client = must(sides.client_context()->connect(kPeer));
  SslPtr server = must(sides.server_context()->accept());
  EXPECT_TRUE(Handshake(std::move(client), std::move(server)).ok());
}

TEST(Handshake, sends_intermediates_and_verifies_through_them) {
  Sides sides;
  const Authority intermediate = must(sides.ca.intermediate({.name = "Intermediate"}));
  sides.server = server_cert(intermediate);
  sides.client = client_cert(intermediate);
  const Handshake handshake = sides.run();
  ASSERT_TRUE(handshake.ok());
  EXPECT_EQ(peer_chain(handshake.server.ssl()).size(), 2U);
  EXPECT_EQ(peer_chain(handshake.client.ssl()).size(), 2U);
}

TEST(Handshake, accepts_an_intermediate_as_the_trusted_end_of_a_chain) {
  Sides sides;
  const Authority intermediate = must(sides.ca.intermediate({.name = "Intermediate"}));
  sides.server = server_cert(intermediate);
  sides.client_trusts = intermediate.certificate_pem();
  EXPECT_TRUE(sides.run().ok());
}

TEST(Handshake, works_with_every_key_type) {
  for (const KeyType type : {KeyType::ecdsa_p256, KeyType::ed25519, KeyType::rsa2048}) {
    Sides sides;
    sides.ca = must(Authority::create({.name = "CA", .key_type = type}));
    sides.client_trusts = sides.server_trusts = sides.ca.certificate_pem();
    sides.server = server_cert(sides.ca, {.key_type = type});
    sides.client = client_cert(sides.ca, {.key_type = type});
    EXPECT_TRUE(sides.run().ok()) << static_cast<int>(type);
  }
}

TEST(Handshake, refuses_a_server_of_an_unknown_authority) {
  Sides sides;
  sides.client_trusts = make_ca("Other CA").certificate_pem();
  const Handshake handshake = sides.run();
  expect_client_error(handshake, Errc::tls_unknown_authority);
  // What an operator needs to find the certificate.
  EXPECT_NE(handshake.client.error->doing.find(sides.server.info.subject), std::string::npos);
  EXPECT_NE(handshake.client.error->doing.find(short_fingerprint(sides.server.info.sha256)), std::string::npos);
  EXPECT_NE(handshake.client.error->doing.find("nats.example.com"), std::string::npos);
  expect_server_error(handshake, Errc::tls_refused_unknown_authority);
}

TEST(Handshake, refuses_an_authority_of_the_same_name_with_another_key) {
  Sides sides;
  sides.client_trusts = make_ca().certificate_pem();
  expect_client_error(sides.run(), Errc::tls_unknown_authority);
}

TEST(Handshake, refuses_a_self_signed_server_and_accepts_it_once_its_certificate_is_trusted) {
  Sides sides;
  sides.server = must(Authority::self_signed({.common_name = "nats", .dns_names = {"nats.example.com"}}));
  expect_client_error(sides.run(), Errc::tls_self_signed);
  sides.client_trusts = sides.server.chain_pem;
  EXPECT_TRUE(sides.run().ok());
}

TEST(Handshake, trusts_an_end_entity_certificate_for_itself_alone) {
  Sides sides;
  const Issued pinned = server_cert(sides.ca);
  sides.client_trusts = pinned.chain_pem;  // not its CA
  expect_client_error(sides.run(), Errc::tls_unknown_authority);
  sides.server = Issued{pinned.chain_pem, pinned.key_pem.copy(), pinned.info};
  EXPECT_TRUE(sides.run().ok());
}

TEST(Handshake, does_not_let_a_trusted_end_entity_certificate_sign_others) {
  // Not a CA by its extensions; of version 1, which OpenSSL alone would take for a CA; without basicConstraints.
  for (const char* constraints : {"critical,CA:FALSE", static_cast<const char*>(nullptr)}) {
    const Crafted pinned = craft({.name = "Pinned", .basic_constraints = constraints});
    Sides sides;
    sides.client_trusts = pinned.issued().chain_pem;
    sides.server =
        craft({.name = "nats", .issuer = &pinned, .basic_constraints = "CA:FALSE", .dns_name = "DNS:nats.example.com"})
            .issued();
    expect_client_error(sides.run(), Errc::tls_unknown_authority);
  }
}

TEST(Handshake, still_checks_name_and_dates_of_a_pinned_certificate) {
  Sides sides;
  sides.client_trusts = sides.server.chain_pem;
  sides.peer.host = "other.example.com";
  expect_client_error(sides.run(), Errc::tls_wrong_name);

  Sides expired;
  expired.server = server_cert(expired.ca, {.validity = from_to(-days(2), -hours(1))});
  expired.client_trusts = expired.server.chain_pem;
  expired.client = client_cert(expired.ca, {.validity = from_to(-days(3), days(3))});
  expired.loaded_at = present() - days(1);
  expired.ca = make_ca();
  expect_client_error(expired.run(), Errc::tls_peer_expired);
}

struct NameCase {
  const char* dialled;
  CertificateRequest certificate;
  bool accepted;
};

TEST(Handshake, checks_server_names_by_rfc_6125) {
  const NameCase cases[] = {
      {"nats.example.com", {.dns_names = {"nats.example.com"}}, true},
      {"NATS.Example.COM", {.dns_names = {"nats.example.com"}}, true},
      {"nats.example.com.", {.dns_names = {"nats.example.com"}}, true},
      {"a.example.com", {.dns_names = {"*.example.com"}}, true},
      {"a.b.example.com", {.dns_names = {"*.example.com"}}, false},
      {"example.com", {.dns_names = {"*.example.com"}}, false},
      {"nats1.example.com", {.dns_names = {"nats*.example.com"}}, false},  // partial wildcards
      {"other.example.com", {.dns_names = {"nats.example.com"}}, false},
      {"nats.example.com", {.common_name = "nats.example.com", .dns_names = {"other"}}, false},
      {"nats.example.com", {.common_name = "nats.example.com", .ip_addresses = {"10.0.0.1"}}, false},  // no CN fallback
      {"127.0.0.1", {.ip_addresses = {"127.0.0.1"}}, true},
      {"::1", {.ip_addresses = {"::1"}}, true},
      {"0:0:0:0:0:0:0:1", {.ip_addresses = {"::1"}}, true},
      {"127.0.0.1", {.ip_addresses = {"127.0.0.2"}}, false},
      {"127.0.0.1", {.dns_names = {"127.0.0.1"}}, false},  // an address is no DNS name
      {"localhost", {.dns_names = {"localhost"}}, true},
  };
  for (const NameCase& one : cases) {
    Sides sides;
    sides.server = server_cert(sides.ca, one.certificate);
    sides.peer.host = one.dialled;
    const Handshake handshake = sides.run();
    EXPECT_EQ(handshake.ok(), one.accepted) << one.dialled;
    if (!one.accepted) {
      expect_client_error(handshake, Errc::tls_wrong_name);
    }
  }
}

TEST(Handshake, says_which_names_the_certificate_holds) {
  Sides sides;
  sides.server = server_cert(sides.ca, {.dns_names = {"a.example.com", "b.example.com"}, .ip_addresses = {"10.1.2.3"}});
  const Handshake handshake = sides.run();
  expect_client_error(handshake, Errc::tls_wrong_name);
  for (const char* text : {"a.example.com", "b.example.com", "10.1.2.3", "nats.example.com was expected"}) {
    EXPECT_NE(handshake.client.error->doing.find(text), std::string::npos) << handshake.client.error->doing;
  }
}

TEST(Handshake, takes_the_configured_server_name_before_the_host) {
  Sides sides;
  Source source{.server_name = "nats.example.com"};
  const ContextPtr client =
      must(Context::client(must(load(source, bytes_of(&sides.client, sides.client_trusts), present())), {}));
  const Handshake handshake(must(client->connect({.host = "10.0.0.7", .session_key = {}})),
                            must(sides.server_context()->accept()));
  ASSERT_TRUE(handshake.ok());
  EXPECT_STREQ(SSL_get_servername(handshake.server.ssl(), TLSEXT_NAMETYPE_host_name), "nats.example.com");
}

TEST(Handshake, sends_no_server_name_for_an_address) {
  Sides sides;
  sides.server = server_cert(sides.ca, {.ip_addresses = {"127.0.0.1"}});
  sides.peer.host = "127.0.0.1";
  const Handshake handshake = sides.run();
  ASSERT_TRUE(handshake.ok());
  EXPECT_EQ(SSL_get_servername(handshake.server.ssl(), TLSEXT_NAMETYPE_host_name), nullptr);
}

TEST(Handshake, refuses_to_dial_what_is_not_a_name) {
  const Sides sides;
  const ContextPtr context = sides.client_context();
  for (const std::string& host :
       {std::string(), std::string("a b"), std::string("nats.example.com:4222"), std::string("[::1]"),
        std::string("a\0b", 3), std::string(".example.com"), std::string(300, 'a'), std::string("h\xc3\xa9.fr")}) {
    const Result<SslPtr> ssl = context->connect({.host = host, .session_key = {}});
    ASSERT_FALSE(ssl) << host;
    EXPECT_EQ(ssl.error().code, Errc::tls_bad_name) << host;
  }
}

TEST(Handshake, refuses_expired_and_not_yet_valid_peers) {
  Sides expired;
  expired.server = server_cert(expired.ca, {.validity = from_to(-days(2), -hours(1))});
  expired.client = client_cert(expired.ca, {.validity = from_to(-days(3), days(3))});
  expired.loaded_at = present() - days(1);
  EXPECT_EQ(expired.ca.info().not_before <= present(), true);
  expect_client_error(expired.run(), Errc::tls_peer_expired);

  Sides early;
  early.server = server_cert(early.ca, {.validity = from_to(days(1), days(2))});
  early.client = client_cert(early.ca, {.validity = from_to(-days(1), days(3))});
  early.loaded_at = present() + days(1);
  expect_client_error(early.run(), Errc::tls_peer_not_yet_valid);
}

TEST(Handshake, tells_a_client_that_its_own_certificate_has_expired) {
  Sides sides;
  sides.client = client_cert(sides.ca, {.validity = from_to(-days(2), -hours(1))});
  sides.server = server_cert(sides.ca, {.validity = from_to(-days(3), days(3))});
  sides.loaded_at = present() - days(1);
  const Handshake handshake = sides.run();
  expect_server_error(handshake, Errc::tls_peer_expired);
  expect_client_error(handshake, Errc::tls_refused_expired);
  EXPECT_NE(handshake.client.error->doing.find(sides.client.info.subject), std::string::npos);
}

TEST(Handshake, refuses_revoked_peers_on_both_sides) {
  Sides server_revoked;
  server_revoked.client_crl = make_crl(server_revoked.ca, {server_revoked.server.info.serial});
  expect_client_error(server_revoked.run(), Errc::tls_peer_revoked);

  Sides client_revoked;
  client_revoked.server_crl = make_crl(client_revoked.ca, {client_revoked.client.info.serial});
  const Handshake handshake = client_revoked.run();
  expect_server_error(handshake, Errc::tls_peer_revoked);
  expect_client_error(handshake, Errc::tls_refused_revoked);

  Sides another_revoked;
  another_revoked.client_crl = make_crl(another_revoked.ca, {"deadbeef"});
  EXPECT_TRUE(another_revoked.run().ok());
}

TEST(Handshake, with_crls_needs_one_of_every_issuer_below_the_anchor) {
  Sides sides;
  const Authority intermediate = must(sides.ca.intermediate({.name = "Intermediate"}));
  sides.server = server_cert(intermediate);
  sides.client_crl = make_crl(sides.ca);
  expect_client_error(sides.run(), Errc::tls_peer_crl_unavailable);
  sides.client_crl += make_crl(intermediate);
  EXPECT_TRUE(sides.run().ok());
  sides.client_crl = make_crl(sides.ca, {intermediate.info().serial}) + make_crl(intermediate);
  expect_client_error(sides.run(), Errc::tls_peer_revoked);
  // As the anchor itself, the intermediate is trusted by configuration: only its own CRL is asked for.
  sides.client_trusts = intermediate.certificate_pem();
  sides.client_crl = make_crl(intermediate);
  EXPECT_TRUE(sides.run().ok());
}

TEST(Handshake, refuses_peers_when_the_crl_has_run_out_since_it_was_loaded) {
  Sides sides;
  sides.server = server_cert(sides.ca, {.validity = from_to(-days(3), days(3))});
  sides.client = client_cert(sides.ca, {.validity = from_to(-days(3), days(3))});
  sides.client_crl = make_crl(sides.ca, {}, from_to(-days(2), -hours(1)));
  sides.loaded_at = present() - days(1);
  expect_client_error(sides.run(), Errc::tls_peer_crl_unavailable);
}

TEST(Handshake, refuses_a_certificate_for_the_other_use) {
  Sides sides;
  sides.server =
      must(sides.ca.issue({.common_name = "nats", .dns_names = {"nats.example.com"}, .usage = CertUsage::client}));
  const MaterialPtr as_client = make_material(Usage::client, &sides.server, sides.server_trusts);
  const ContextPtr server = must(Context::server(as_client, {}));
  const Handshake handshake(must(sides.client_context()->connect(kPeer)), must(server->accept()));
  expect_client_error(handshake, Errc::tls_peer_wrong_usage);
}

TEST(Handshake, refuses_a_client_without_a_certificate_in_both_versions) {
  for (const int newest : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Sides sides;
    sides.client_has_certificate = false;
    SslPtr client = must(sides.client_context()->connect(kPeer));
    SSL_set_max_proto_version(client.get(), newest);
    const Handshake handshake(std::move(client), must(sides.server_context()->accept()));
    expect_server_error(handshake, Errc::tls_peer_without_certificate);
    expect_client_error(handshake, Errc::tls_refused_without_certificate);
  }
}

TEST(Handshake, tells_a_client_that_the_server_does_not_know_its_authority) {
  Sides sides;
  sides.server_trusts = make_ca("Other CA").certificate_pem();
  const Handshake handshake = sides.run();
  expect_server_error(handshake, Errc::tls_unknown_authority);
  expect_client_error(handshake, Errc::tls_refused_unknown_authority);
  EXPECT_TRUE(is_certificate_refusal(handshake.client.error->code));
  EXPECT_FALSE(is_certificate_refusal(Errc::tls_unknown_authority));
}

TEST(Handshake, lets_clients_without_certificate_in_where_it_is_optional) {
  Sides sides;
  sides.client_has_certificate = false;
  sides.server_options.client_certificate = ClientCertificate::optional;
  const Handshake handshake = sides.run();
  EXPECT_TRUE(handshake.ok());
  EXPECT_TRUE(peer_chain(handshake.server.ssl()).empty());
  sides.server_options.client_certificate = ClientCertificate::none;
  EXPECT_TRUE(sides.run().ok());
}

TEST(Handshake, does_not_verify_clients_without_an_authority) {
  Sides sides;
  const Result<ContextPtr> context = Context::server(make_material(Usage::server, &sides.server), {});
  ASSERT_FALSE(context);
  EXPECT_EQ(context.error().code, Errc::tls_no_trust);
}

TEST(Handshake, skips_verification_only_when_told_so) {
  Sides sides;
  sides.client_trusts = make_ca("Other CA").certificate_pem();
  sides.client_options.dangerous_skip_verify = true;
  EXPECT_TRUE(sides.run().ok());
}

TEST(Handshake, refuses_a_server_that_speaks_only_tls_1_1) {
  const Sides sides;
  // Made by hand: no Context can be told to speak it.
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> old(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX_set_security_level(old.get(), 0);
  SSL_CTX_set_cipher_list(old.get(), "ALL:@SECLEVEL=0");
  SSL_CTX_set_min_proto_version(old.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(old.get(), TLS1_1_VERSION);
  SslPtr server(SSL_new(old.get()));
  SSL_set_accept_state(server.get());
  expect_client_error(Handshake(must(sides.client_context()->connect(kPeer)), std::move(server)),
                      Errc::tls_protocol_version);
}

TEST(Handshake, the_server_chooses_aes_128_unless_the_client_asks_for_chacha_first) {
  struct Row {
    int version;
    const char* client_wants;
    std::string chosen;
  };
  const Sides sides;
  for (const Row& row : {
           Row{TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"},
           Row{TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"},
           Row{TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"},
           Row{TLS1_2_VERSION, nullptr, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
       }) {
    SslPtr client = must(sides.client_context()->connect(kPeer));
    SSL_set_max_proto_version(client.get(), row.version);
    if (row.client_wants != nullptr) {
      SSL_set_ciphersuites(client.get(), row.client_wants);
    }
    const Handshake handshake(std::move(client), must(sides.server_context()->accept()));
    ASSERT_TRUE(handshake.ok());
    EXPECT_EQ(cipher_name(handshake.server.ssl()), row.chosen);
  }
}

TEST(Handshake, keeps_to_the_minimum_version) {
  Sides sides;
  sides.server_options.min_version = Version::tls13;
  SslPtr client = must(sides.client_context()->connect(kPeer));
  SSL_set_max_proto_version(client.get(), TLS1_2_VERSION);
  const Handshake handshake(std::move(client), must(sides.server_context()->accept()));
  expect_client_error(handshake, Errc::tls_protocol_version);
  expect_server_error(handshake, Errc::tls_protocol_version);
}

TEST(Handshake, speaks_tls_1_2_where_the_peer_can_do_no_better) {
  const Sides sides;
  SslPtr client = must(sides.client_context()->connect(kPeer));
  SSL_set_max_proto_version(client.get(), TLS1_2_VERSION);
  const Handshake handshake(std::move(client), must(sides.server_context()->accept()));
  ASSERT_TRUE(handshake.ok());
  EXPECT_EQ(version_name(handshake.client.ssl()), "1.2");
}

TEST(Handshake, names_a_peer_that_does_not_speak_tls) {
  const Sides sides;
  for (const char* greeting : {"INFO {\"server_id\":\"N\",\"version\":\"2.9.10\"} \r\n",
                               "HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-x\r\n"}) {
    End client(must(sides.client_context()->connect(kPeer)));
    client.step();
    client.give_input(greeting);
    client.step();
    ASSERT_TRUE(client.error) << greeting;
    EXPECT_EQ(client.error->code, Errc::tls_peer_not_tls) << client.error->message();
  }
  End server(must(sides.server_context()->accept()));
  server.give_input("CONNECT {\"verbose\":false}\r\nPING\r\n");
  server.step();
  ASSERT_TRUE(server.error);
  EXPECT_EQ(server.error->code, Errc::tls_peer_not_tls) << server.error->message();
}

TEST(Handshake, says_when_the_peer_went_away_in_the_middle) {
  const Sides sides;
  End client(must(sides.client_context()->connect(kPeer)));
  client.step();
  client.end_of_input();
  client.step();
  ASSERT_TRUE(client.error);
  EXPECT_EQ(client.error->code, Errc::tls_cut_short) << client.error->message();
}

TEST(Handshake, says_when_nothing_is_in_common) {
  Sides sides;
  sides.server_options.groups = "P-521";
  const Handshake handshake = sides.run();
  expect_server_error(handshake, Errc::tls_no_common_cipher);
  expect_client_error(handshake, Errc::tls_no_common_cipher);
}

TEST(Handshake, rejects_settings_that_openssl_does_not_know) {
  Sides sides;
  const MaterialPtr material = make_material(Usage::server, &sides.server, sides.server_trusts);
  ServerOptions ciphers;
  ciphers.cipher_suites = "NO-SUCH-SUITE";
  EXPECT_EQ(Context::server(material, ciphers).error().code, Errc::tls_context_failed);
  ServerOptions groups;
  groups.groups = "no-such-group";
  EXPECT_EQ(Context::server(material, groups).error().code, Errc::tls_context_failed);
}

TEST(Handshake, prefers_x25519) {
  const Sides sides;
  const Handshake handshake = sides.run();
  ASSERT_TRUE(handshake.ok());
  EXPECT_EQ(SSL_get_negotiated_group(handshake.client.ssl()), NID_X25519);
}

}  // namespace
}  // namespace hawser::tls::test
