#include "tls/material.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/limits.hpp"
#include "crafted.hpp"
#include "pki.hpp"

namespace hawser::tls::test {
namespace {

namespace fs = std::filesystem;

// One CA and pairs, made once: the tests only read them.
struct World {
  Authority ca = make_ca();
  Authority other = make_ca("Other CA");
  Authority twin = make_ca();  // the same name, another key
  Issued agent = client_cert(ca);
  Issued another = client_cert(ca);
  Issued server = server_cert(ca);
};
const World& world() {
  static const World one;
  return one;
}

SourceBytes good() { return bytes_of(&world().agent, world().ca.certificate_pem()); }

std::string cut(std::string text) { return text.substr(0, text.size() / 2); }

struct Refusal {
  const char* what;
  std::function<SourceBytes()> bytes;
  Errc code;
  Usage usage = Usage::client;
};

TEST(Material, refuses_with_a_reason_for_each_mistake) {
  const auto leaf = [](CertificateRequest request) {
    const Issued own = client_cert(world().ca, std::move(request));
    return bytes_of(&own, world().ca.certificate_pem());
  };
  const auto change = [](auto edit) {
    return [edit] {
      SourceBytes bytes = good();
      edit(bytes);
      return bytes;
    };
  };
  const std::string encrypted =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGjMF8GCSqG\n-----END ENCRYPTED PRIVATE KEY-----\n";
  const std::string legacy =
      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
      "AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nMIGj\n-----END RSA PRIVATE KEY-----\n";
  const Refusal cases[] = {
      {"a certificate alone", change([](SourceBytes& b) { b.key = Secret(); }), Errc::tls_half_pair},
      {"a key alone", change([](SourceBytes& b) { b.cert.clear(); }), Errc::tls_half_pair},
      {"no certificate in the file", change([](SourceBytes& b) { b.cert = "hello"; }), Errc::tls_certificate_missing},
      {"a key in place of the certificate", change([](SourceBytes& b) { b.cert = b.key.reveal(); }),
       Errc::tls_certificate_missing},
      {"a certificate cut short", change([](SourceBytes& b) { b.cert = cut(b.cert); }), Errc::tls_not_pem},
      {"binary", change([](SourceBytes& b) { b.cert = std::string("\x30\x82\0\x01", 4); }), Errc::tls_not_pem},
      {"damaged base64", change([](SourceBytes& b) { b.cert.replace(100, 4, "!!!!"); }), Errc::tls_not_pem},
      {"no key in the file", change([](SourceBytes& b) { b.key = Secret(b.cert); }), Errc::tls_key_missing},
      {"a key cut short", change([](SourceBytes& b) { b.key = Secret(cut(std::string(b.key.reveal()))); }),
       Errc::tls_not_pem},
      {"an encrypted key", change([&](SourceBytes& b) { b.key = Secret(encrypted); }), Errc::tls_key_encrypted},
      {"an encrypted key, old form", change([&](SourceBytes& b) { b.key = Secret(legacy); }), Errc::tls_key_encrypted},
      {"the key of another", change([](SourceBytes& b) { b.key = world().another.key_pem.copy(); }),
       Errc::tls_key_mismatch},
      {"an expired certificate", [&] { return leaf({.validity = from_to(-days(9), -days(1))}); },
       Errc::tls_certificate_expired},
      {"an early certificate", [&] { return leaf({.validity = from_to(days(1), days(9))}); },
       Errc::tls_certificate_not_yet_valid},
      {"a server's certificate", [] { return bytes_of(&world().server, world().ca.certificate_pem()); },
       Errc::tls_no_client_usage},
      {"a client's certificate", good, Errc::tls_no_server_usage, Usage::server},
      {"a bundle without certificate", change([](SourceBytes& b) { b.ca = "# empty\n"; }),
       Errc::tls_ca_without_certificate},
      {"a key as the bundle", change([](SourceBytes& b) { b.ca = b.key.reveal(); }), Errc::tls_ca_without_certificate},
      {"a damaged bundle", change([](SourceBytes& b) { b.ca += cut(b.ca); }), Errc::tls_not_pem},
      {"a CRL file without CRL", change([](SourceBytes& b) { b.crl = b.ca; }), Errc::tls_crl_missing},
      {"a CRL cut short", change([](SourceBytes& b) { b.crl = cut(make_crl(world().ca)); }), Errc::tls_not_pem},
      {"an expired CRL", change([](SourceBytes& b) { b.crl = make_crl(world().ca, {}, from_to(-days(9), -hours(1))); }),
       Errc::tls_crl_expired},
      {"an early CRL", change([](SourceBytes& b) { b.crl = make_crl(world().ca, {}, from_to(hours(1), days(1))); }),
       Errc::tls_crl_expired},
  };
  for (const Refusal& one : cases) {
    const Result<MaterialPtr> material = load(Source{.usage = one.usage}, one.bytes(), present());
    ASSERT_FALSE(material) << one.what;
    EXPECT_EQ(error_id(material.error().code), error_id(one.code)) << one.what << ": " << material.error().message();
  }
}

TEST(Material, refuses_a_certificate_that_only_claims_to_be_of_a_configured_authority) {
  // Without key identifiers, name and signature are all there is to tell two authorities apart.
  const Crafted real = craft({.name = "Plain CA"});
  const Crafted twin = craft({.name = "Plain CA"});
  const Issued own = craft({.name = "agent", .issuer = &real, .basic_constraints = "CA:FALSE"}).issued();
  const auto with = [&own](const std::string& ca) { return load(Source{}, bytes_of(&own, ca), present()); };
  EXPECT_TRUE(with(real.issued().chain_pem));
  EXPECT_EQ(with(twin.issued().chain_pem).error().code, Errc::tls_chain_unverified);
  EXPECT_TRUE(with(twin.issued().chain_pem + real.issued().chain_pem));  // a rotation: both are there
}

TEST(Material, refuses_weak_keys_and_signatures) {
  const Crafted ca = craft({.name = "Plain CA"});
  const Issued small =
      craft({.name = "agent", .issuer = &ca, .basic_constraints = "CA:FALSE", .rsa_bits = 1024}).issued();
  const Issued sha1 =
      craft({.name = "agent", .issuer = &ca, .basic_constraints = "CA:FALSE", .digest = EVP_sha1()}).issued();
  for (const Issued* own : {&small, &sha1}) {
    EXPECT_EQ(load(Source{}, bytes_of(own), present()).error().code, Errc::tls_key_weak);
  }
}

TEST(Material, refuses_a_crl_that_its_authority_did_not_sign) {
  const Authority ca = make_ca();
  std::string der_changed = make_crl(ca, {"0a"});
  // One changed character in the middle of the signed part.
  const std::size_t middle = der_changed.size() / 3;
  der_changed[middle] = der_changed[middle] == 'A' ? 'B' : 'A';
  const Result<MaterialPtr> changed = load(Source{}, bytes_of(nullptr, ca.certificate_pem(), der_changed), present());
  ASSERT_FALSE(changed);
  // Without key identifiers, the CRL of a twin.
  const Crafted real = craft({.name = "Plain CA"});
  const Issued twin = craft({.name = "Plain CA"}).issued();
  const std::string crl = make_crl(must(Authority::from_pem(twin.chain_pem, twin.key_pem)));
  EXPECT_EQ(load(Source{}, bytes_of(nullptr, real.issued().chain_pem, crl), present()).error().code,
            Errc::tls_crl_bad_signature);
}

TEST(Material, describes_what_was_loaded) {
  const MaterialPtr material =
      make_material(Usage::client, &world().agent, world().ca.certificate_pem() + world().server.chain_pem,
                    make_crl(world().ca, {"0a", "ff01"}));
  EXPECT_EQ(material->chain(), std::vector{world().agent.info});
  ASSERT_EQ(material->trust().size(), 2U);
  EXPECT_TRUE(material->trust()[0].is_authority);
  EXPECT_FALSE(material->trust()[1].is_authority);
  ASSERT_EQ(material->crls().size(), 1U);
  EXPECT_EQ(material->crls()[0].revoked, (std::vector<std::string>{"0a", "ff01"}));
  EXPECT_EQ(material->crls()[0].number, "01");
  EXPECT_EQ(material->crls()[0].issuer, "CN=Test CA");
}

TEST(Material, may_be_trust_alone_or_nothing) {
  EXPECT_FALSE(make_material(Usage::client, nullptr, world().ca.certificate_pem())->has_certificate());
  EXPECT_TRUE(make_material(Usage::client, nullptr)->trust().empty());
}

TEST(Material, has_one_id_for_one_content) {
  const std::string id = make_material(Usage::client, &world().agent, world().ca.certificate_pem())->id();
  EXPECT_EQ(make_material(Usage::client, &world().agent, world().ca.certificate_pem())->id(), id);
  EXPECT_NE(make_material(Usage::client, &world().another, world().ca.certificate_pem())->id(), id);
  EXPECT_NE(make_material(Usage::client, &world().agent)->id(), id);
  EXPECT_NE(make_material(Usage::client, &world().agent, world().ca.certificate_pem(), make_crl(world().ca))->id(), id);
}

TEST(Material, tells_half_a_new_pair_from_a_wrong_one) {
  const MaterialPtr current = must(load(Source{}, good(), present()));
  const auto code = [&current](const Issued& cert, const Issued& key) {
    SourceBytes bytes = bytes_of(&cert, world().ca.certificate_pem());
    bytes.key = key.key_pem.copy();
    const Result<MaterialPtr> loaded = load(Source{}, bytes, present(), current.get());
    return loaded ? "ok" : error_id(loaded.error().code);
  };
  const World& w = world();
  const Issued third = client_cert(w.ca);
  EXPECT_EQ(code(w.another, w.agent), error_id(Errc::tls_not_complete));  // the key is to follow
  EXPECT_EQ(code(w.agent, w.another), error_id(Errc::tls_not_complete));  // the certificate is to follow
  EXPECT_EQ(code(w.another, third), error_id(Errc::tls_key_mismatch));    // both are new, and do not fit
  EXPECT_EQ(code(w.another, w.another), "ok");
  SourceBytes emptied = good();
  emptied.key = Secret("\n");
  EXPECT_EQ(load(Source{.key_file = "k"}, emptied, present(), current.get()).error().code, Errc::tls_not_complete);
  EXPECT_EQ(load(Source{.key_file = "k"}, emptied, present()).error().code, Errc::tls_key_missing);
}

TEST(Material, reports_every_mistake_to_those_who_ask) {
  SourceBytes bytes = good();
  bytes.key = world().another.key_pem.copy();
  bytes.ca = "nothing";
  bytes.crl = "nothing";
  const Assessment assessment = assess(Source{.usage = Usage::server}, bytes, present() + days(91));
  std::vector<Errc> codes;
  for (const Error& error : assessment.errors) {
    codes.push_back(error.code);
  }
  for (const Errc code : {Errc::tls_key_mismatch, Errc::tls_ca_without_certificate, Errc::tls_crl_missing,
                          Errc::tls_certificate_expired, Errc::tls_no_server_usage}) {
    EXPECT_NE(std::find(codes.begin(), codes.end(), code), codes.end()) << error_id(code);
  }
  EXPECT_EQ(assessment.material, nullptr);
}

std::vector<std::string> codes_of(const std::vector<Finding>& findings) {
  std::vector<std::string> codes;
  for (const Finding& finding : findings) {
    codes.push_back(std::string(to_string(finding.code)) + (finding.severity == Severity::note ? " note" : " warning"));
    EXPECT_FALSE(finding.message.empty());
    EXPECT_FALSE(finding.hint.empty());
  }
  return codes;
}

using Codes = std::vector<std::string>;

TEST(MaterialFindings, announce_expiry_thirty_and_seven_days_before) {
  const Issued own = client_cert(world().ca, {.validity = from_to(-hours(1), days(90))});
  const MaterialPtr material = make_material(Usage::client, &own, world().ca.certificate_pem());
  EXPECT_EQ(codes_of(material->findings(present())), Codes{});
  EXPECT_EQ(codes_of(material->findings(present() + days(59))), Codes{});
  EXPECT_EQ(codes_of(material->findings(present() + days(61))), Codes{"certificate-expires-soon note"});
  EXPECT_EQ(codes_of(material->findings(present() + days(84))), Codes{"certificate-expires-soon warning"});
  EXPECT_NE(material->findings(present() + days(89) + hours(1))[0].message.find("expires in 23 h"), std::string::npos);
}

TEST(MaterialFindings, announce_authorities_that_end) {
  const Authority brief = must(Authority::create({.name = "Brief CA", .validity = from_to(-hours(1), days(20))}));
  const MaterialPtr material = make_material(Usage::client, nullptr, brief.certificate_pem());
  EXPECT_EQ(codes_of(material->findings(present())), Codes{"authority-expires-soon note"});
  EXPECT_EQ(codes_of(material->findings(present() + days(15))), Codes{"authority-expires-soon warning"});
  EXPECT_EQ(codes_of(material->findings(present() + days(21))), Codes{"authority-expired warning"});
}

TEST(MaterialFindings, tell_what_a_crl_does_not_cover) {
  const std::string both = world().ca.certificate_pem() + world().other.certificate_pem();
  EXPECT_EQ(codes_of(make_material(Usage::client, nullptr, both, make_crl(world().ca))->findings(present())),
            Codes{"crl-missing-for-authority warning"});
  EXPECT_EQ(codes_of(make_material(Usage::client, nullptr, world().ca.certificate_pem(),
                                   make_crl(world().ca) + make_crl(world().other))
                         ->findings(present())),
            Codes{"crl-without-authority note"});
  // The CRL of a CA of the same name, with another key: left over from a rotation, and in nobody's way.
  EXPECT_EQ(codes_of(make_material(Usage::client, nullptr, world().ca.certificate_pem(),
                                   make_crl(world().ca) + make_crl(world().twin))
                         ->findings(present())),
            Codes{"crl-without-authority note"});
}

TEST(MaterialFindings, announce_a_crl_that_runs_out) {
  const MaterialPtr material = make_material(Usage::client, nullptr, world().ca.certificate_pem(),
                                             make_crl(world().ca, {}, from_to(-days(1), days(9))));
  EXPECT_EQ(codes_of(material->findings(present() + days(6))), Codes{});
  EXPECT_EQ(codes_of(material->findings(present() + days(8))), Codes{"crl-expires-soon warning"});
}

TEST(MaterialFindings, say_when_the_own_certificate_is_revoked_or_from_elsewhere) {
  const World& w = world();
  EXPECT_EQ(
      codes_of(make_material(Usage::client, &w.agent, w.ca.certificate_pem(), make_crl(w.ca, {w.agent.info.serial}))
                   ->findings(present())),
      Codes{"certificate-revoked warning"});
  EXPECT_EQ(codes_of(make_material(Usage::client, &w.agent, w.other.certificate_pem())->findings(present())),
            Codes{"chain-not-in-bundle note"});
}

TEST(MaterialFindings, say_when_a_chain_is_out_of_order) {
  const Issued own = client_cert(world().ca);
  Issued jumbled{own.chain_pem + world().other.certificate_pem(), own.key_pem.copy(), own.info};
  EXPECT_EQ(codes_of(make_material(Usage::client, &jumbled, world().ca.certificate_pem())->findings(present())),
            Codes{"chain-out-of-order warning"});
}

struct Files : testing::Test {
  Files() {
    std::string pattern = (fs::temp_directory_path() / "hawser-tls-XXXXXX").string();
    dir = ::mkdtemp(pattern.data());
    write("tls.crt", world().agent.chain_pem);
    write("tls.key", world().agent.key_pem.reveal());
    write("ca.crt", world().ca.certificate_pem());
    fs::permissions(dir / "tls.key", fs::perms::owner_read | fs::perms::owner_write);
  }
  ~Files() override { fs::remove_all(dir); }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(dir / name, std::ios::binary) << text;
  }
  [[nodiscard]] Source source() const {
    return {.cert_file = dir / "tls.crt", .key_file = dir / "tls.key", .ca_file = dir / "ca.crt"};
  }

  fs::path dir;
};

TEST_F(Files, become_material) { EXPECT_EQ(must(load(source(), present()))->chain().front(), world().agent.info); }

TEST_F(Files, readable_by_others_are_a_finding_for_the_key) {
  EXPECT_EQ(codes_of(assess(source(), present()).findings), Codes{});
  fs::permissions(dir / "tls.key", fs::perms::others_read, fs::perm_options::add);
  EXPECT_EQ(codes_of(assess(source(), present()).findings), Codes{"key-readable-by-others warning"});
}

TEST_F(Files, that_cannot_be_read_are_named) {
  const auto expect_unreadable = [](const Source& source, const std::string& name) {
    const Result<MaterialPtr> material = load(source, present());
    ASSERT_FALSE(material) << name;
    EXPECT_EQ(material.error().code, Errc::tls_file_unreadable);
    EXPECT_NE(material.error().doing.find(name), std::string::npos) << material.error().doing;
  };
  Source missing = source();
  missing.ca_file = dir / "missing.crt";
  expect_unreadable(missing, "missing.crt");
  Source directory = source();
  directory.key_file = dir;
  expect_unreadable(directory, dir.filename());
  ASSERT_EQ(::mkfifo((dir / "fifo").c_str(), 0600), 0);
  Source fifo = source();
  fifo.cert_file = dir / "fifo";  // and it does not block
  expect_unreadable(fifo, "fifo");
  write("huge.crt", std::string(limits::kPemFileBytes + 1, '#'));
  Source huge = source();
  huge.ca_file = dir / "huge.crt";
  expect_unreadable(huge, "huge.crt");
}

TEST_F(Files, may_hold_certificate_and_key_together) {
  write("both.pem", std::string(world().agent.key_pem.reveal()) + world().agent.chain_pem);
  Source both = source();
  both.cert_file = both.key_file = dir / "both.pem";
  EXPECT_TRUE(load(both, present()));
}

TEST_F(Files, at_their_size_limit_are_read) {
  std::string text = world().ca.certificate_pem();
  text += std::string(limits::kPemFileBytes - text.size(), '\n');
  write("ca.crt", text);
  EXPECT_TRUE(load(source(), present()));
}

TEST(Pin, is_taken_out_of_messages) {
  EXPECT_EQ(without_pin("pkcs11:token=t;object=o?pin-value=1234"), "pkcs11:token=t;object=o?pin-value=[redacted]");
  EXPECT_EQ(without_pin("pkcs11:token=t?pin-value=12&module-name=m"),
            "pkcs11:token=t?pin-value=[redacted]&module-name=m");
  EXPECT_EQ(without_pin("pkcs11:pin-value=1;pin-value=2"), "pkcs11:pin-value=[redacted];pin-value=[redacted]");
  EXPECT_EQ(without_pin("./tls.key"), "./tls.key");
}

}  // namespace
}  // namespace hawser::tls::test
