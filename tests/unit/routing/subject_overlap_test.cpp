#include "routing/subject_overlap.hpp"

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <vector>

#include "routing/subscribe.hpp"
#include "wire/subject.hpp"

namespace hawser::routing {
namespace {

TEST(SubjectOverlap, is_what_both_match) {
  struct Row {
    const char* a;
    const char* b;
    std::optional<std::string> common;
  };
  const std::vector<Row> rows = {
      {"a", "a", "a"},           {"a", "b", {}},
      {"*", "b", "b"},           {"a.*", "*.b", "a.b"},
      {"a.>", "*.b.c", "a.b.c"}, {">", "a.*", "a.*"},
      {"a.>", "a", {}},          {"a.>", "*.>", "a.>"},
      {"a.*.>", "a.b", {}},      {"a.*.>", "a.>", "a.*.>"},
      {">", ">", ">"},           {"a.*", "a.*.*", {}},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(overlap(row.a, row.b), row.common) << row.a << " " << row.b;
    EXPECT_EQ(overlap(row.b, row.a), row.common) << row.b << " " << row.a;
  }
}

TEST(SubjectOverlap, agrees_with_matching) {
  RandomSubjects random(5);
  for (int i = 0; i < 20000; ++i) {
    const std::string a = random.pattern();
    const std::string b = random.pattern();
    const std::string subject = random.literal();
    const auto common = overlap(a, b);
    ASSERT_EQ(common.has_value(), wire::overlaps(a, b)) << a << " " << b;
    ASSERT_EQ(common && wire::matches(*common, subject), wire::matches(a, subject) && wire::matches(b, subject))
        << a << " " << b << " " << subject;
  }
}

}  // namespace
}  // namespace hawser::routing
