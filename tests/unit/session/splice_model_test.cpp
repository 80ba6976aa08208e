// Every interleaving of small worlds, and a planted fault for every rule of the protocol, each of which must show.
#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <unordered_set>

#include "session/splice_world.hpp"

namespace hawser::session::model {
namespace {

struct Outcome {
  std::size_t states = 0;
  std::string verdict;
};

class Search {
 public:
  explicit Search(std::size_t most) : most_(most) {}

  // Until something is wrong, or all states have been seen.
  void visit(const World& world) {
    if (!outcome.verdict.empty() || outcome.states >= most_) return;
    if (!seen_.insert(world.digest()).second) return;
    ++outcome.states;
    std::vector<Step> steps;
    world.steps(steps);
    if (steps.empty()) {
      World end = world;
      end.judge_end();
      outcome.verdict = end.verdict();
      return;
    }
    for (const Step& step : steps) {
      World next = world;
      next.take(step);
      if (!next.verdict().empty()) {
        outcome.verdict = next.verdict();
        return;
      }
      visit(next);
    }
  }

  Outcome outcome;

 private:
  std::size_t most_;
  std::unordered_set<std::uint64_t> seen_;
};

constexpr std::size_t kMostStates = 20'000'000;

Outcome explore(const Scenario& scenario) {
  Subscriptions subscriptions;
  Search search(kMostStates);
  search.visit(World(scenario, subscriptions));
  return search.outcome;
}

using P = Publisher;

std::vector<Scenario> small_worlds() {
  const std::vector<Act> two = {Act::publish, Act::publish};
  const std::vector<Act> two_to_queue = {Act::publish_to_queue, Act::publish_to_queue};
  return {
      {.name = "one server", .publishers = {{0, 2}, {0, 1}}},
      {.name = "overlapping subscriptions", .publishers = {{0, 1}}, .plain_sids = 2},
      {.name = "another server", .far = true, .publishers = {{0, 2}}},
      {.name = "another server publishes", .far = true, .publishers = {{1, 2}}},
      {.name = "a third server publishes", .far = true, .publishers = {{2, 2}}},
      {.name = "another server, interest before", .far = true, .outsider = 1, .publishers = {{0, 2}}},
      {.name = "heartbeats", .publishers = {{0, 3, P::heartbeat}}},
      {.name = "heartbeats, another server", .far = true, .publishers = {{0, 3, P::heartbeat}}},
      {.name = "own publishes", .outsider = 0, .publishers = {}, .user = two},
      {.name = "own publishes, another server", .far = true, .outsider = 1, .publishers = {}, .user = two},
      {.name = "no echo", .echo = false, .outsider = 0, .publishers = {{0, 1}}, .user = two},
      {.name = "no echo, nobody else", .echo = false, .outsider = 0, .publishers = {}, .user = two},
      {.name = "no echo, another server", .far = true, .echo = false, .outsider = 1, .publishers = {}, .user = two},
      {.name = "queue group", .publishers = {{0, 3, P::queue}}, .queue = true},
      {.name = "queue group, another server",
       .far = true,
       .publishers = {{0, 1, P::queue}, {1, 2, P::queue}},
       .queue = true},
      {.name = "no echo, queue group",
       .echo = false,
       .rival = 0,
       .publishers = {},
       .user = two_to_queue,
       .queue = true},
      {.name = "no echo, queue group, another server",
       .far = true,
       .echo = false,
       .rival = 1,
       .publishers = {},
       .user = two_to_queue,
       .queue = true},
      {.name = "O dies", .publishers = {{0, 2}}, .kill_old = true},
      {.name = "N dies", .publishers = {{0, 2}}, .kill_new = true},
      {.name = "O or N dies, another server", .far = true, .publishers = {{0, 2}}, .kill_old = true, .kill_new = true},
      {.name = "O or N dies, heartbeats", .publishers = {{0, 3, P::heartbeat}}, .kill_old = true, .kill_new = true},
      {.name = "O or N dies, queue group",
       .publishers = {{0, 2, P::queue}},
       .queue = true,
       .kill_old = true,
       .kill_new = true},
  };
}

// Minutes of search, for when the protocol itself is changed: HAWSER_SPLICE_DEEP=1.
std::vector<Scenario> large_worlds() {
  return {
      {.name = "overlapping subscriptions, two messages", .publishers = {{0, 2}}, .plain_sids = 2},
      {.name = "one server, twice two", .publishers = {{0, 2}, {0, 2}}},
      {.name = "another server, both publish", .far = true, .publishers = {{0, 2}, {1, 1}}},
      {.name = "another server, both publish, interest before",
       .far = true,
       .outsider = 1,
       .publishers = {{0, 2}, {1, 1}}},
      {.name = "own and others' publishes",
       .outsider = 0,
       .publishers = {{0, 1}},
       .user = {Act::publish, Act::publish}},
      {.name = "O dies, two publishers", .publishers = {{0, 2}, {0, 1}}, .kill_old = true},
      {.name = "N dies, two publishers", .publishers = {{0, 2}, {0, 1}}, .kill_new = true},
      {.name = "O or N dies, three messages", .publishers = {{0, 3}}, .kill_old = true, .kill_new = true},
  };
}

TEST(SpliceModel, delivers_once_and_in_order_in_every_interleaving_of_small_worlds) {
  std::vector<Scenario> worlds = small_worlds();
  if (std::getenv("HAWSER_SPLICE_DEEP") != nullptr) {
    for (Scenario& world : large_worlds()) worlds.push_back(std::move(world));
  }
  for (const Scenario& world : worlds) {
    const Outcome outcome = explore(world);
    EXPECT_EQ(outcome.verdict, "") << world.name;
    EXPECT_GT(outcome.states, 100U) << world.name << ": nothing was searched";
    EXPECT_LT(outcome.states, kMostStates) << world.name << ": not all of it";
    RecordProperty(world.name, std::to_string(outcome.states));
  }
}

// A rule that is left out, and a world in which that must show.
struct Fault {
  const char* name;
  bool SpliceRules::* rule;
  const char* world;
};

const std::vector<Fault>& faults() {
  using R = SpliceRules;
  static const std::vector<Fault> all = {
      {"O is not counted before SUB on N", &R::count_before_subscribing, "another server, interest before"},
      {"no settle after n1", &R::settle_after_subscribing, "heartbeats"},
      {"one settle after n1 for another server", &R::settle_far_twice, "heartbeats, another server"},
      {"no settle after o1", &R::settle_before_marking, "one server"},
      {"no settle before the cut", &R::settle_before_cut, "heartbeats"},
      {"own publishes go on at once on another server", &R::settle_own_publishes, "own publishes, another server"},
      {"no settle before the end", &R::settle_before_end, "one server"},
      {"early messages are dropped", &R::early, "O dies"},
      {"no credits", &R::credits, "one server"},
      {"no hold", &R::hold, "one server"},
      {"no tail", &R::tail, "one server"},
      {"x is not counted", &R::cross_off, "one server"},
      {"O is unsubscribed early", &R::keep_subscribed, "one server"},
      {"own publishes do not wait", &R::hold_publishes, "own publishes"},
      {"O leaves its queue groups before N joins", &R::queue_overlap, "queue group"},
      {"no linger for queue groups", &R::queue_linger, "queue group"},
      {"no PING o0 without echo", &R::drain_own_publishes, "no echo, nobody else"},
      {"own publishes are not noted", &R::own_notes, "no echo"},
      {"own publishes after the cut are not noted", &R::own_notes_after_cut, "no echo"},
      {"own publishes to a queue group do not wait", &R::hold_for_queues, "no echo, queue group"},
  };
  return all;
}

TEST(SpliceModel, misses_no_planted_fault) {
  const std::vector<Scenario> worlds = small_worlds();
  for (const Fault& fault : faults()) {
    const auto world = std::ranges::find(worlds, fault.world, &Scenario::name);
    ASSERT_NE(world, worlds.end()) << fault.world;
    Scenario faulty = *world;
    faulty.rules.*fault.rule = false;
    EXPECT_NE(explore(faulty).verdict, "") << fault.name << " went unnoticed";
  }
}

}  // namespace
}  // namespace hawser::session::model
