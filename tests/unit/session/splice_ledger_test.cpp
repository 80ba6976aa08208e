#include "session/splice_ledger.hpp"

#include <gtest/gtest.h>

#include "session/splice_hold.hpp"

namespace hawser::session {
namespace {

TEST(Ledger, finds_every_entry_again_while_it_grows) {
  Ledger ledger(100'000);
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const auto entry = ledger.enter({i * 64, i}, i);  // the low bits that choose a bucket are all alike
    ASSERT_TRUE(entry);
    ledger[*entry].early = static_cast<std::uint32_t>(i);
  }
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const auto entry = ledger.enter({i * 64, i}, i);
    ASSERT_TRUE(entry);
    EXPECT_EQ(ledger[*entry].early, i);
  }
  EXPECT_EQ(ledger.entries().size(), 10'000U);
  EXPECT_FALSE(ledger.find({1, 1}));
}

TEST(Ledger, takes_no_more_than_its_limit_but_still_finds) {
  Ledger ledger(2);
  EXPECT_TRUE(ledger.enter({1, 1}, 1));
  EXPECT_TRUE(ledger.enter({2, 1}, 1));
  EXPECT_FALSE(ledger.enter({3, 1}, 1));
  EXPECT_TRUE(ledger.enter({2, 1}, 1));
  EXPECT_FALSE(ledger.find({3, 1}));
}

TEST(HoldBuffer, drops_the_oldest_of_a_message_and_keeps_the_order_of_the_rest) {
  HoldBuffer buffer;
  HoldChain a;
  HoldChain b;
  buffer.push(a, 0, 1, true, "a1");
  buffer.push(b, 1, 1, false, "b1");
  buffer.push(a, 0, 1, false, "a2");
  buffer.push(b, 1, 1, false, "b2");
  EXPECT_TRUE(buffer.first_is_early(a));
  buffer.drop_first(b);
  buffer.drop_first(a);
  EXPECT_FALSE(buffer.first_is_early(a));
  std::string left;
  for (const HoldBuffer::Item& item : buffer.items()) left += item.raw + " ";
  EXPECT_EQ(left, "a2 b2 ");
  EXPECT_EQ(buffer.bytes(), 2 * HoldBuffer::cost("a2"));
}

TEST(HoldBuffer, stays_small_while_messages_pass_through_it) {
  HoldBuffer buffer;
  std::array<HoldChain, 3> chains;
  std::size_t most = 0;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    HoldChain& chain = chains[i % 3];
    if (!chain.empty()) buffer.drop_first(chain);
    buffer.push(chain, i % 3, 1, false, "text");
    most = std::max(most, buffer.items().size());
  }
  EXPECT_LE(most, 6U);
  EXPECT_EQ(buffer.bytes(), 3 * HoldBuffer::cost("text"));
}

}  // namespace
}  // namespace hawser::session
