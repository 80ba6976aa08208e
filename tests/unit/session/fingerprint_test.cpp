#include "session/fingerprint.hpp"

#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string>
#include <vector>

namespace hawser::session {
namespace {

// OpenSSL's, with one round a word and three at the end.
Fingerprint reference(const FingerprintKey& key, std::string_view bytes) {
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> mac(EVP_MAC_fetch(nullptr, "SIPHASH", nullptr), EVP_MAC_free);
  const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(EVP_MAC_CTX_new(mac.get()), EVP_MAC_CTX_free);
  unsigned int c_rounds = 1;
  unsigned int d_rounds = 3;
  std::size_t size = 16;
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                                   OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &c_rounds),
                                   OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &d_rounds),
                                   OSSL_PARAM_construct_end()};
  std::array<unsigned char, 16> secret{};
  std::memcpy(secret.data(), &key.first, 8);
  std::memcpy(secret.data() + 8, &key.second, 8);
  std::array<unsigned char, 16> digest{};
  std::size_t written = 0;
  EXPECT_EQ(EVP_MAC_init(context.get(), secret.data(), secret.size(), parameters), 1);
  EXPECT_EQ(EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()), 1);
  EXPECT_EQ(EVP_MAC_final(context.get(), digest.data(), &written, digest.size()), 1);
  Fingerprint print;
  std::memcpy(&print.low, digest.data(), 8);
  std::memcpy(&print.high, digest.data() + 8, 8);
  return print;
}

TEST(Fingerprint, agrees_with_another_siphash_at_every_length) {
  const FingerprintKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  std::string bytes;
  for (int length = 0; length < 300; ++length) {
    EXPECT_EQ(siphash(key, bytes), reference(key, bytes)) << length;
    bytes.push_back(static_cast<char>(length * 7));
  }
}

TEST(Fingerprint, is_of_the_parts_one_after_another_wherever_they_end) {
  const FingerprintKey key{1, 2};
  const std::string text = "the quick brown fox jumps over the lazy dog";
  const auto number = [](std::uint64_t value) {
    std::string bytes(8, 0);
    std::memcpy(bytes.data(), &value, 8);
    return bytes;
  };
  for (std::size_t a = 0; a < 20; ++a) {
    for (std::size_t b = 0; b < 20; ++b) {
      const std::string subject = text.substr(0, a);
      const std::string payload = text.substr(a, b);
      const std::string whole =
          number(9) + number(a | std::uint64_t{1} << 32U) + number(std::uint64_t{b} << 32U) + subject + "r" + payload;
      EXPECT_EQ(fingerprint(key, 9, subject, "r", "", payload), siphash(key, whole)) << a << " " << b;
    }
  }
}

TEST(Fingerprint, tells_messages_apart_that_differ_in_one_part_or_in_where_a_part_ends) {
  const FingerprintKey key{1, 2};
  const std::vector<Fingerprint> all = {
      fingerprint(key, 1, "a", "b", "h", "p"),    fingerprint(key, 2, "a", "b", "h", "p"),
      fingerprint(key, 1, "A", "b", "h", "p"),    fingerprint(key, 1, "a", "B", "h", "p"),
      fingerprint(key, 1, "a", "b", "H", "p"),    fingerprint(key, 1, "a", "b", "h", "P"),
      fingerprint(key, 1, "ab", "", "h", "p"),    fingerprint(key, 1, "a", "bh", "", "p"),
      fingerprint(key, 1, "a", "b", "", "hp"),    fingerprint(key, 1, "a", "b", "hp", ""),
      fingerprint(key, 1, "", "ab", "h", "p"),    fingerprint(key, 1, "", "", "", ""),
      fingerprint({1, 3}, 1, "a", "b", "h", "p"), fingerprint({2, 2}, 1, "a", "b", "h", "p")};
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(all[i], all[j]) << i << " and " << j;
  }
}

}  // namespace
}  // namespace hawser::session
