#include "base/nearest.hpp"

#include <gtest/gtest.h>

namespace hawser {
namespace {

TEST(Nearest, finds_the_word_that_was_meant) {
  const std::vector<std::string> known{"agent", "check", "pub", "sub", "request", "cert_file", "key_file", "ca_file"};
  struct Case {
    std::string_view word;
    std::optional<std::string> meant;
  };
  for (const Case& c : {Case{"chekc", "check"}, Case{"agnet", "agent"}, Case{"PUB", "pub"}, Case{"bub", "pub"},
                        Case{"reqeust", "request"}, Case{"certfile", "cert_file"}, Case{"cert-file", "cert_file"},
                        Case{"check", "check"}, Case{"x", std::nullopt}, Case{"", std::nullopt},
                        Case{"completely-different", std::nullopt}}) {
    EXPECT_EQ(nearest(c.word, known), c.meant) << c.word;
  }
  EXPECT_EQ(nearest("check", {}), std::nullopt);
  EXPECT_EQ(nearest(std::string(65, 'a'), {std::string(65, 'a')}), std::nullopt);
  EXPECT_EQ(nearest(std::string(64, 'a'), {std::string(63, 'a')}), std::string(63, 'a'));
}

}  // namespace
}  // namespace hawser
