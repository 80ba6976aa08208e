#include "admin/query.hpp"

#include <gtest/gtest.h>

namespace hawser::admin {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

TEST(Query, decodes_pairs_and_drops_what_is_broken) {
  struct Case {
    std::string_view text;
    Fields fields;
  };
  for (const Case& c :
       {Case{"", {}}, Case{"a=1&b=2", {{"a", "1"}, {"b", "2"}}}, Case{"auth", {{"auth", ""}}},
        Case{"a=&b", {{"a", ""}, {"b", ""}}}, Case{"=x", {{"", "x"}}}, Case{"&&a=1&&", {{"a", "1"}}},
        Case{"u=a%20b+c", {{"u", "a b c"}}}, Case{"u=%2Ffoo%2f", {{"u", "/foo/"}}}, Case{"s=foo.%3E", {{"s", "foo.>"}}},
        Case{"a=b=c", {{"a", "b=c"}}}, Case{"a=%4", {}}, Case{"a=%", {}}, Case{"a=%zz&b=1", {{"b", "1"}}},
        Case{"%41=1", {{"A", "1"}}}, Case{"a=1;b=2", {}}, Case{"a=%00", {{"a", std::string(1, '\0')}}},
        Case{"a=%4142", {{"a", "A42"}}}}) {
    EXPECT_EQ(parse_query(c.text).fields, c.fields) << c.text;
  }
}

TEST(Query, gives_the_first_value_of_a_key) {
  const Query query = parse_query("a=1&a=2&b=");
  EXPECT_EQ(query.value("a"), "1");
  EXPECT_EQ(query.value("b"), "");
  EXPECT_TRUE(query.has("b"));
  EXPECT_FALSE(query.has("c"));
  EXPECT_EQ(query.value("c"), "");
}

}  // namespace
}  // namespace hawser::admin
