#include "wire/subject.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace hawser::wire {
namespace {

using namespace std::string_literals;
using Fault = SubjectFault;

TEST(Subject, is_judged_by_nats_servers_rules) {
  struct Row {
    std::string subject;
    Fault publish;
    Fault subscribe;
  };
  const std::vector<Row> rows = {
      {"foo", Fault::none, Fault::none},
      {"foo.bar.baz", Fault::none, Fault::none},
      {"$SYS.REQ.USER.INFO", Fault::none, Fault::none},
      {"foo*", Fault::none, Fault::none},
      {"*foo", Fault::none, Fault::none},
      {"foo.b*r", Fault::none, Fault::none},
      {">>", Fault::none, Fault::none},
      {"**", Fault::none, Fault::none},
      {"foo>.bar", Fault::none, Fault::none},
      {"h\xc3\xa9llo", Fault::none, Fault::none},
      {"*", Fault::wildcard, Fault::none},
      {">", Fault::wildcard, Fault::none},
      {"foo.*.bar", Fault::wildcard, Fault::none},
      {"foo.>", Fault::wildcard, Fault::none},
      {"*.*.>", Fault::wildcard, Fault::none},
      {">.foo", Fault::wildcard, Fault::after_full},
      {"foo.>.>", Fault::wildcard, Fault::after_full},
      {"foo.>.", Fault::wildcard, Fault::after_full},
      {"", Fault::empty, Fault::empty},
      {".", Fault::empty_token, Fault::empty_token},
      {".foo", Fault::empty_token, Fault::empty_token},
      {"foo.", Fault::empty_token, Fault::empty_token},
      {"foo..bar", Fault::empty_token, Fault::empty_token},
      {" ", Fault::blank, Fault::blank},
      {"foo bar", Fault::blank, Fault::blank},
      {"foo.\tbar", Fault::blank, Fault::blank},
      {"foo\r\nPUB evil 0", Fault::blank, Fault::blank},
      {"foo\f", Fault::blank, Fault::blank},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(publish_fault(row.subject), row.publish) << row.subject;
    EXPECT_EQ(subscribe_fault(row.subject), row.subscribe) << row.subject;
    EXPECT_EQ(valid_publish_subject(row.subject), row.publish == Fault::none) << row.subject;
    EXPECT_EQ(valid_subscribe_subject(row.subject), row.subscribe == Fault::none) << row.subject;
  }
}

TEST(Subject, holds_its_limit_of_tokens) {
  EXPECT_EQ(subscribe_fault("a.b.c", 3), Fault::none);
  EXPECT_EQ(subscribe_fault("a.b.c", 2), Fault::too_many_tokens);
  EXPECT_EQ(publish_fault("a.b.>", 2), Fault::too_many_tokens);
  std::string longest = "t";
  for (std::size_t i = 1; i < limits::kSubjectTokens; ++i) {
    longest += ".t";
  }
  EXPECT_TRUE(valid_publish_subject(longest));
  EXPECT_FALSE(valid_publish_subject(longest + ".t"));
  EXPECT_EQ(token_count(longest), limits::kSubjectTokens);
}

TEST(Subject, a_queue_group_is_one_word) {
  EXPECT_EQ(queue_fault("workers"), Fault::none);
  EXPECT_EQ(queue_fault("a..b.>.*"), Fault::none);
  EXPECT_EQ(queue_fault(""), Fault::empty);
  EXPECT_EQ(queue_fault("a b"), Fault::blank);
  EXPECT_EQ(queue_fault("a\r\n"), Fault::blank);
}

TEST(Subject, a_pedantic_publish_looks_only_at_empty_tokens_and_wildcards) {
  for (const char* subject : {"foo", "foo.b*r", "foo\x01.x"}) {
    EXPECT_TRUE(passes_pedantic_publish(subject)) << subject;
  }
  for (const char* subject : {"", ".", "foo.", "foo..x", "foo.*", "foo.>", "*"}) {
    EXPECT_FALSE(passes_pedantic_publish(subject)) << subject;
  }
}

TEST(Subject, has_a_wildcard_only_where_it_is_a_whole_token) {
  for (const char* subject : {"*", ">", "a.*", "*.a", "a.>", "a*.*"}) {
    EXPECT_TRUE(has_wildcard(subject)) << subject;
  }
  for (const char* subject : {"", "a", "a*", "a.b>", "**.>>"}) {
    EXPECT_FALSE(has_wildcard(subject)) << subject;
  }
}

struct Pair {
  const char* pattern;
  const char* other;
  bool expected;
};

TEST(Subject, matches_token_by_token) {
  const std::vector<Pair> rows = {
      {"foo", "foo", true},
      {"foo", "fo", false},
      {"fo", "foo", false},
      {"foo", "foo.bar", false},
      {"foo.bar", "foo", false},
      {"*", "foo", true},
      {"*", "foo.bar", false},
      {"foo.*", "foo.bar", true},
      {"foo.*", "foo", false},
      {"foo.*", "foo.bar.baz", false},
      {"*.bar", "foo.bar", true},
      {"*.bar", "foo.baz", false},
      {"foo.*.baz", "foo.bar.baz", true},
      {">", "foo", true},
      {">", "foo.bar.baz", true},
      {"foo.>", "foo.bar", true},
      {"foo.>", "foo.bar.baz", true},
      {"foo.>", "foo", false},
      {"foo.>", "fo.bar", false},
      {"*.>", "foo", false},
      {"*.>", "foo.bar", true},
      {"foo*", "foobar", false},
      {"foo*", "foo*", true},
      {"foo.b>", "foo.bar", false},
      {"foo.b>", "foo.b>", true},
  };
  for (const Pair& row : rows) {
    EXPECT_EQ(matches(row.pattern, row.other), row.expected) << row.pattern << " " << row.other;
  }
}

TEST(Subject, overlaps_when_one_subject_can_match_both) {
  const std::vector<Pair> rows = {
      {"foo", "foo", true},         {"foo", "bar", false},      {"foo.*", "*.bar", true},    {"foo.*", "bar.*", false},
      {"foo.>", "foo", false},      {"foo.>", "foo.bar", true}, {"foo.>", "*", false},       {"foo.>", "*.*", true},
      {">", "foo", true},           {">", "*.*.*", true},       {"foo.*", "foo.*.*", false}, {"foo.>", "foo.*.*", true},
      {"foo.*.baz", "foo.>", true}, {"*.a.>", "b.*.c", true},   {"*.a.>", "b.c.>", false},   {"*.a.>", "b.*", false},
      {"foo*", "foo.*", false},     {"foo*", "*", true},        {"*x", "ax", false},
  };
  for (const Pair& row : rows) {
    EXPECT_EQ(overlaps(row.pattern, row.other), row.expected) << row.pattern << " " << row.other;
    EXPECT_EQ(overlaps(row.other, row.pattern), row.expected) << row.other << " " << row.pattern;
  }
}

TEST(Subject, is_a_subset_when_everything_it_matches_is_matched) {
  const std::vector<Pair> rows = {
      {"foo", "foo", true},      {"foo", "*", true},        {"foo", ">", true},         {"*", "foo", false},
      {"foo.*", "foo.>", true},  {"foo.>", "foo.*", false}, {"foo.>", "foo.>", true},   {">", "*", false},
      {">", ">", true},          {"*.*", "*.>", true},      {"*.>", "*.*", false},      {"*.>", ">", true},
      {">", "*.>", false},       {"foo", "foo.>", false},   {"foo.bar", "foo.*", true}, {"a.*.c", "a.*.*", true},
      {"a.*.*", "a.*.c", false}, {"foo*", "*", true},       {"*", "*foo", false},       {"foo.>", "foo.*.>", false},
  };
  for (const Pair& row : rows) {
    EXPECT_EQ(is_subset(row.pattern, row.other), row.expected) << row.pattern << " in " << row.other;
  }
}

// Every pattern of up to three tokens over a small alphabet, judged by the subjects that it matches: the definitions.
TEST(Subject, overlap_and_subset_agree_with_matching_for_all_small_patterns) {
  std::vector<std::string> subjects;
  std::vector<std::string> patterns;
  const auto extend = [](std::vector<std::string>& all, const std::vector<std::string>& tokens, std::size_t longest) {
    std::size_t from = 0;
    all = tokens;
    for (std::size_t length = 1; length < longest; ++length) {
      const std::size_t end = all.size();
      for (; from < end; ++from) {
        for (const std::string& token : tokens) {
          const std::string next = all[from] + "." + token;
          all.push_back(next);
        }
      }
    }
  };
  // "other" stands for every token that no pattern names.
  extend(subjects, {"a", "b", "other"}, 4);
  extend(patterns, {"a", "b", "*", ">"}, 3);
  std::erase_if(patterns, [](const std::string& p) { return !valid_subscribe_subject(p); });
  ASSERT_GT(patterns.size(), 40U);
  for (const std::string& a : patterns) {
    for (const std::string& b : patterns) {
      bool both = false;
      bool only_a = false;
      for (const std::string& subject : subjects) {
        both = both || (matches(a, subject) && matches(b, subject));
        only_a = only_a || (matches(a, subject) && !matches(b, subject));
      }
      EXPECT_EQ(overlaps(a, b), both) << a << " " << b;
      EXPECT_EQ(is_subset(a, b), !only_a) << a << " in " << b;
    }
  }
}

TEST(Subject, an_error_names_the_subject_printably_and_bounded) {
  const Error error = bad_subject("a\r\n" + std::string(1000, 'x'), Fault::blank);
  EXPECT_EQ(error.code, Errc::wire_bad_subject);
  EXPECT_LT(error.doing.size(), 160U);
  EXPECT_EQ(error.doing.find('\n'), std::string::npos);
  EXPECT_NE(error.doing.find("has a blank"), std::string::npos);
}

}  // namespace
}  // namespace hawser::wire
