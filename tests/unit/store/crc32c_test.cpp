#include "store/crc32c.hpp"

#include <gtest/gtest.h>
#include <random>
#include <string>

namespace hawser::store {
namespace {

TEST(Crc32c, is_that_of_rfc_3720) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Crc32c, is_the_same_by_table_and_in_pieces) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random());
    }
    const std::size_t cut = size == 0 ? 0 : random() % size;
    EXPECT_EQ(crc32c(bytes), crc32c_by_table(bytes));
    EXPECT_EQ(crc32c(bytes), crc32c(bytes.substr(cut), crc32c(bytes.substr(0, cut))));
  }
}

}  // namespace
}  // namespace hawser::store
