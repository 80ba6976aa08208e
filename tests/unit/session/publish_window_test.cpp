#include "session/publish_window.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace hawser::session {
namespace {

std::set<std::uint64_t> positions_of(const PublishWindow& window) {
  std::set<std::uint64_t> positions;
  for (const auto& run : window.runs()) {
    EXPECT_LT(run.begin, run.end);
    for (std::uint64_t at = run.begin; at < run.end; ++at) {
      EXPECT_TRUE(positions.insert(at).second);
    }
  }
  return positions;
}

TEST(PublishWindow, joins_what_follows_directly_and_nothing_else) {
  PublishWindow window;
  window.add(0, 10);
  window.add(10, 15);
  window.add(21, 30);  // a PING between
  ASSERT_EQ(window.runs().size(), 2U);
  EXPECT_EQ(window.runs()[0].end, 15U);
  EXPECT_EQ(window.bytes(), 24U);
}

TEST(PublishWindow, agrees_with_a_set_of_positions_under_random_operations) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    std::mt19937 random(seed);
    PublishWindow window;
    std::set<std::uint64_t> model;
    std::vector<std::uint64_t> ends;  // of frames: what a PING can stand at
    std::uint64_t end = 0;
    for (int step = 0; step < 200; ++step) {
      if (random() % 3 != 0) {
        const std::uint64_t begin = end + (random() % 2 == 0 ? 0 : random() % 7);
        end = begin + 1 + random() % 20;
        window.add(begin, end);
        for (std::uint64_t at = begin; at < end; ++at) {
          model.insert(at);
        }
        ends.push_back(end);
      } else if (!ends.empty()) {
        const std::uint64_t position = ends[random() % ends.size()] + random() % 3;
        window.confirm(position);
        model.erase(model.begin(), model.lower_bound(position));
      }
      ASSERT_EQ(positions_of(window), model) << "seed " << seed << " step " << step;
      ASSERT_EQ(window.bytes(), model.size());
    }
  }
}

}  // namespace
}  // namespace hawser::session
