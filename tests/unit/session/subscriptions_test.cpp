#include "session/subscriptions.hpp"

#include <gtest/gtest.h>
#include <map>
#include <random>

namespace hawser::session {
namespace {

using Added = Subscriptions::Added;
using Counted = Subscriptions::Counted;
using Limited = Subscriptions::Limited;

std::string sids(const Subscriptions& subscriptions) {
  std::string all;
  subscriptions.for_each([&all](const Subscription& s) { all += s.sid + " "; });
  return all;
}

TEST(Subscriptions, ignores_a_second_sub_of_a_sid) {
  Subscriptions subscriptions;
  EXPECT_EQ(subscriptions.add("1", "a", ""), Added::added);
  EXPECT_EQ(subscriptions.add("1", "b", "q"), Added::duplicate);
  EXPECT_EQ(subscriptions.find("1")->subject, "a");
  EXPECT_FALSE(subscriptions.has_queues());
}

TEST(Subscriptions, tells_sids_apart_that_are_the_same_number) {
  Subscriptions subscriptions;
  for (const char* const sid : {"1", "01", "001", "x1", "", "18446744073709551617", "99999999999999999999999"}) {
    EXPECT_EQ(subscriptions.add(sid, sid, ""), Added::added) << sid;
  }
  EXPECT_EQ(subscriptions.size(), 7U);
  for (const char* const sid : {"1", "01", "001", "x1", "", "18446744073709551617"}) {
    ASSERT_NE(subscriptions.find(sid), nullptr) << sid;
    EXPECT_EQ(subscriptions.find(sid)->subject, sid);
  }
  EXPECT_EQ(subscriptions.find("0001"), nullptr);
}

TEST(Subscriptions, counts_what_is_given_and_ends_at_the_max) {
  Subscriptions subscriptions;
  subscriptions.add("7", "a", "q");
  EXPECT_EQ(subscriptions.count("7"), Counted::given);
  EXPECT_EQ(subscriptions.limit("7", 3), Limited::limited);
  EXPECT_EQ(subscriptions.count("7"), Counted::given);
  EXPECT_EQ(subscriptions.count("7"), Counted::last);
  EXPECT_EQ(subscriptions.count("7"), Counted::unknown);
  EXPECT_TRUE(subscriptions.empty());
  EXPECT_FALSE(subscriptions.has_queues());
}

TEST(Subscriptions, ends_at_once_when_the_max_was_reached_before) {
  Subscriptions subscriptions;
  subscriptions.add("7", "a", "");
  subscriptions.count("7");
  EXPECT_EQ(subscriptions.limit("7", 1), Limited::removed);
  EXPECT_EQ(subscriptions.limit("7", 1), Limited::unknown);
  EXPECT_FALSE(subscriptions.remove("7"));
}

TEST(Subscriptions, go_through_in_the_order_of_sub_whatever_was_removed) {
  Subscriptions subscriptions;
  for (int i = 20; i > 0; --i) subscriptions.add(std::to_string(i), "a", "");
  for (int i = 1; i < 20; ++i) {
    if (i % 5 != 0) subscriptions.remove(std::to_string(i));
  }
  subscriptions.add("3", "a", "");
  EXPECT_EQ(sids(subscriptions), "20 15 10 5 3 ");
  EXPECT_EQ(subscriptions.find("3")->serial, 21U);
  EXPECT_EQ(subscriptions.find(Subscription::Serial{21})->sid, "3");
  EXPECT_EQ(subscriptions.find(Subscription::Serial{18}), nullptr) << "the first subscription of sid 3";
}

TEST(Subscriptions, take_no_more_than_their_limit) {
  Subscriptions subscriptions(2);
  subscriptions.add("1", "a", "");
  subscriptions.add("2", "a", "");
  EXPECT_EQ(subscriptions.add("3", "a", ""), Added::full);
  EXPECT_EQ(subscriptions.add("2", "a", ""), Added::duplicate);
  subscriptions.remove("1");
  EXPECT_EQ(subscriptions.add("3", "a", ""), Added::added);
}

TEST(Subscriptions, do_as_a_plain_map_does_through_a_long_random_life) {
  Subscriptions subscriptions;
  std::map<std::string, std::uint64_t> model;
  std::mt19937_64 random(7);
  for (int i = 0; i < 200'000; ++i) {
    // Mostly numbers that climb, as with a client that makes an inbox for each request.
    const std::string sid =
        std::to_string(random() % 8 == 0 ? random() % 50 : 1000 + static_cast<std::uint64_t>(i) / 20);
    switch (random() % 3) {
      case 0: {
        const bool added = model.emplace(sid, 0).second;
        ASSERT_EQ(subscriptions.add(sid, "a", ""), added ? Added::added : Added::duplicate);
        break;
      }
      case 1: ASSERT_EQ(subscriptions.remove(sid), model.erase(sid) == 1); break;
      default: {
        const auto known = model.find(sid);
        ASSERT_EQ(subscriptions.count(sid), known == model.end() ? Counted::unknown : Counted::given);
        if (known != model.end()) ++known->second;
      }
    }
    ASSERT_EQ(subscriptions.size(), model.size());
  }
  for (const auto& [sid, delivered] : model) {
    ASSERT_NE(subscriptions.find(sid), nullptr);
    EXPECT_EQ(subscriptions.find(sid)->delivered, delivered);
  }
}

TEST(Subscriptions, on_a_new_link_ask_for_what_is_left) {
  Subscriptions subscriptions;
  subscriptions.add("1", "a", "");
  for (int i = 0; i < 4; ++i) subscriptions.count("1");
  subscriptions.limit("1", 10);
  EXPECT_EQ(subscriptions.find("1")->limit_on_link(), 10U);
  subscriptions.link_restarted();
  EXPECT_EQ(subscriptions.find("1")->limit_on_link(), 6U);
  subscriptions.count("1");
  EXPECT_EQ(subscriptions.find("1")->limit_on_link(), 6U) << "that server counts from its SUB";
}

TEST(Subscriptions, never_give_a_serial_twice) {
  Subscriptions subscriptions;
  for (int i = 0; i < 100; ++i) subscriptions.add(std::to_string(i), "a", "");
  subscriptions.clear();
  subscriptions.add("1", "a", "");
  EXPECT_EQ(subscriptions.find("1")->serial, 101U);
}

}  // namespace
}  // namespace hawser::session
