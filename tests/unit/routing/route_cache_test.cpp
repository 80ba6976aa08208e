#include "routing/route_cache.hpp"

#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

#include "routing/subscribe.hpp"
#include "wire/subject.hpp"

namespace hawser::routing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Twice: the first time does not make an entry.
const Route& warm(RouteCache& routes, std::string_view subject) {
  routes.find(subject);
  return routes.find(subject);
}

TEST(RouteCache, finds_without_matching_again_what_it_found_twice) {
  Sublist sublist;
  sublist.insert(subscription("foo.*"));
  RouteCache routes(sublist);
  warm(routes, "foo.bar");
  const std::uint64_t matches = sublist.stats().matches;
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(listed(routes.find("foo.bar")), ElementsAre("foo.*"));
    routes.trim();
  }
  EXPECT_EQ(sublist.stats().matches, matches);
  EXPECT_EQ(routes.stats().hits, 100U);
  EXPECT_EQ(routes.stats().entries, 1U);
}

TEST(RouteCache, does_not_keep_what_is_asked_for_once) {
  Sublist sublist;
  sublist.insert(subscription("_INBOX.x.*"));
  RouteCache routes(sublist);
  std::size_t found = 0;
  for (int i = 0; i < 1000; ++i) {
    found += routes.find("_INBOX.x." + std::to_string(i)).plain.size();
    routes.trim();
  }
  EXPECT_EQ(found, 1000U);
  EXPECT_LE(routes.stats().entries, 10U) << "a few may be taken for others";
}

TEST(RouteCache, sees_every_change_at_once) {
  Sublist sublist;
  RouteCache routes(sublist);
  EXPECT_TRUE(warm(routes, "foo.bar").empty());
  const auto literal = subscription("foo.bar");
  const auto wildcard = subscription("foo.*");
  const auto elsewhere = subscription("bar.*");
  sublist.insert(literal);
  EXPECT_THAT(listed(routes.find("foo.bar")), ElementsAre("foo.bar"));
  sublist.insert(wildcard);
  EXPECT_THAT(listed(routes.find("foo.bar")), ElementsAre("foo.*", "foo.bar"));
  sublist.insert(elsewhere);
  EXPECT_THAT(listed(routes.find("foo.bar")), ElementsAre("foo.*", "foo.bar"));
  sublist.remove(literal);
  EXPECT_THAT(listed(routes.find("foo.bar")), ElementsAre("foo.*"));
  sublist.remove(wildcard);
  EXPECT_THAT(listed(routes.find("foo.bar")), IsEmpty());
}

TEST(RouteCache, keeps_its_routes_when_others_change) {
  Sublist sublist;
  sublist.insert(subscription("orders.eu"));
  RouteCache routes(sublist);
  warm(routes, "orders.eu");
  warm(routes, "orders.us");
  const std::uint64_t matches = sublist.stats().matches;
  for (int i = 0; i < 1000; ++i) {
    const auto inbox = subscription("_INBOX." + std::to_string(i) + (i % 2 == 0 ? ".*" : ""));
    sublist.insert(inbox);
    EXPECT_EQ(routes.find("orders.eu").plain.size(), 1U);
    sublist.remove(inbox);
    EXPECT_TRUE(routes.find("orders.us").empty());
    routes.trim();
  }
  EXPECT_EQ(sublist.stats().matches, matches);
}

TEST(RouteCache, asks_again_after_more_changes_than_anybody_remembers) {
  for (const int changes : {60, 64, 65, 66, 200, 255, 256, 257, 258, 5000}) {
    Sublist sublist;
    RouteCache routes(sublist);
    warm(routes, "a.b");
    const auto first = subscription("a.*");
    sublist.insert(first);
    for (int i = 1; i < changes; ++i) {
      sublist.insert(subscription("x." + std::to_string(i) + ".*"));
    }
    EXPECT_THAT(listed(routes.find("a.b")), ElementsAre("a.*")) << changes;
    warm(routes, "x.7.y");
    sublist.remove(first);
    for (int i = 1; i < changes; ++i) {
      sublist.insert(subscription("y." + std::to_string(i) + ".*"));
      if (i % 100 == 0) {
        routes.find("x.7.y");
      }
    }
    EXPECT_THAT(listed(routes.find("a.b")), IsEmpty()) << changes;
  }
}

TEST(RouteCache, a_route_stays_as_it_is_until_trim) {
  Sublist sublist;
  const auto one = subscription("foo");
  sublist.insert(one);
  RouteCache routes(sublist);
  const Route& once = routes.find("bar");
  const Route& kept = warm(routes, "foo");
  sublist.insert(subscription("foo"));
  sublist.insert(subscription(">"));
  EXPECT_EQ(routes.find("foo").plain.size(), 3U);
  for (int i = 0; i < 10000; ++i) {
    warm(routes, "other." + std::to_string(i));  // pushes everything out
  }
  sublist.remove(one);
  EXPECT_EQ(routes.find("foo").plain.size(), 2U);
  EXPECT_TRUE(once.empty());
  EXPECT_THAT(kept.plain, ElementsAre(one));
  routes.trim();
}

TEST(RouteCache, holds_a_bounded_number_of_entries) {
  Sublist sublist;
  sublist.insert(subscription(">"));
  RouteCache routes(sublist);
  for (int i = 0; i < 20000; ++i) {
    ASSERT_EQ(warm(routes, "s." + std::to_string(i)).plain.size(), 1U);
    routes.trim();
  }
  EXPECT_LE(routes.stats().entries, RouteCache::kMaxEntries);
  EXPECT_GE(routes.stats().entries, RouteCache::kMaxEntries / 2);
}

TEST(RouteCache, wide_routes_are_kept_within_bounds) {
  constexpr std::size_t kWide = 3000;
  Sublist sublist;
  for (std::size_t i = 0; i < kWide; ++i) {
    sublist.insert(subscription(">", i % 2 == 0 ? "" : "q"));
  }
  RouteCache routes(sublist);
  std::uint64_t most = 0;
  for (int i = 0; i < 800; ++i) {
    ASSERT_EQ(warm(routes, "s." + std::to_string(i)).plain.size(), kWide / 2);
    most = std::max(most, routes.stats().kept);
    routes.trim();
  }
  EXPECT_LE(most, RouteCache::kMaxKept);
  EXPECT_GE(most, RouteCache::kMaxKept / 2);
  EXPECT_EQ(routes.stats().kept, routes.stats().entries * kWide);
}

TEST(RouteCache, keeps_thousands_of_subjects_that_come_round_and_round) {
  Sublist sublist;
  RouteCache routes(sublist);
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 2000; ++i) {
      routes.find("device." + std::to_string(i));
      routes.trim();
    }
  }
  EXPECT_GE(routes.stats().entries, 1400U);
  EXPECT_GE(routes.stats().hits, 20000U);
}

TEST(RouteCache, does_not_keep_subjects_that_are_too_long) {
  Sublist sublist;
  sublist.insert(subscription(">"));
  RouteCache routes(sublist);
  const std::string longest(RouteCache::kMaxSubjectBytes, 'x');
  EXPECT_EQ(warm(routes, longest).plain.size(), 1U);
  EXPECT_EQ(routes.stats().entries, 1U);
  EXPECT_EQ(warm(routes, longest + "x").plain.size(), 1U);
  EXPECT_EQ(warm(routes, "").plain.size(), 0U);
  EXPECT_EQ(routes.stats().entries, 1U);
}

TEST(RouteCache, sweep_lets_go_of_removed_subscriptions) {
  Sublist sublist;
  auto literal = subscription("foo");
  auto wildcard = subscription("bar.*");
  const std::weak_ptr<Subscription> watched_literal = literal;
  const std::weak_ptr<Subscription> watched_wildcard = wildcard;
  sublist.insert(literal);
  sublist.insert(wildcard);
  RouteCache routes(sublist);
  warm(routes, "foo");
  warm(routes, "bar.x");
  sublist.remove(literal);
  sublist.remove(wildcard);
  literal.reset();
  wildcard.reset();
  EXPECT_FALSE(watched_wildcard.expired());
  routes.sweep();
  EXPECT_TRUE(watched_literal.expired());
  EXPECT_TRUE(watched_wildcard.expired());
}

TEST(RouteCache, sweep_lets_go_of_everything_when_nobody_asked_since_the_last) {
  Sublist sublist;
  sublist.insert(subscription("foo"));
  RouteCache routes(sublist);
  warm(routes, "foo");
  routes.sweep();
  EXPECT_EQ(routes.stats().entries, 1U);
  EXPECT_EQ(routes.find("foo").plain.size(), 1U);
  routes.sweep();
  EXPECT_EQ(routes.stats().entries, 1U);
  routes.sweep();
  EXPECT_EQ(routes.stats().entries, 0U);
  EXPECT_EQ(routes.stats().kept, 0U);
  sublist.insert(subscription("foo"));
  EXPECT_EQ(routes.find("foo").plain.size(), 2U);
}

TEST(RouteCache, agrees_with_wire_matches_through_any_order_of_changes) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    RandomSubjects random(seed + 1000);
    Sublist sublist;
    RouteCache routes(sublist);
    std::vector<SubscriptionPtr> present;
    for (int step = 0; step < 3000; ++step) {
      if (const std::uint32_t dice = random.below(10); dice < 2 || present.empty()) {
        present.push_back(subscription(random.pattern()));
        sublist.insert(present.back());
      } else if (dice < 4) {
        std::swap(present[random.below(static_cast<std::uint32_t>(present.size()))], present.back());
        ASSERT_TRUE(sublist.remove(present.back()));
        present.pop_back();
      } else if (dice == 4) {
        routes.trim();
      } else if (dice == 5 && random.below(10) == 0) {
        routes.sweep();
      }
      const std::string subject = random.literal();
      Route expected;
      for (const SubscriptionPtr& one : present) {
        if (wire::matches(one->subject, subject)) {
          expected.plain.push_back(one);
        }
      }
      ASSERT_EQ(listed(routes.find(subject)), listed(expected))
          << "seed " << seed << " step " << step << " " << subject;
    }
  }
}

// Four states of a subscription, so that a reader can tell what it must and what it must not find.
enum : std::uint32_t { kAbsent, kComing, kPresent, kGoing, kStates };

struct Watched {
  SubscriptionPtr subscription;
  std::atomic<std::uint32_t> steps{kAbsent};  // modulo kStates it is the state; it never goes back
};

TEST(RouteCache, threads_that_look_up_see_what_others_have_changed) {
  constexpr std::uint32_t kWriters = 2;
  constexpr std::uint32_t kReaders = 2;
  Sublist sublist;
  std::vector<Watched> all(64);
  RandomSubjects subjects(7);
  for (Watched& watched : all) {
    watched.subscription = subscription(subjects.pattern());
  }
  std::atomic<std::uint32_t> writing{kWriters};
  std::atomic<std::uint32_t> judged{0};
  std::vector<std::thread> threads;
  for (std::uint32_t writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      RandomSubjects random(writer);
      for (int step = 0; step < 20000; ++step) {
        const std::uint32_t at = random.below(static_cast<std::uint32_t>(all.size()) / kWriters) * kWriters + writer;
        const bool absent = all[at].steps.fetch_add(1) % kStates == kAbsent;
        if (absent) {
          sublist.insert(all[at].subscription);
        } else {
          EXPECT_TRUE(sublist.remove(all[at].subscription));
        }
        all[at].steps.fetch_add(1);
      }
      writing.fetch_sub(1);
    });
  }
  for (std::uint32_t reader = 0; reader < kReaders; ++reader) {
    threads.emplace_back([&, reader] {
      RandomSubjects random(100 + reader);
      RouteCache routes(sublist);
      std::vector<std::uint32_t> before(all.size());
      for (int round = 0; writing.load() > 0 || round < 100; ++round) {  // on a busy machine the writers may be first
        const std::string subject = random.literal();
        for (std::size_t i = 0; i < all.size(); ++i) {
          before[i] = all[i].steps.load();
        }
        const Route& route = routes.find(subject);
        for (std::size_t i = 0; i < all.size(); ++i) {
          const std::uint32_t state = before[i] % kStates;
          if (all[i].steps.load() != before[i] || state == kComing || state == kGoing) {
            continue;
          }
          const bool wanted = state == kPresent && wire::matches(all[i].subscription->subject, subject);
          const auto found = std::count(route.plain.begin(), route.plain.end(), all[i].subscription);
          ASSERT_EQ(found, wanted ? 1 : 0) << subject << " " << all[i].subscription->subject;
          judged.fetch_add(1, std::memory_order_relaxed);
        }
        routes.trim();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_GT(judged.load(), 0U);
}

}  // namespace
}  // namespace hawser::routing
