#include "routing/subject_transform.hpp"

#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

#include "routing/subscribe.hpp"
#include "routing/weighted_mapping.hpp"
#include "wire/subject.hpp"

namespace hawser::routing {
namespace {

using Use = SubjectTransform::Use;

TEST(SubjectTransform, renames_as_nats_server_does) {
  struct Row {
    const char* source;
    const char* destination;
    const char* subject;
    const char* expected;
  };
  const std::vector<Row> rows = {
      {"foo", "bar", "foo", "bar"},
      {"foo.*", "bar.$1", "foo.a", "bar.a"},
      {"foo.*.*", "bar.$2.$1", "foo.a.b", "bar.b.a"},
      {"foo.*.*", "bar.{{wildcard(2)}}.{{ Wildcard( 1 ) }}", "foo.a.b", "bar.b.a"},
      {"foo.*", "bar.$1.$1", "foo.a", "bar.a.a"},
      {"foo.*", "bar", "foo.a", "bar"},
      {"foo.>", "bar.>", "foo.a.b", "bar.a.b"},
      {">", "bar.>", "foo.a", "bar.foo.a"},
      {"foo.*.>", "baz.$1.x.>", "foo.a.b.c", "baz.a.x.b.c"},
      {"*", "$JS.$1", "a", "$JS.a"},
      {"*", "x$1.$1", "a", "x$1.a"},
      {"*.*", "p.{{partition(10,1,2)}}", "foo.bar", "p.0"},
      {"*.*", "p.{{partition(1000, 1, 2)}}", "foo.bar", "p.720"},
      {"*", "p.{{PARTITION(1,1)}}", "foo", "p.0"},
      {"*", "{{split(1,-)}}", "a-b--c", "a.b.c"},
      {"*", "{{split(1,-)}}.z", "-a-", "a.z"},
      {"*", "{{Split(1, ab)}}", "xabyabz", "x.y.z"},
      {"*", "{{SplitFromLeft(1,3)}}", "12345", "123.45"},
      {"*", "{{splitfromright(1,3)}}", "12345", "12.345"},
      {"*", "{{splitFromLeft(1,5)}}", "12345", "12345"},
      {"*", "{{splitFromLeft(1,-1)}}", "12345", "12345"},
      {"*", "{{splitFromRight(1,0)}}", "12345", "12345"},
      {"*", "{{SliceFromLeft(1,2)}}", "12345", "12.34.5"},
      {"*", "{{SliceFromLeft(1,2)}}", "1234", "12.34"},
      {"*", "{{SliceFromRight(1,2)}}", "12345", "1.23.45"},
      {"*", "{{SliceFromRight(1,2)}}", "1234", "12.34"},
      {"*", "{{SliceFromRight(1,9)}}", "1234", "1234"},
      {"*", "{{left(1,2)}}.{{right(1,3)}}", "12345", "12.345"},
      {"*", "{{left(1,9)}}.{{right(1,0)}}", "12345", "12345.12345"},
  };
  for (const Row& row : rows) {
    const auto transform = SubjectTransform::make(row.source, row.destination);
    ASSERT_TRUE(transform) << row.destination << ": " << transform.error().doing;
    EXPECT_TRUE(transform->matches(row.subject));
    EXPECT_EQ(transform->apply(row.subject), row.expected) << row.destination;
  }
}

TEST(SubjectTransform, refuses_what_it_cannot_do) {
  struct Row {
    const char* source;
    const char* destination;
    const char* reason;
  };
  const std::vector<Row> rows = {
      {"", "bar", "is empty"},
      {"foo..bar", "bar", "empty token"},
      {"foo", "", "invalid subject"},
      {"foo", "bar..baz", "invalid subject"},
      {"foo", "bar.*", "invalid subject"},
      {"foo.*", "bar.*", "invalid subject"},
      {"foo", "bar baz", "invalid subject"},
      {"foo", "bar.>", "invalid subject"},
      {"foo.>", "bar", "invalid subject"},
      {"foo.>", "bar.>.baz", "invalid subject"},
      {"foo.>", "bar.>.>", "invalid subject"},
      {"foo", "bar.$1", "out of range"},
      {"foo.*", "bar.$2", "out of range"},
      {"foo.*", "bar.$0", "out of range"},
      {"foo.*", "bar.$99999999999", "out of range"},
      {"foo.>", "bar.$1.>", "out of range"},
      {"foo.*", "{{wildcard(0)}}", "out of range"},
      {"foo.*", "{{wildcard(-1)}}", "out of range"},
      {"foo.*", "{{wildcard(2)}}", "out of range"},
      {"foo.*", "{{wildcard()}}", "not enough arguments"},
      {"foo.*", "{{wildcard( )}}", "not enough arguments"},
      {"foo.*", "{{wildcard(1,1)}}", "too many arguments"},
      {"foo.*", "{{wildcard(x)}}", "invalid or in the wrong format"},
      {"foo.*", "{{partition(1)}}", "not enough arguments"},
      {"foo.*", "{{partition(0,1)}}", "invalid or in the wrong format"},
      {"foo.*", "{{partition(-2,1)}}", "invalid or in the wrong format"},
      {"foo.*", "{{partition(99999999999,1)}}", "invalid or in the wrong format"},
      {"foo.*", "{{partition(2,5)}}", "out of range"},
      {"foo.*", "{{split(1)}}", "not enough arguments"},
      {"foo.*", "{{split(1,)}}", "invalid or in the wrong format"},
      {"foo.*", "{{split(1,a b)}}", "invalid or in the wrong format"},
      {"foo.*", "{{split(1,-,-)}}", "too many arguments"},
      {"foo.*", "{{slicefromleft(1,x)}}", "invalid or in the wrong format"},
      {"foo.*", "{{slicefromleft(1)}}", "not enough arguments"},
      {"foo.*", "{{unknown(1)}}", "unknown function"},
      {"foo.*", "{{wildcard}}", "unknown function"},
      {"foo.*", "{{wildcard(1}}", "unknown function"},
      {"foo.*", "{{}}x", nullptr},  // text
      {"foo.*", "{{ }}", "unknown function"},
  };
  for (const Row& row : rows) {
    const auto transform = SubjectTransform::make(row.source, row.destination);
    ASSERT_EQ(transform.has_value(), row.reason == nullptr) << row.source << " -> " << row.destination;
    if (!transform) {
      EXPECT_NE(transform.error().doing.find(row.reason), std::string::npos) << transform.error().doing;
    }
  }
}

TEST(SubjectTransform, of_an_import_uses_every_wildcard_once) {
  EXPECT_TRUE(SubjectTransform::make("a.*.*", "b.$2.{{wildcard(1)}}", Use::reversible));
  EXPECT_TRUE(SubjectTransform::make("a.>", "b.>", Use::reversible));
  for (const char* destination : {"b", "b.$1", "b.$1.$2.$1", "b.$1.{{left(2,1)}}", "b.{{partition(3,1,2)}}"}) {
    EXPECT_FALSE(SubjectTransform::make("a.*.*", destination, Use::reversible)) << destination;
  }
}

TEST(SubjectTransform, finds_the_way_back) {
  struct Row {
    const char* source;
    const char* destination;
    const char* subject;
  };
  const std::vector<Row> rows = {
      {"foo", "bar", "foo"},
      {"a.*", "b.$1.c", "a.x"},
      {"a.*.*", "b.$2.$1", "a.x.y"},
      {"a.*.*.*", "$2.$3.$1", "a.x.y.z"},
      {"$1.*.{{left(1,1)}}", "$1", "$1.x.{{left(1,1)}}"},
      {"a.>", "b.c.>", "a.x.y"},
      {"*.a.*.>", "$2.{{wildcard(1)}}.q.>", "x.a.y.z.w"},
  };
  for (const Row& row : rows) {
    const auto there = SubjectTransform::make(row.source, row.destination, Use::reversible);
    ASSERT_TRUE(there) << there.error().doing;
    const auto back = there->reverse();
    ASSERT_TRUE(back) << back.error().doing;
    const std::string arrived = there->apply(row.subject);
    EXPECT_TRUE(back->matches(arrived)) << arrived;
    EXPECT_EQ(back->apply(arrived), row.subject);
    EXPECT_TRUE(wire::matches(there->destination_pattern(), arrived));
  }
  EXPECT_FALSE(SubjectTransform::make("a.*", "b")->reverse());
  EXPECT_EQ(SubjectTransform::make("a.*.*", "$2.b.$1")->reverse()->destination(), "a.$2.$1");
}

TEST(SubjectTransform, transforms_narrower_patterns_too) {
  const auto transform = SubjectTransform::make("a.*.>", "b.$1.x.>", Use::reversible);
  ASSERT_TRUE(transform);
  EXPECT_EQ(transform->apply("a.*.>"), "b.*.x.>");
  EXPECT_EQ(transform->apply("a.foo.*.bar"), "b.foo.x.*.bar");
}

TEST(SubjectTransform, goes_there_and_back_for_any_pattern) {
  for (std::uint32_t seed = 0; seed < 2000; ++seed) {
    RandomSubjects random(seed);
    const std::string source = random.pattern();
    const std::string subject = random.literal();
    if (!wire::matches(source, subject)) {
      continue;
    }
    std::string destination = "to";
    int wildcards = 0;
    for (std::size_t i = 0; i < source.size(); ++i) {
      wildcards += source[i] == '*' ? 1 : 0;
    }
    for (int i = wildcards; i > 0; --i) {
      destination += ".$" + std::to_string(i) + ".x";
    }
    destination += source.ends_with('>') ? ".>" : "";
    const auto there = SubjectTransform::make(source, destination, Use::reversible);
    ASSERT_TRUE(there) << source << " " << destination;
    EXPECT_EQ(there->reverse()->apply(there->apply(subject)), subject) << source;
  }
}

TEST(WeightedMapping, shares_by_weight_and_leaves_the_rest) {
  const auto mapping = WeightedMapping::make("foo.*", {{"v1.$1", 30, ""}, {"v2.$1", 20, ""}});
  ASSERT_TRUE(mapping);
  std::map<std::string, int> arrived;
  for (std::uint32_t random = 0; random < 100; ++random) {
    std::string to;
    ASSERT_TRUE(mapping->apply("foo.x", random, to));
    ++arrived[to];
  }
  EXPECT_EQ(arrived, (std::map<std::string, int>{{"v1.x", 30}, {"v2.x", 20}, {"foo.x", 50}}));
}

TEST(WeightedMapping, loses_the_rest_when_the_source_is_a_target) {
  const auto mapping = WeightedMapping::make("foo", {{"foo", 40, ""}});
  ASSERT_TRUE(mapping);
  int lost = 0;
  for (std::uint32_t random = 0; random < 100; ++random) {
    std::string to;
    lost += mapping->apply("foo", random, to) ? 0 : 1;
  }
  EXPECT_EQ(lost, 60);
}

TEST(WeightedMapping, does_not_use_targets_of_clusters) {
  const auto mapping = WeightedMapping::make("foo", {{"east", 100, "EAST"}, {"west", 100, "WEST"}});
  ASSERT_TRUE(mapping);
  std::string to;
  EXPECT_TRUE(mapping->apply("foo", 7, to));
  EXPECT_EQ(to, "foo");
}

TEST(WeightedMapping, refuses_weights_and_targets_that_do_not_fit) {
  EXPECT_FALSE(WeightedMapping::make("foo", {{"a", 101, ""}}));
  EXPECT_FALSE(WeightedMapping::make("foo", {{"a", 60, ""}, {"b", 60, ""}}));
  EXPECT_FALSE(WeightedMapping::make("foo", {{"a", 4294967295U, ""}, {"b", 2, ""}}));
  EXPECT_FALSE(WeightedMapping::make("foo", {{"a", 10, ""}, {"a", 20, ""}}));
  EXPECT_FALSE(WeightedMapping::make("foo", {{"a.*", 10, ""}}));
  EXPECT_FALSE(WeightedMapping::make("foo.>.x", {{"a", 10, ""}}));
  EXPECT_TRUE(WeightedMapping::make("foo", {{"a", 60, ""}, {"b", 60, "EAST"}}));
}

TEST(SubjectMappings, prefer_a_literal_source_then_the_first_that_matches) {
  SubjectMappings mappings;
  EXPECT_TRUE(mappings.empty());
  for (const char* source : {"a.*", "a.>", "a.b", "c.*"}) {
    mappings.add(*WeightedMapping::make(source, {{std::string(source).ends_with('>') ? "x.>" : "x", 100, ""}}));
  }
  EXPECT_EQ(mappings.find("a.b")->source(), "a.b");
  EXPECT_EQ(mappings.find("a.c")->source(), "a.*");
  EXPECT_EQ(mappings.find("a.c.d")->source(), "a.>");
  EXPECT_EQ(mappings.find("b"), nullptr);
  mappings.add(*WeightedMapping::make("a.*", {{"y.$1", 100, ""}}));
  std::string to;
  EXPECT_TRUE(mappings.find("a.c")->apply("a.c", 0, to));
  EXPECT_EQ(to, "y.c");
  EXPECT_EQ(mappings.size(), 4U);
}

}  // namespace
}  // namespace hawser::routing
