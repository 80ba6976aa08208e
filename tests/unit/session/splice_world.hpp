// A world for the splice to live in: servers that route each message to its subscribers one after another, links that
// are queues, publishers, a user, and an outsider who watches what the user publishes. No time: a settle ends when
// everything that was under way in the servers when it began has arrived, which is what the protocol assumes, and at
// any later moment.
//
// Everything that can happen next is a Step; whoever drives the world chooses. An exhaustive search copies it.
//
//   World world(scenario, subscriptions);
//   while (!world.steps(steps).empty() && world.verdict().empty()) world.take(steps[choose(steps.size())]);
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "session/splice.hpp"

namespace hawser::session::model {

inline constexpr std::uint8_t kServers = 3;
enum Node : std::uint8_t {
  kOld,
  kNew,
  kOutsider,
  kNodes
};  // the links; the outsider is not only a link but the responder too

struct Publisher {
  enum Kind : std::uint8_t { plain, queue, heartbeat };  // heartbeats are byte-identical, whoever sends them
  std::uint8_t server = 0;
  std::uint8_t messages = 2;
  Kind kind = plain;
};

// What the user does, in order, each when it likes.
enum class Act : std::uint8_t { publish, publish_to_queue, subscribe_inbox, request, unsubscribe, limit };

struct Scenario {
  std::string name;
  bool far = false;  // N is on server 1; O is on server 0
  bool echo = true;
  int outsider = -1;  // the server of a plain subscriber who is there all the time
  int rival = -1;     // the server of another member of the queue group
  std::vector<Publisher> publishers;
  std::vector<Act> user{};
  std::uint8_t plain_sids = 1;  // overlapping plain subscriptions, at most 2
  bool queue = false;           // a queue subscription
  bool kill_old = false;
  bool kill_new = false;
  std::uint8_t limit = 0;  // of Act::limit, for sid 1
  SpliceRules rules{};
};

struct Step {
  enum Kind : std::uint8_t { start, begin, route, deliver, command, receive, settled, act, respond, kill } kind;
  std::uint8_t who = 0;     // publisher, route, job or link
  std::uint8_t choice = 0;  // target, or member of the queue group
};

class World {
 public:
  // `subscriptions` is empty, and shared by copies: a scenario that changes it is not for copying.
  World(const Scenario& scenario, Subscriptions& subscriptions);

  void steps(std::vector<Step>& out) const;
  void take(const Step& step);
  // When no steps are left.
  void judge_end();

  // What went wrong; empty: nothing so far.
  [[nodiscard]] const std::string& verdict() const { return verdict_; }
  [[nodiscard]] std::uint64_t digest() const;
  [[nodiscard]] const Splice& splice() const { return splice_; }
  [[nodiscard]] std::uint64_t repeated() const { return repeated_; }
  [[nodiscard]] std::uint64_t missed() const { return missed_; }

 private:
  static constexpr std::uint8_t kUser = 60;  // as a publisher
  static constexpr std::uint8_t kResponder = 61;
  enum class What : std::uint8_t { message, pong, subscribe, unsubscribe, ping };
  enum Topic : std::uint8_t {
    kPlain,
    kPlainToo,
    kQueue,
    kInbox,
    kRequest
  };  // the first four are subscriptions as well

  struct Item {
    What what{};
    Topic topic{};
    std::uint8_t publisher = 0;
    std::uint8_t sequence = 0;
    bool old = false;       // under way since before the settle began
    std::uint32_t tag = 0;  // of PING and PONG; the limit of an UNSUB
  };
  struct Job {  // one message on its way through one server; no targets: none
    Item item;
    std::uint32_t targets = 0;
  };
  struct Line {  // a link
    std::uint8_t server = 0;
    bool open = true;
    std::array<bool, 4> topics{};  // subscribed, as its server knows
    std::array<std::uint8_t, 4> sent{};
    std::array<std::uint8_t, 4> limit{};
    std::vector<Item> to_server;
    std::vector<Item> to_client;
  };
  struct Route {
    std::array<bool, 4> interest{};  // what its start knows of its end
    std::vector<Item> items;
  };

  [[nodiscard]] std::size_t line_job(std::size_t node) const { return scenario_->publishers.size() + node; }
  [[nodiscard]] std::size_t route_job(std::size_t route) const { return line_job(kNodes) + route; }
  [[nodiscard]] std::vector<std::uint8_t> members(std::uint8_t server, int from_line, int origin) const;
  [[nodiscard]] std::size_t choices(const Item& item, std::uint8_t server, int from_line, int origin) const;
  void spread(Job& job, const Item& item, std::uint8_t server, int from_line, int origin, std::uint8_t choice);
  void deliver(Job& job, std::uint8_t target);
  void command(std::uint8_t node, std::uint8_t choice);
  void subscribe(std::uint8_t node, Topic topic, bool on);
  void announce(std::uint8_t server, Topic topic, bool on);
  void receive(Side side);
  void act();
  void remove_or_limit(std::string_view sid, Topic topic);
  void kill(std::uint8_t node);
  void give_user(const Item& item);
  void give_outsider(const Item& item);
  void count_given(std::string_view sid, SpliceActions& more);
  void perform(const SpliceActions& actions);
  void perform_one(const SpliceAction& action);
  void send(std::uint8_t node, const Item& item) {
    if (lines_[node].open) lines_[node].to_server.push_back(item);
  }
  [[nodiscard]] bool settled() const;
  [[nodiscard]] bool cannot_act() const;
  void age();
  void fail(std::string text) {
    if (verdict_.empty()) verdict_ = std::move(text);
  }

  const Scenario* scenario_;
  Subscriptions* subscriptions_;
  Splice splice_;
  std::array<Line, kNodes> lines_;
  std::array<Route, kServers * kServers> routes_;  // from × kServers + to
  std::vector<Job> jobs_;  // of publishers, then links, then routes: each source has one message routed after another
  std::vector<std::uint8_t> published_;
  std::vector<std::array<std::uint8_t, 2>> expected_;  // by publisher and sid: the sequence that must come next
  std::vector<std::uint64_t> queued_;                  // by publisher: bits of what the group has been given
  std::array<std::uint32_t, 2> heartbeats_{};
  std::uint8_t own_seen_by_outsider_ = 0;
  std::uint8_t own_published_ = 0;
  std::uint8_t own_queued_ = 0;
  std::uint64_t own_queue_given_ = 0;
  std::uint8_t acted_ = 0;
  std::uint32_t limited_ = 0;  // messages given on sid 1
  bool requested_ = false;
  bool replied_ = false;
  bool got_reply_ = false;
  bool started_ = false;
  bool held_ = false;
  bool unsubscribed_ = false;
  std::uint8_t publishes_on_ = kOld;
  Time timer_at_{};
  Time now_{};
  bool timer_ = false;
  std::uint8_t deaths_ = 0;
  bool old_died_ = false;
  std::uint64_t repeated_ = 0;
  std::uint64_t missed_ = 0;
  std::string verdict_;
};

}  // namespace hawser::session::model
