#include "routing/same_text.hpp"

#include <gtest/gtest.h>
#include <string>

namespace hawser::routing {
namespace {

TEST(SameText, sees_a_difference_in_every_byte_and_in_length) {
  for (std::size_t size = 0; size <= 40; ++size) {
    const std::string text(size, 'a');
    EXPECT_TRUE(same_text(text, std::string(size, 'a'))) << size;
    EXPECT_FALSE(same_text(text, text + "a")) << size;
    EXPECT_FALSE(same_text(text + "a", text)) << size;
    for (std::size_t i = 0; i < size; ++i) {
      std::string other = text;
      other[i] = 'b';
      EXPECT_FALSE(same_text(text, other)) << size << " " << i;
    }
  }
  EXPECT_TRUE(same_text({}, {}));
}

}  // namespace
}  // namespace hawser::routing
