#include "tls/authority.hpp"

#include <gtest/gtest.h>

#include "pki.hpp"
#include "tls/pem.hpp"
#include "tls/verify.hpp"

namespace hawser::tls::test {
namespace {

TEST(Authority, issues_what_was_asked_for) {
  const Authority ca = must(Authority::create({.name = "CA", .organization = "Example, Inc."}));
  const Issued issued = must(ca.issue({.common_name = "agent",
                                       .organization = "Team \"A\"",
                                       .dns_names = {"a.example.com", "*.b.example.com"},
                                       .ip_addresses = {"10.0.0.1", "fd00::1"},
                                       .emails = {"a@example.com"},
                                       .uris = {"spiffe://example.com/agent"},
                                       .usage = CertUsage::client,
                                       .validity = from_to(-days(1), days(3))}));
  const CertificateInfo& info = issued.info;
  EXPECT_EQ(info.subject, "CN=agent,O=Team \\\"A\\\"");
  EXPECT_EQ(info.issuer, "CN=CA,O=Example\\, Inc.");
  EXPECT_EQ(info.dns_names, (std::vector<std::string>{"a.example.com", "*.b.example.com"}));
  EXPECT_EQ(info.ip_addresses, (std::vector<std::string>{"10.0.0.1", "fd00::1"}));
  EXPECT_EQ(info.emails, std::vector<std::string>{"a@example.com"});
  EXPECT_EQ(info.uris, std::vector<std::string>{"spiffe://example.com/agent"});
  EXPECT_EQ(info.not_before, present() - days(1));
  EXPECT_EQ(info.not_after, present() + days(3));
  EXPECT_TRUE(info.for_client);
  EXPECT_FALSE(info.for_server);
  EXPECT_FALSE(info.is_authority);
  EXPECT_EQ(info.key_type, "EC P-256");
  EXPECT_EQ(info.sha256.size(), 64U);
  EXPECT_EQ(info.spki_sha256.size(), 64U);
}

TEST(Authority, makes_every_key_type) {
  const std::pair<KeyType, const char*> cases[] = {
      {KeyType::ecdsa_p256, "EC P-256"}, {KeyType::ed25519, "ED25519"}, {KeyType::rsa2048, "RSA 2048"}};
  for (const auto& [type, name] : cases) {
    EXPECT_EQ(must(Authority::create({.name = "CA", .key_type = type})).info().key_type, name);
  }
}

TEST(Authority, gives_each_certificate_its_own_serial) {
  const Authority ca = make_ca();
  EXPECT_NE(client_cert(ca).info.serial, client_cert(ca).info.serial);
  EXPECT_EQ(client_cert(ca).info.serial.size(), 32U);
}

TEST(Authority, holds_dates_beyond_the_reach_of_nanoseconds) {
  const Seconds far{std::chrono::sys_days(std::chrono::year(9999) / 12 / 31)};
  const Authority ca = must(Authority::create({.name = "CA", .validity = {present(), far}}));
  EXPECT_EQ(ca.info().not_after, far);
  EXPECT_EQ(format_time(ca.info().not_after), "9999-12-31T00:00:00Z");
}

TEST(Authority, refuses_what_makes_no_certificate) {
  const Authority ca = make_ca();
  const CertificateRequest cases[] = {
      {},                                                           // no name
      {.common_name = "a", .validity = from_to(days(1), days(0))},  // ends before it begins
      {.common_name = std::string(65, 'a')},                        // over RFC 5280's bound
      {.common_name = "a", .ip_addresses = {"10.0.0"}},
      {.common_name = "a", .ip_addresses = {"nats.example.com"}},
      {.common_name = "a", .dns_names = {""}},
      {.common_name = "a", .dns_names = {"a b"}},
      {.common_name = "a", .dns_names = {"h\xc3\xb6st"}},
      {.common_name = "a", .uris = {"x\ny"}},
  };
  for (const CertificateRequest& request : cases) {
    const Result<Issued> issued = ca.issue(request);
    ASSERT_FALSE(issued);
    EXPECT_EQ(issued.error().code, Errc::pki_bad_request) << issued.error().message();
  }
  EXPECT_EQ(ca.crl({"xyz"}, from_to(days(0), days(1)), 1).error().code, Errc::pki_bad_request);
  EXPECT_EQ(ca.crl({""}, from_to(days(0), days(1)), 1).error().code, Errc::pki_bad_request);
  EXPECT_EQ(ca.crl({}, from_to(days(1), days(0)), 1).error().code, Errc::pki_bad_request);
}

TEST(Authority, survives_being_written_and_read_back) {
  const Authority root = make_ca();
  const Authority intermediate = must(root.intermediate({.name = "Intermediate"}));
  const Authority again = must(Authority::from_pem(intermediate.chain_pem(), intermediate.key_pem()));
  const Issued issued = client_cert(again);
  const MaterialPtr trust = make_material(Usage::client, nullptr, root.certificate_pem());
  EXPECT_TRUE(verify_pem(issued.chain_pem, *trust, {.usage = Usage::client, .at = present()}));
  const Authority root_again = must(Authority::from_pem(root.certificate_pem(), root.key_pem()));
  EXPECT_TRUE(root_again.chain_pem().empty());
}

TEST(Authority, is_not_read_back_from_what_is_none) {
  const Authority ca = make_ca();
  const Issued leaf = client_cert(ca);
  EXPECT_EQ(Authority::from_pem(leaf.chain_pem, leaf.key_pem).error().code, Errc::pki_bad_request);
  EXPECT_EQ(Authority::from_pem(ca.certificate_pem(), leaf.key_pem).error().code, Errc::tls_key_mismatch);
  EXPECT_EQ(Authority::from_pem("", leaf.key_pem).error().code, Errc::tls_certificate_missing);
  EXPECT_EQ(Authority::from_pem(ca.certificate_pem(), Secret("x")).error().code, Errc::tls_key_missing);
}

TEST(VerifyPem, says_why_a_chain_is_not_accepted) {
  const Authority ca = make_ca();
  const Issued server = server_cert(ca, {.validity = from_to(-days(2), days(2))});
  const MaterialPtr trust = make_material(Usage::client, nullptr, ca.certificate_pem());
  const MaterialPtr strict =
      make_material(Usage::client, nullptr, ca.certificate_pem(), make_crl(ca, {server.info.serial}));
  const MaterialPtr elsewhere = make_material(Usage::client, nullptr, make_ca("Other").certificate_pem());
  const MaterialPtr nothing = make_material(Usage::client, nullptr);
  struct Case {
    const MaterialPtr& trust;
    Expectation expected;
    std::optional<Errc> code;
  };
  const Case cases[] = {
      {trust, {.at = present()}, std::nullopt},
      {trust, {.name = "nats.example.com", .at = present()}, std::nullopt},
      {trust, {.name = "other.example.com", .at = present()}, Errc::tls_wrong_name},
      {trust, {.usage = Usage::client, .at = present()}, Errc::tls_peer_wrong_usage},
      {trust, {.at = present() + days(3)}, Errc::tls_peer_expired},
      {trust, {.at = present() - days(3)}, Errc::tls_peer_not_yet_valid},
      {strict, {.at = present()}, Errc::tls_peer_revoked},
      {elsewhere, {.at = present()}, Errc::tls_unknown_authority},
      {nothing, {.at = present()}, Errc::tls_unknown_authority},
      {trust, {.name = "not a name", .at = present()}, Errc::tls_bad_name},
  };
  for (const Case& one : cases) {
    const Result<void> verified = verify_pem(server.chain_pem, *one.trust, one.expected);
    EXPECT_EQ(verified ? std::nullopt : std::optional(verified.error().code), one.code)
        << (verified ? "accepted" : verified.error().message());
  }
  EXPECT_EQ(verify_pem("nothing", *trust, {.at = present()}).error().code, Errc::tls_certificate_missing);
}

TEST(Pem, allows_text_around_its_blocks_and_none_inside_them) {
  const std::string ca = make_ca().certificate_pem();
  EXPECT_EQ(parse_certificates("Certificate:\n  Data: …\n" + ca + "\ntrailing\n" + ca, "x")->size(), 2U);
  EXPECT_EQ(parse_certificates("", "x")->size(), 0U);
  std::string windows;
  for (const char c : ca) {
    windows += c == '\n' ? "\r\n" : std::string(1, c);
  }
  EXPECT_EQ(parse_certificates(windows, "x")->size(), 1U);
  EXPECT_EQ(parse_certificates(ca + ca.substr(0, ca.size() - 10), "x").error().doing.substr(0, 10), "x, block 2");
  EXPECT_FALSE(parse_certificates(std::string("\0", 1) + ca, "x"));
}

}  // namespace
}  // namespace hawser::tls::test
