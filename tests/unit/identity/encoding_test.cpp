#include "identity/encoding.hpp"

#include <gtest/gtest.h>

namespace hawser::identity {
namespace {

TEST(Encoding, writes_the_base32_of_rfc_4648_without_padding) {
  const std::pair<std::string_view, std::string_view> rows[] = {{"", ""},
                                                                {"f", "MY"},
                                                                {"fo", "MZXQ"},
                                                                {"foo", "MZXW6"},
                                                                {"foob", "MZXW6YQ"},
                                                                {"fooba", "MZXW6YTB"},
                                                                {"foobar", "MZXW6YTBOI"}};
  for (const auto& [plain, text] : rows) {
    EXPECT_EQ(encode_base32(as_bytes(plain)), text);
    EXPECT_EQ(decode_base32(text), plain);
  }
}

TEST(Encoding, writes_base64url_without_padding) {
  EXPECT_EQ(encode_base64url(as_bytes("foob")), "Zm9vYg");
  EXPECT_EQ(encode_base64url(as_bytes("\xFB\xEF\xFF")), "--__");
  EXPECT_EQ(decode_base64url("Zm9vYg"), "foob");
  EXPECT_EQ(decode_base64url("--__"), "\xFB\xEF\xFF");
}

TEST(Encoding, refuses_text_that_no_encoder_would_have_written) {
  for (const std::string_view text :
       {"M", "MZX", "MZXW6Y", "mzxw6", "MZXW6===", "MZ W6", "MZ", "M1", "M8", "\xC3\xA9"}) {
    EXPECT_EQ(decode_base32(text), std::nullopt) << text;
  }
  for (const std::string_view text : {"Z", "Zm9vY", "Zm9vYg==", "Zm9v\n", "+/+/", "Zm9vYh", "Z\0m9"}) {
    EXPECT_EQ(decode_base64url(text), std::nullopt) << text;
  }
}

TEST(Encoding, computes_the_xmodem_checksum) {
  EXPECT_EQ(crc16(as_bytes("123456789")), 0x31C3);
  EXPECT_EQ(crc16(as_bytes("")), 0);
}

}  // namespace
}  // namespace hawser::identity
