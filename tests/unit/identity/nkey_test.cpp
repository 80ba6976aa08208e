#include "identity/nkey.hpp"

#include <gtest/gtest.h>

#include "identity/fixtures.hpp"

namespace hawser::identity {
namespace {

struct Row {
  KeyKind kind;
  std::string_view seed, public_text;
};
constexpr Row kRows[] = {
    {KeyKind::operator_key, "SOAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H2AJA",
     "OAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3QZVT"},
    {KeyKind::account, "SAAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4HYMHI",
     "AAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3QPZV"},
    {KeyKind::user, fixtures::kUserSeed, fixtures::kUserPublic},
    {KeyKind::server, "SNAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H2D5U",
     "NAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RSWB"},
    {KeyKind::cluster, "SCAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4HYO7Q",
     "CAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3R53J"},
};

TEST(NKey, reads_a_seed_of_every_kind_and_knows_its_public_key) {
  for (const Row& row : kRows) {
    const Result<KeyPair> key = KeyPair::from_seed(row.seed);
    ASSERT_TRUE(key) << key.error().message();
    EXPECT_EQ(key->public_key().kind(), row.kind);
    EXPECT_EQ(key->public_key().text(), row.public_text);
    EXPECT_EQ(key->seed().reveal(), row.seed);
    EXPECT_EQ(PublicKey::parse(row.public_text).value(), key->public_key());
  }
}

TEST(NKey, agrees_with_the_example_of_the_nats_documentation) {
  const Result<KeyPair> key = KeyPair::from_seed("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY");
  ASSERT_TRUE(key) << key.error().message();
  EXPECT_EQ(key->public_key().text(), "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4");
}

TEST(NKey, signs_a_nonce_as_an_independent_implementation_does) {
  const KeyPair key = KeyPair::from_seed(fixtures::kUserSeed).value();
  EXPECT_EQ(key.sign_nonce("PXoWU7zWAMt75FY").value(),
            "bnxg5G8aOV2LQdSE_lcM9clxm_fbTTZxsqQ1EpTNgJXmH6z5ezesd49kXfuNhoAqw_DmEtsGcNsJdug9wMuRDQ");
}

TEST(NKey, verifies_its_own_signature_and_no_other) {
  const KeyPair key = KeyPair::create(KeyKind::user).value();
  const KeyPair other = KeyPair::create(KeyKind::user).value();
  Signature signature = key.sign("a message").value();
  EXPECT_TRUE(key.public_key().verify("a message", signature));
  EXPECT_FALSE(key.public_key().verify("another message", signature));
  EXPECT_FALSE(other.public_key().verify("a message", signature));
  EXPECT_FALSE(key.public_key().verify("a message", std::span(signature).first(63)));
  signature[10] ^= 1;
  EXPECT_FALSE(key.public_key().verify("a message", signature));
}

TEST(NKey, makes_keys_that_differ_and_survive_their_text_form) {
  for (const KeyKind kind :
       {KeyKind::user, KeyKind::account, KeyKind::operator_key, KeyKind::server, KeyKind::cluster}) {
    const KeyPair key = KeyPair::create(kind).value();
    const Secret seed = key.seed();
    EXPECT_EQ(seed.reveal().size(), 58U);
    EXPECT_EQ(KeyPair::from_seed(seed.reveal()).value().public_key(), key.public_key());
    EXPECT_NE(KeyPair::create(kind).value().public_key(), key.public_key());
  }
}

TEST(NKey, notices_any_changed_character_of_a_seed) {
  for (std::size_t i = 0; i < fixtures::kUserSeed.size(); ++i) {
    std::string seed(fixtures::kUserSeed);
    seed[i] = seed[i] == 'Q' ? 'R' : 'Q';
    EXPECT_FALSE(KeyPair::from_seed(seed)) << i;
  }
}

TEST(NKey, refuses_what_is_no_seed_and_says_why_without_showing_it) {
  const std::pair<std::string, Errc> rows[] = {
      {"", Errc::nkey_malformed},
      {"SU", Errc::nkey_malformed},
      {std::string(fixtures::kUserSeed) + "A", Errc::nkey_malformed},
      {std::string(fixtures::kUserSeed.substr(0, 57)), Errc::nkey_malformed},
      {"suaaaaicamcakbqhbaequcymbuha6earcijrifiwc4mbsgq3dqor4h776y", Errc::nkey_malformed},
      {std::string(58, '1'), Errc::nkey_malformed},
      {std::string(fixtures::kUserPublic), Errc::nkey_seed_expected},
      {"SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR5H776Y", Errc::nkey_checksum_wrong},
      {std::string(100'000, 'S'), Errc::nkey_malformed},
  };
  for (const auto& [text, code] : rows) {
    const Result<KeyPair> key = KeyPair::from_seed(text);
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(key.error().code, code) << text;
    if (text.size() >= 57) {
      EXPECT_EQ(key.error().message().find(text.substr(2, 20)), std::string::npos);
    }
  }
}

TEST(NKey, refuses_a_seed_where_a_public_key_belongs_without_showing_it) {
  const Result<PublicKey> key = PublicKey::parse(fixtures::kUserSeed);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, Errc::nkey_malformed);
  EXPECT_EQ(key.error().message().find(fixtures::kUserSeed.substr(4, 12)), std::string::npos);
}

TEST(NKey, refuses_a_public_key_of_an_unknown_prefix) {
  std::string data(1, '\x08');  // B
  data.append(32, '\x01');
  const std::uint16_t crc = crc16(as_bytes(data));
  data += static_cast<char>(crc & 0xFFU);
  data += static_cast<char>(crc >> 8U);
  const Result<PublicKey> key = PublicKey::parse(encode_base32(as_bytes(data)));
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, Errc::nkey_malformed);
}

TEST(NKey, refuses_to_sign_with_a_curve_key) {
  EXPECT_EQ(KeyPair::create(KeyKind::curve).error().code, Errc::nkey_wrong_kind);
}

}  // namespace
}  // namespace hawser::identity
