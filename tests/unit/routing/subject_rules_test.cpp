#include "routing/subject_rules.hpp"

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <vector>

#include "routing/subscribe.hpp"
#include "wire/subject.hpp"

namespace hawser::routing {
namespace {

using List = std::vector<std::string>;
using MaybeList = std::optional<List>;

TEST(SubjectRules, decide_what_may_be_published) {
  struct Row {
    MaybeList allow;
    List deny;
    std::string subject;
    bool permitted;
  };
  const std::vector<Row> rows = {
      {{}, {}, "foo", true},
      {List{}, {}, "foo", false},
      {List{"foo"}, {}, "foo", true},
      {List{"foo"}, {}, "foo.bar", false},
      {List{"foo"}, {}, "fo", false},
      {List{"foo.*"}, {}, "foo.bar", true},
      {List{"foo.*"}, {}, "foo.bar.baz", false},
      {List{"foo.>"}, {}, "foo.bar.baz", true},
      {List{"foo.>"}, {}, "foo", false},
      {List{">"}, {"foo.>"}, "foo.bar", false},
      {List{">"}, {"foo.>"}, "foo", true},
      {{}, {"foo"}, "foo", false},
      {{}, {"foo"}, "bar", true},
      {{}, {"*.secret"}, "a.secret", false},
      {List{"foo*"}, {}, "foox", false},   // a literal
      {List{"  foo\t"}, {}, "foo", true},  // as people write them
      {List{"foo q"}, {}, "foo", false},   // a queue means nothing here
      {List{"foo"}, {}, "", false},
      {List{">"}, {}, "foo..bar", false},
      {List{">"}, {}, "foo.", false},
      {{}, {">"}, "foo", false},
      {List{"foo"}, {"foo"}, "foo", false},
      {List{"a.*.c", "a.b.*"}, {}, "a.b.c", true},
  };
  for (const Row& row : rows) {
    const SubjectRules rules(row.allow, row.deny);
    EXPECT_EQ(rules.permits_publish(row.subject), row.permitted) << row.subject;
    PermissionMemo memo;
    EXPECT_EQ(rules.permits_publish(row.subject, memo), row.permitted) << row.subject;
    EXPECT_EQ(rules.permits_publish(row.subject, memo), row.permitted) << "again: " << row.subject;
  }
}

// The rows without a remark were compared with nats-server 2.9.10.
TEST(SubjectRules, decide_what_may_be_subscribed_to) {
  struct Row {
    MaybeList allow;
    List deny;
    std::string subject;
    std::string queue;
    bool permitted;
  };
  const List with_queues = {"foo", "foo v1", "bar *.prod", "baz v*"};
  const std::vector<Row> rows = {
      {{}, {}, ">", "", true},
      {List{"*", "foo.*"}, {}, "*", "", true},
      {List{"*", "foo.*"}, {}, "foo.*", "", true},
      {List{"*", "foo.*"}, {}, "foo.bar", "", true},
      {List{"*", "foo.*"}, {}, "foo.*.x", "", false},
      {List{"*", "foo.*"}, {}, "a.*", "", false},
      {List{"*", "foo.*"}, {}, ">", "", false},      // nats-server takes this `>` for one token, and allows it
      {List{"*", "foo.*"}, {}, "foo.>", "", false},  // and this one
      {List{"foo.>"}, {}, "foo.>", "", true},
      {List{"foo.>"}, {}, "foo.*.>", "", true},
      {List{"foo.>"}, {}, "foo", "", false},
      {List{"foo.bar"}, {}, "foo.*", "", false},
      {List{}, {}, "foo", "", false},  // nats-server: an empty list is no list
      {{}, {"*", "foo.*"}, "*", "", false},
      {{}, {"*", "foo.*"}, "foo.*", "", false},
      {{}, {"*", "foo.*"}, "foo.bar", "", false},
      {{}, {"*", "foo.*"}, "*.bar", "", true},
      {{}, {"*", "foo.*"}, "a.*", "", true},
      {{}, {"*", "foo.*"}, "foo.>", "", true},  // nats-server refuses; here what is denied is not delivered
      {with_queues, {}, "foo", "", true},
      {with_queues, {}, "foo", "v1", true},
      {with_queues, {}, "foo", "v2", false},
      {with_queues, {}, "bar", "", false},
      {with_queues, {}, "bar", "x.prod", true},
      {with_queues, {}, "bar", "x", false},
      {with_queues, {}, "baz", "v1", false},
      {with_queues, {}, "baz", "v*", true},
      {List{"foo"}, {}, "foo", "any", true},
      {{}, {"foo", "foo v1"}, "foo", "", false},
      {{}, {"foo", "foo v1"}, "foo", "v1", false},
      {{}, {"foo", "foo v1"}, "foo", "v2", true},
      {{}, {"foo v1"}, "foo", "", true},
      {{}, {"foo v1"}, "foo", "v1", false},
      {{}, {"foo *"}, "foo", "v1", false},
      {{}, {"> dev.>"}, "foo.bar", "dev.a.b", false},
      {List{"foo a b"}, {}, "foo", "a", false},  // not an entry
      {List{""}, {}, "foo", "", false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(SubjectRules(row.allow, row.deny).permits_subscribe(row.subject, row.queue), row.permitted)
        << row.subject << " " << row.queue;
  }
}

TEST(SubjectRules, check_deliveries_of_subscriptions_that_reach_into_what_is_denied) {
  const SubjectRules rules({}, {"foo.secret", "bar.*.key", "baz q"});
  for (const char* subject : {">", "foo.*", "*.secret", "bar.>", "bar.x.*", "bar.*.*", "*.*.key"}) {
    EXPECT_TRUE(rules.needs_delivery_check(subject)) << subject;
  }
  for (const char* subject : {"foo.open", "foo.*.x", "bar.x.lock", "qux.>", "baz.*", "bar.*"}) {
    EXPECT_FALSE(rules.needs_delivery_check(subject)) << subject;
  }
  EXPECT_FALSE(rules.permits_delivery("foo.secret"));
  EXPECT_FALSE(rules.permits_delivery("bar.x.key"));
  EXPECT_TRUE(rules.permits_delivery("foo.open"));
  EXPECT_TRUE(rules.permits_delivery("baz"));
  PermissionMemo memo;
  for (int round = 0; round < 2; ++round) {
    EXPECT_FALSE(rules.permits_delivery("foo.secret", memo));
    EXPECT_TRUE(rules.permits_delivery("foo.open", memo));
  }
  EXPECT_FALSE(SubjectRules({}, {}).needs_delivery_check(">"));
}

TEST(SubjectRules, the_memo_is_bounded_and_right) {
  const SubjectRules rules(List{"even.*"}, {});
  PermissionMemo memo;
  for (int i = 0; i < 5000; ++i) {
    const bool even = i % 2 == 0;
    const std::string subject = (even ? "even." : "odd.") + std::to_string(i % 1500);
    ASSERT_EQ(rules.permits_publish(subject, memo), even) << subject;
  }
  EXPECT_LE(memo.size(), PermissionMemo::kMost);
  EXPECT_TRUE(rules.permits_publish("even." + std::string(5000, 'x'), memo));
  PermissionMemo small;
  EXPECT_TRUE(rules.permits_publish("even.1", small));
  EXPECT_LE(small.size(), 8U);
}

TEST(SubjectRules, tell_which_entries_cannot_be_used) {
  using Entries = SubjectRules::Entries;
  for (const char* entry : {"foo", "foo.*", ">", " foo "}) {
    EXPECT_FALSE(SubjectRules::entry_fault(entry, Entries::without_queue)) << entry;
  }
  for (const char* entry : {"", "  ", "foo q", "foo..bar", "foo.>.bar", ".foo"}) {
    EXPECT_TRUE(SubjectRules::entry_fault(entry, Entries::without_queue)) << entry;
  }
  EXPECT_FALSE(SubjectRules::entry_fault("foo q.*", Entries::with_queue));
  EXPECT_TRUE(SubjectRules::entry_fault("foo q r", Entries::with_queue));
}

// Whatever was subscribed to, and however wide: nothing that is denied or not allowed arrives.
TEST(SubjectRules, let_nothing_through_that_is_denied) {
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    RandomSubjects random(seed);
    const MaybeList allow = seed % 3 == 0 ? MaybeList() : List{random.pattern(), random.pattern()};
    const List deny = {random.pattern(), random.pattern()};
    const SubjectRules rules(allow, deny);
    const std::string wanted = random.pattern();
    if (!rules.permits_subscribe(wanted, "")) {
      continue;
    }
    for (int i = 0; i < 20; ++i) {
      const std::string subject = random.literal();
      if (!wire::matches(wanted, subject)) {
        continue;
      }
      const bool arrives = !rules.needs_delivery_check(wanted) || rules.permits_delivery(subject);
      const auto lists = [&](const List& list) {
        return std::any_of(list.begin(), list.end(), [&](const auto& entry) { return wire::matches(entry, subject); });
      };
      EXPECT_EQ(arrives, !lists(deny)) << wanted << " " << subject;
      EXPECT_TRUE(!allow || lists(*allow)) << wanted << " " << subject;
    }
  }
}

}  // namespace
}  // namespace hawser::routing
