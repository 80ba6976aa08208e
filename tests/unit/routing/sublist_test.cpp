#include "routing/sublist.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

#include "routing/subscribe.hpp"
#include "wire/subject.hpp"

namespace hawser::routing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> matched(const Sublist& sublist, std::string_view subject) {
  Route route;
  sublist.match(subject, route);
  EXPECT_EQ(sublist.has_interest(subject), !route.empty()) << subject;
  return listed(route);
}

TEST(Sublist, finds_what_matches_and_nothing_else) {
  Sublist sublist;
  for (const char* subject : {"foo", "foo.bar", "foo.*", "foo.>", "*", "*.bar", ">", "foo.*.baz", "foo.bar.*", "*.*"}) {
    sublist.insert(subscription(subject));
  }
  EXPECT_THAT(matched(sublist, "foo"), ElementsAre("*", ">", "foo"));
  EXPECT_THAT(matched(sublist, "foo.bar"), ElementsAre("*.*", "*.bar", ">", "foo.*", "foo.>", "foo.bar"));
  EXPECT_THAT(matched(sublist, "foo.bar.baz"), ElementsAre(">", "foo.*.baz", "foo.>", "foo.bar.*"));
  EXPECT_THAT(matched(sublist, "x.y.z"), ElementsAre(">"));
}

TEST(Sublist, takes_hostile_subjects_as_they_are) {
  Sublist sublist;
  for (const char* subject : {">", "foo.*", "foo.bar", "foo*", "*.*"}) {
    sublist.insert(subscription(subject));
  }
  struct Row {
    std::string subject;
    std::vector<std::string> found;
  };
  const std::vector<Row> rows = {
      {"", {}},
      {".", {}},
      {"..", {}},
      {"foo.", {}},
      {".foo", {}},
      {"foo..bar", {}},
      {"foo*", {">", "foo*"}},           // a literal
      {"foo.*", {"*.*", ">", "foo.*"}},  // published: the `*` is a token like any other
      {"foo.>", {"*.*", ">", "foo.*"}},
      {"*", {">"}},
      {">", {">"}},
      {std::string("foo.\0x", 6), {"*.*", ">", "foo.*"}},
      {std::string(100000, 'x'), {">"}},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(matched(sublist, row.subject), row.found) << row.subject.substr(0, 40);
  }
}

TEST(Sublist, goes_as_deep_as_a_subject_of_thousands_of_tokens) {
  std::string deep = "t";
  for (int i = 0; i < 3000; ++i) {
    deep += ".t";
  }
  Sublist sublist;
  const auto literal = subscription(deep);
  const auto wide = subscription(deep + ".>");
  sublist.insert(literal);
  sublist.insert(wide);
  EXPECT_EQ(matched(sublist, deep).size(), 1U);
  EXPECT_EQ(matched(sublist, deep + ".x.y").size(), 1U);
  EXPECT_TRUE(sublist.remove(literal));
  EXPECT_THAT(matched(sublist, deep), IsEmpty());
  EXPECT_TRUE(sublist.remove(wide));
  EXPECT_EQ(sublist.stats().count, 0U);
}

TEST(Sublist, joins_queue_groups_of_one_name_from_all_that_match) {
  Sublist sublist;
  for (const auto& [subject, queue] : std::vector<std::pair<std::string, std::string>>{
           {"foo.bar", "a"}, {"foo.*", "a"}, {"foo.>", "b"}, {"foo.*", "c"}, {">", "a"}, {"foo.bar", ""}}) {
    sublist.insert(subscription(subject, queue));
  }
  Route route;
  sublist.match("foo.bar", route);
  std::vector<std::string> names;
  for (const QueueGroup& group : route.groups) {
    names.push_back(group.name);
  }
  EXPECT_THAT(names, UnorderedElementsAre("a", "b", "c"));
  EXPECT_THAT(listed(route), ElementsAre("> a", "foo.* a", "foo.* c", "foo.> b", "foo.bar", "foo.bar a"));
}

TEST(Sublist, keeps_those_of_one_thread_together) {
  Sublist sublist;
  for (std::uint32_t i = 0; i < 20; ++i) {
    sublist.insert(subscription(i % 2 == 0 ? "foo" : ">", "", i % 3));
  }
  Route route;
  sublist.match("foo", route);
  ASSERT_EQ(route.plain.size(), 20U);
  std::set<std::uint32_t> done;
  std::uint32_t current = route.plain.front()->thread;
  for (const SubscriptionPtr& plain : route.plain) {
    if (plain->thread != current) {
      EXPECT_TRUE(done.insert(current).second);
      current = plain->thread;
    }
    EXPECT_FALSE(done.contains(plain->thread));
  }
}

TEST(Sublist, removes_exactly_the_one_that_is_named) {
  Sublist sublist;
  const auto first = subscription("foo.bar");
  const auto second = subscription("foo.bar");
  const auto never = subscription("foo.bar");
  const auto queue = subscription("foo.bar", "q");
  sublist.insert(first);
  sublist.insert(second);
  sublist.insert(queue);
  EXPECT_FALSE(sublist.remove(never));
  EXPECT_TRUE(sublist.remove(first));
  EXPECT_FALSE(sublist.remove(first));
  Route route;
  sublist.match("foo.bar", route);
  EXPECT_THAT(route.plain, ElementsAre(second));
  EXPECT_TRUE(sublist.remove(queue));
  EXPECT_THAT(matched(sublist, "foo.bar"), ElementsAre("foo.bar"));
  EXPECT_TRUE(sublist.remove(second));
  EXPECT_THAT(matched(sublist, "foo.bar"), IsEmpty());
  sublist.insert(first);
  EXPECT_THAT(matched(sublist, "foo.bar"), ElementsAre("foo.bar"));
}

TEST(Sublist, does_not_take_one_twice) {
  Sublist sublist;
  const auto one = subscription("foo");
  sublist.insert(one);
  sublist.insert(one);
  EXPECT_EQ(sublist.stats().count, 1U);
  EXPECT_TRUE(sublist.remove(one));
  EXPECT_FALSE(sublist.has_interest("foo"));
}

TEST(Sublist, a_subscription_of_another_list_is_not_here) {
  Sublist here;
  Sublist there;
  const auto other = subscription("foo");
  there.insert(other);
  here.insert(subscription("foo"));
  EXPECT_FALSE(here.remove(other));
  EXPECT_TRUE(there.has_interest("foo"));
  EXPECT_TRUE(there.remove(other));
}

TEST(Sublist, lets_go_of_what_it_removes) {
  Sublist sublist;
  auto held = subscription("foo.*.bar", "q");
  const std::weak_ptr<Subscription> watched = held;
  sublist.insert(held);
  EXPECT_TRUE(sublist.remove(held));
  held.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(Sublist, counts_and_visits_all) {
  Sublist sublist;
  const std::vector<SubscriptionPtr> all = {subscription("a"), subscription("a.*", "q"), subscription("a.>"),
                                            subscription(">"), subscription("*"),        subscription("a.b.c", "q")};
  for (const SubscriptionPtr& one : all) {
    sublist.insert(one);
  }
  sublist.remove(all[0]);
  std::multiset<std::string> visited;
  sublist.visit([&](const SubscriptionPtr& one) { visited.insert(one->subject); });
  EXPECT_THAT(visited, UnorderedElementsAre("a.*", "a.>", ">", "*", "a.b.c"));
  const Sublist::Stats stats = sublist.stats();
  EXPECT_EQ(stats.count, 5U);
  EXPECT_EQ(stats.inserts, 6U);
  EXPECT_EQ(stats.removes, 1U);
  EXPECT_EQ(sublist.generation(), 7U);
}

TEST(Sublist, tells_changes_as_long_as_it_remembers_them) {
  Sublist sublist;
  sublist.insert(subscription("before"));
  const std::uint64_t since = sublist.generation();
  const auto changed = subscription("a.*");
  sublist.insert(changed);
  sublist.insert(subscription("b"));
  sublist.remove(changed);
  std::vector<std::string> told;
  std::uint64_t now = 0;
  const auto tell = [&](std::string_view subject) { told.emplace_back(subject); };
  EXPECT_TRUE(sublist.visit_changes(since, now, tell));
  EXPECT_THAT(told, ElementsAre("a.*", "b", "a.*"));
  EXPECT_EQ(now, since + 3);
  told.clear();
  EXPECT_TRUE(sublist.visit_changes(now, now, tell));
  EXPECT_THAT(told, IsEmpty());
  for (int i = 0; i < 300; ++i) {
    sublist.insert(subscription("c"));
  }
  EXPECT_FALSE(sublist.visit_changes(since, now, tell));
  EXPECT_EQ(now, since + 303);
  sublist.insert(subscription(std::string(5000, 'l')));
  EXPECT_FALSE(sublist.visit_changes(now, now, tell)) << "a subject too long to be remembered";
  EXPECT_THAT(told, IsEmpty());
}

TEST(Sublist, agrees_with_wire_matches_through_any_order_of_changes) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    RandomSubjects random(seed);
    Sublist sublist;
    std::vector<SubscriptionPtr> present;
    for (int step = 0; step < 800; ++step) {
      if (present.empty() || random.below(5) < 3) {
        present.push_back(subscription(random.pattern(), random.below(3) == 0 ? "q" : ""));
        sublist.insert(present.back());
      } else {
        std::swap(present[random.below(static_cast<std::uint32_t>(present.size()))], present.back());
        ASSERT_TRUE(sublist.remove(present.back()));
        present.pop_back();
      }
      const std::string subject = random.literal();
      Route expected;
      for (const SubscriptionPtr& one : present) {
        if (!wire::matches(one->subject, subject)) {
          continue;
        }
        if (one->queue.empty()) {
          expected.plain.push_back(one);
        } else if (expected.groups.empty()) {
          expected.groups.push_back({"q", {one}});
        } else {
          expected.groups[0].members.push_back(one);
        }
      }
      ASSERT_EQ(matched(sublist, subject), listed(expected)) << "seed " << seed << " step " << step << " " << subject;
    }
  }
}

}  // namespace
}  // namespace hawser::routing
