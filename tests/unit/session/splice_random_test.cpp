// Random schedules of larger worlds: more publishers and messages, overlapping subscriptions, limits, requests, and
// links that die at any point. HAWSER_SPLICE_SCHEDULES=1000000 for a long run; HAWSER_SPLICE_SEED to see one again.
#include <cstdlib>
#include <gtest/gtest.h>
#include <random>

#include "session/splice_world.hpp"

namespace hawser::session::model {
namespace {

using Random = std::mt19937_64;

std::uint64_t below(Random& random, std::uint64_t bound) { return random() % bound; }
bool one_in(Random& random, std::uint64_t n) { return below(random, n) == 0; }

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::vector<Act> random_acts(Random& random, const Scenario& world) {
  std::vector<Act> acts;
  for (std::uint64_t i = below(random, 6); i > 0; --i) acts.push_back(Act::publish);
  if (world.queue && (world.echo || world.rival >= 0)) {
    for (std::uint64_t i = below(random, 4); i > 0; --i) acts.push_back(Act::publish_to_queue);
  }
  if (world.plain_sids > 1 && one_in(random, 3)) acts.push_back(Act::unsubscribe);
  if (world.limit != 0) acts.push_back(Act::limit);
  std::shuffle(acts.begin(), acts.end(), random);
  if (world.outsider >= 0 && one_in(random, 2)) {
    const auto at = static_cast<std::ptrdiff_t>(below(random, acts.size() + 1));
    acts.insert(acts.begin() + at, {Act::subscribe_inbox, Act::request});
  }
  return acts;
}

Scenario random_world(Random& random) {
  Scenario world;
  world.far = one_in(random, 2);
  world.echo = !one_in(random, 3);
  world.queue = one_in(random, 2);
  world.plain_sids = one_in(random, 3) ? 2 : 1;
  if (one_in(random, 2)) world.outsider = static_cast<int>(below(random, kServers));
  if (world.queue && one_in(random, 2)) world.rival = static_cast<int>(below(random, kServers));
  if (one_in(random, 6)) world.limit = static_cast<std::uint8_t>(1 + below(random, 10));
  for (std::uint64_t i = below(random, 4); i > 0; --i) {
    const auto kind = world.queue && one_in(random, 3) ? Publisher::queue
                      : one_in(random, 4)              ? Publisher::heartbeat
                                                       : Publisher::plain;
    world.publishers.push_back({static_cast<std::uint8_t>(below(random, world.far ? kServers : 2)),
                                static_cast<std::uint8_t>(1 + below(random, 12)), kind});
  }
  world.kill_old = one_in(random, 4);
  world.kill_new = one_in(random, 4);
  world.user = random_acts(random, world);
  return world;
}

// Each schedule favours some kinds of steps, so that slow links, slow servers and slow users all come up.
struct Weights {
  std::array<std::uint32_t, 10> of{};
  explicit Weights(Random& random) {
    for (std::uint32_t& weight : of) weight = 1U << below(random, 6);
    of[Step::kill] = 1;
    of[Step::start] = 1U << below(random, 4);
  }
  [[nodiscard]] const Step& choose(const std::vector<Step>& steps, Random& random) const {
    std::uint64_t total = 0;
    for (const Step& step : steps) total += std::uint64_t{of[step.kind]} * (step.kind == Step::kill ? 1U : 8U);
    std::uint64_t left = below(random, total);
    for (const Step& step : steps) {
      const std::uint64_t weight = std::uint64_t{of[step.kind]} * (step.kind == Step::kill ? 1U : 8U);
      if (left < weight) return step;
      left -= weight;
    }
    return steps.back();
  }
};

std::string run(std::uint64_t seed, const SpliceRules& rules = {}) {
  Random random(seed);
  Scenario scenario = random_world(random);
  scenario.rules = rules;
  const Weights weights(random);
  Subscriptions subscriptions;
  World world(scenario, subscriptions);
  std::vector<Step> steps;
  for (world.steps(steps); !steps.empty() && world.verdict().empty(); world.steps(steps)) {
    world.take(weights.choose(steps, random));
  }
  if (world.verdict().empty()) world.judge_end();
  return world.verdict();
}

TEST(SpliceRandom, keeps_its_promises_in_every_schedule) {
  constexpr std::uint64_t kFewSchedules = 20'000;
  const std::uint64_t first = from_environment("HAWSER_SPLICE_SEED", 1);
  const std::uint64_t count = from_environment("HAWSER_SPLICE_SCHEDULES", first == 1 ? kFewSchedules : 1);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    ASSERT_EQ(run(seed), "") << "HAWSER_SPLICE_SEED=" << seed;
  }
}

TEST(SpliceRandom, loses_replies_when_a_subscription_made_in_the_middle_goes_to_n_alone) {
  SpliceRules rules;
  rules.hold_own_subscribes = false;
  std::uint64_t seed = 1;
  std::string verdict;
  for (; verdict.empty() && seed < 20'000; ++seed) verdict = run(seed, rules);
  EXPECT_EQ(verdict, "a reply was lost");
}

}  // namespace
}  // namespace hawser::session::model
