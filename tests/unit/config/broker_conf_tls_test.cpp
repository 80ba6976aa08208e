#include "broker_conf_world.hpp"

namespace hawser::config {
namespace {

using broker::HandshakeFirst;
using broker::TlsSettings;
using std::chrono::milliseconds;

TlsSettings tls_of(const std::string& inside) {
  const auto settings = settings_of("tls { cert_file: c.pem, key_file: \"k.pem\", " + inside + " }");
  EXPECT_TRUE(settings.tls);
  return settings.tls.value_or(TlsSettings{});
}
std::string mistakes_of_tls(const std::string& inside) {
  return mistakes_of("tls { cert_file: c, key_file: k, " + inside + " }");
}

const std::string kPin(64, 'a');

TEST(BrokerConfTls, reads_every_key) {
  const TlsSettings plain = tls_of("");
  EXPECT_EQ(plain.source.cert_file, "c.pem");
  EXPECT_EQ(plain.source.key_file, "k.pem");
  EXPECT_EQ(plain.source.usage, tls::Usage::server);
  EXPECT_FALSE(plain.verify);
  EXPECT_TRUE(plain.recheck);
  EXPECT_EQ(plain.timeout, std::chrono::seconds(2));

  EXPECT_EQ(tls_of("ca_file: ca").source.ca_file, "ca");
  EXPECT_EQ(tls_of("ca_file: ca, crl_file: r").source.crl_file, "r");
  EXPECT_TRUE(tls_of("ca_file: ca, verify: true").verify);
  EXPECT_FALSE(tls_of("ca_file: ca, verify: true").verify_and_map);
  EXPECT_TRUE(tls_of("ca_file: ca, verify_and_map: true").verify);
  EXPECT_TRUE(tls_of("ca_file: ca, verify_and_map: true").verify_and_map);
  EXPECT_EQ(tls_of("timeout: 3").timeout, std::chrono::seconds(3));
  EXPECT_EQ(tls_of("timeout: 0.5").timeout, milliseconds(500));
  EXPECT_EQ(tls_of("timeout: \"5s\"").timeout, std::chrono::seconds(5));
  EXPECT_EQ(tls_of("timeout: 0").timeout, std::chrono::seconds(2));
  EXPECT_EQ(tls_of("min_version: \"1.3\"").min_version, tls::Version::tls13);
  EXPECT_EQ(tls_of("min_version: 1.3").min_version, tls::Version::tls13);
  EXPECT_EQ(tls_of("min_version: \"1.2\"").min_version, tls::Version::tls12);
  EXPECT_EQ(
      tls_of("cipher_suites: [ \"TLS_AES_128_GCM_SHA256\", TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 ]").cipher_suites,
      (std::vector<std::string>{"TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"}));
  EXPECT_EQ(tls_of("curve_preferences: [ X25519, CurveP256 ]").curve_preferences,
            (std::vector<std::string>{"X25519", "CurveP256"}));
  EXPECT_EQ(tls_of("ca_file: ca, verify: true, pinned_certs: [ \"" + std::string(64, 'A') + "\" ]").pinned_certs,
            (std::set<std::string>{kPin}));
  EXPECT_EQ(tls_of("connection_rate_limit: 100").connection_rate_limit, 100U);
  EXPECT_FALSE(tls_of("recheck: false").recheck);
  EXPECT_EQ(tls_of("tickets: 2").tickets, 2U);
  EXPECT_EQ(settings_of("tls { certs: [ { cert_file: c, key_file: k } ] }").tls->source.cert_file, "c");
}

TEST(BrokerConfTls, reads_handshake_first_as_nats_server_does) {
  struct Case {
    const char* text;
    HandshakeFirst first;
    milliseconds wait{50};
  };
  for (const Case& c :
       {Case{"handshake_first: true", HandshakeFirst::always}, Case{"first: on", HandshakeFirst::always},
        Case{"immediate: \"true\"", HandshakeFirst::always}, Case{"handshake_first: false", HandshakeFirst::off},
        Case{"handshake_first: \"off\"", HandshakeFirst::off}, Case{"handshake_first: auto", HandshakeFirst::fallback},
        Case{"handshake_first: \"AUTO_fallback\"", HandshakeFirst::fallback},
        Case{"handshake_first: \"300ms\"", HandshakeFirst::fallback, milliseconds(300)},
        Case{"handshake_first: 300ms", HandshakeFirst::fallback, milliseconds(300)}}) {
    EXPECT_EQ(tls_of(c.text).handshake_first, c.first) << c.text;
    EXPECT_EQ(tls_of(c.text).handshake_fallback, c.wait) << c.text;
  }
  for (const char* bad :
       {"handshake_first: 1m", "handshake_first: soon", "handshake_first: [true]", "handshake_first: 1.5"}) {
    EXPECT_NE(mistakes_of_tls(bad).find("tls.handshake_first must be"), std::string::npos) << bad;
  }
}

TEST(BrokerConfTls, refuses_what_it_cannot_do_with_the_names_that_there_are) {
  struct Case {
    std::string text;
    const char* says;
  };
  for (const Case& c : {
           Case{"verify: true", "missing 'ca_file' in TLS configuration"},
           Case{"verify_and_map: true", "missing 'ca_file' in TLS configuration"},
           Case{"crl_file: r", "missing 'ca_file' in TLS configuration"},
           Case{"min_version: \"1.1\"", "unsupported TLS version: 1.1"},
           Case{"min_version: tls13", "unsupported TLS version: tls13"},
           Case{"cipher_suites: []", "tls.cipher_suites must be a list, and not an empty one"},
           Case{"cipher_suites: TLS_AES_128_GCM_SHA256", "tls.cipher_suites must be a list"},
           Case{"cipher_suites: [ TLS_NONSENSE ]",
                "tls.cipher_suites: unrecognized cipher TLS_NONSENSE; there are TLS_AES_128_GCM_SHA256, "},
           Case{"cipher_suites: [ TLS_RSA_WITH_RC4_128_SHA ]",
                "tls.cipher_suites: TLS_RSA_WITH_RC4_128_SHA is insecure"},
           Case{"curve_preferences: [ Foo ]", "unrecognized curve preference Foo; there are X25519, CurveP256, "},
           Case{"cipher_suites: [ TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA ]",
                "tls.cipher_suites names nothing that is offered"},
           Case{"curve_preferences: [ X25519MLKEM768 ]", "none of X25519MLKEM768 is available"},
           Case{"pinned_certs: [ abc ]", "does not look like hex-encoded sha256"},
           Case{"pinned_certs: [ \"" + std::string(64, 'g') + "\" ]", "does not look like hex-encoded sha256"},
           Case{"pinned_certs: abc", "tls.pinned_certs must be a list"},
           Case{"verify: yes please", "expected the end of the value"},
           Case{"verify: \"true\"", "tls.verify must be true or false"},
           Case{"verify_cert_and_check_known_urls: true",
                "verify_cert_and_check_known_urls not supported in this context"},
           Case{"timeout: x", "tls.timeout must be a duration"},
           Case{"connection_rate_limit: \"1\"", "tls.connection_rate_limit must be a whole number"},
           Case{"tickets: -1", "tls.tickets must be a number from 0"},
           Case{"cert: x", "unknown key \"cert\" in tls (It is called cert_file.)"},
           Case{"certs: [ {cert_file: a, key_file: b} ]", "cannot combine 'cert_file' option with 'certs' option"},
           Case{"certs: [ {cert_file: a, key_file: b}, {cert_file: a, key_file: b} ]", "other than one certificate"},
           Case{"client_auth: true, verify: false, ca_file: c", "contradict each other"},
       }) {
    EXPECT_NE(mistakes_of_tls(c.text).find(c.says), std::string::npos) << c.text << "\n" << mistakes_of_tls(c.text);
  }
  EXPECT_NE(mistakes_of("tls {}").find("missing 'cert_file'"), std::string::npos);
  EXPECT_NE(mistakes_of("tls { cert_file: c }").find("missing 'key_file'"), std::string::npos);
  EXPECT_NE(mistakes_of("tls: true").find("tls must be a block in braces, not a boolean"), std::string::npos);
  EXPECT_EQ(mistakes_of("tls: true").find('\n'), std::string::npos) << "one mistake is told once";
}

TEST(BrokerConfTls, leaves_out_cipher_suites_with_cbc_and_says_so) {
  const std::string text =
      "cipher_suites: [ TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 ]";
  EXPECT_EQ(tls_of(text).cipher_suites, std::vector<std::string>{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"});
  EXPECT_NE(notices_of("tls { cert_file: c, key_file: k, " + text + " }")
                .find("BRK-1119 b:1:51: TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA is not offered"),
            std::string::npos);
  EXPECT_EQ(mistakes_of_tls("curve_preferences: [ X25519MLKEM768, X25519 ]"), "");
}

TEST(BrokerConfTls, understands_client_auth_and_shows_the_right_form) {
  const std::string text = "tls { cert_file: c, key_file: k, ca_file: a, client_auth: true }";
  EXPECT_TRUE(settings_of(text).tls->verify);
  EXPECT_EQ(notices_of(text), "BRK-1116 b:1:46: nats-server does not know \"client_auth\" in tls (verify: true)\n");
}

TEST(BrokerConfTls, warns_of_pins_that_do_not_pin) {
  EXPECT_NE(notices_of("tls { cert_file: c, key_file: k, pinned_certs: [ \"" + kPin + "\" ] }")
                .find("pinned_certs without verify"),
            std::string::npos);
  EXPECT_NE(notices_of("tls { cert_file: c, key_file: k, pinned_certs: [] }").find("pins nothing"), std::string::npos);
}

}  // namespace
}  // namespace hawser::config
