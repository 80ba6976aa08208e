// A key in a SoftHSM token, made for this test in a directory of its own.
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "handshake.hpp"
#include "pki.hpp"

namespace hawser::tls::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModule = "/usr/lib/softhsm/libsofthsm2.so";
constexpr const char* kPin = "98761234";

bool runs(const std::string& command) {
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::string output;
  std::array<char, 512> chunk{};
  while (std::fgets(chunk.data(), static_cast<int>(chunk.size()), pipe) != nullptr) {
    output += chunk.data();
  }
  const bool done = ::pclose(pipe) == 0;
  EXPECT_TRUE(done) << command << "\n" << output;
  return done;
}

// One token for all tests of this program: the PKCS#11 module reads its configuration once a process.
struct Token {
  Token() {
    std::string pattern = (fs::temp_directory_path() / "hawser-hsm-XXXXXX").string();
    dir = ::mkdtemp(pattern.data());
    fs::create_directory(dir / "tokens");
    std::ofstream(dir / "softhsm2.conf") << "directories.tokendir = " << (dir / "tokens").string()
                                         << "\nobjectstore.backend = file\n";
    ::setenv("SOFTHSM2_CONF", (dir / "softhsm2.conf").c_str(), 1);
    std::ofstream(dir / "key.pem") << own.key_pem.reveal();
    std::ofstream(dir / "pin") << kPin;
    ready = runs(std::string("softhsm2-util --init-token --free --label hawser --so-pin 1111 --pin ") + kPin) &&
            runs("softhsm2-util --import " + (dir / "key.pem").string() +
                 " --token hawser --label agent --id 01 --pin " + kPin) &&
            runs(std::string("pkcs11-tool --module ") + kModule + " --token-label hawser --login --pin " + kPin +
                 " --list-objects");
  }
  ~Token() { fs::remove_all(dir); }
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  Authority ca = make_ca();
  Issued own = client_cert(ca);
  fs::path dir;
  bool ready = false;
};

Token& token() {
  static Token one;
  return one;
}

Result<MaterialPtr> load_with(const std::string& uri, const Issued& certificate) {
  SourceBytes bytes;
  bytes.cert = certificate.chain_pem;
  bytes.ca = token().ca.certificate_pem();
  return load(Source{.key_file = uri}, bytes, present());
}

// The first, since a login lasts as long as the process.
TEST(TokenKey, without_a_pin_is_refused_and_nobody_is_asked) {
  ASSERT_TRUE(token().ready);
  const Result<MaterialPtr> material =
      load_with(std::string("pkcs11:token=hawser;object=agent?module-path=") + kModule, token().own);
  ASSERT_FALSE(material);
  EXPECT_EQ(material.error().code, Errc::tls_token_failed);
}

TEST(TokenKey, serves_a_handshake) {
  ASSERT_TRUE(token().ready);
  const std::string uri =
      "pkcs11:token=hawser;object=agent?module-path=%2Fusr/lib/softhsm/libsofthsm2.so&pin-source=file:" +
      (token().dir / "pin").string();
  for (const int newest : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const ContextPtr client = must(Context::client(must(load_with(uri, token().own)), {}));
    const Issued server_own = server_cert(token().ca);
    const ContextPtr server =
        must(Context::server(make_material(Usage::server, &server_own, token().ca.certificate_pem()), {}));
    SslPtr ssl = must(client->connect({.host = "nats.example.com"}));
    SSL_set_max_proto_version(ssl.get(), newest);
    const Handshake handshake(std::move(ssl), must(server->accept()));
    ASSERT_TRUE(handshake.ok());
    EXPECT_EQ(peer_chain(handshake.server.ssl()).front(), token().own.info);
  }
}

TEST(TokenKey, that_belongs_to_another_certificate_is_a_mismatch) {
  ASSERT_TRUE(token().ready);
  const Issued other = client_cert(token().ca);
  const Result<MaterialPtr> material =
      load_with(std::string("pkcs11:token=hawser;object=agent?module-path=") + kModule + "&pin-value=" + kPin, other);
  ASSERT_FALSE(material);
  EXPECT_EQ(material.error().code, Errc::tls_key_mismatch);
  EXPECT_EQ(material.error().doing.find(kPin), std::string::npos) << material.error().doing;
}

TEST(TokenKey, that_is_not_there_is_refused_without_telling_the_pin) {
  ASSERT_TRUE(token().ready);
  for (const std::string& part :
       {std::string("token=hawser;object=nobody"), std::string("token=elsewhere;object=agent")}) {
    testing::internal::CaptureStderr();
    const Result<MaterialPtr> material =
        load_with("pkcs11:" + part + "?pin-value=" + kPin + "&module-path=" + kModule, token().own);
    const std::string printed = testing::internal::GetCapturedStderr();  // the engine likes to print what it was given
    EXPECT_EQ(printed.find(kPin), std::string::npos) << printed;
    ASSERT_FALSE(material) << part;
    EXPECT_EQ(material.error().code, Errc::tls_token_failed);
    EXPECT_EQ(material.error().doing.find(kPin), std::string::npos) << material.error().doing;
  }
}

TEST(TokenKey, of_another_module_is_refused_once_one_is_in_use) {
  ASSERT_TRUE(token().ready);
  EXPECT_FALSE(load_with(std::string("pkcs11:token=elsewhere?module-path=") + kModule, token().own));
  const Result<MaterialPtr> material = load_with("pkcs11:token=hawser?module-path=/nowhere.so", token().own);
  ASSERT_FALSE(material);
  EXPECT_NE(material.error().doing.find("already"), std::string::npos) << material.error().doing;
}

}  // namespace
}  // namespace hawser::tls::test
