#include "base/secret.hpp"

#include <array>
#include <gtest/gtest.h>
#include <sstream>
#include <type_traits>

namespace hawser {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!Printable<Secret>);
static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);

TEST(Secret, wipe_overwrites_every_byte) {
  std::array<char, 64> memory{};
  memory.fill('x');
  wipe(memory);
  EXPECT_EQ(memory, (std::array<char, 64>{}));
}

TEST(Secret, taking_a_text_leaves_none_of_it_in_the_source) {
  for (const std::size_t length : {5U, 500U}) {  // within the string itself, and on the heap
    std::string source(length, 's');
    char* const bytes = source.data();
    const Secret secret = Secret::take(std::move(source));
    EXPECT_EQ(secret.reveal(), std::string(length, 's'));
    EXPECT_TRUE(source.empty());  // NOLINT(bugprone-use-after-move): its state is promised
    EXPECT_EQ(std::count(bytes, bytes + length, 's'), 0);
  }
}

TEST(Secret, moving_leaves_the_source_empty) {
  Secret first{"short"};
  Secret second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): its state is promised
  EXPECT_EQ(second.reveal(), "short");
  Secret third{"gone"};
  third = std::move(second);
  EXPECT_EQ(third.reveal(), "short");
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(Secret, comparing_in_constant_time_agrees_with_comparing) {
  struct Case {
    std::string_view a, b;
    bool equal;
  };
  for (const Case& c : {Case{"", "", true}, Case{"a", "", false}, Case{"", "a", false}, Case{"abc", "abc", true},
                        Case{"abc", "abd", false}, Case{"abc", "abcd", false}, Case{"\xff", "\x7f", false}}) {
    EXPECT_EQ(equal_in_constant_time(Secret{c.a}, Secret{c.b}), c.equal) << c.a << " " << c.b;
  }
}

}  // namespace
}  // namespace hawser
