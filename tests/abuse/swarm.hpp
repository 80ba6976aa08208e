// Thousands of connections of many attacks on one thread: what each of them does is its recipe's.
//
// A recipe has functions for a connection that is open, that has heard something, whose time has come. A connection
// that ends is replaced as long as the recipe wants as many. One thread.
//
//   Swarm swarm(target); swarm.add({.name = "greeters", .wanted = 9, .open = [](Connection& c) { c.send("PING\r\n");
//   }}); swarm.run(std::chrono::seconds(10));
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace abuse {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using Milliseconds = std::chrono::milliseconds;

struct Target {
  std::uint16_t port = 0;
  std::uint16_t http_port = 0;
};

struct Totals {
  std::uint64_t opened = 0;
  std::uint64_t ended_by_broker = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t most_at_once = 0;
};

class Swarm;

class Connection {
 public:
  explicit Connection(Swarm& swarm, std::uint64_t id, std::size_t recipe) : swarm_(swarm), id_(id), recipe_(recipe) {}

  // Goes out as the socket takes it.
  void send(std::string_view bytes);
  void wake_in(Milliseconds delay);
  // From the next turn on it is not there any more.
  void close() { leaving_ = Leaving::close; }
  void reset() { leaving_ = Leaving::reset; }
  // Deaf: what the broker says stays in the sockets.
  void read(bool on);
  [[nodiscard]] std::size_t unsent() const noexcept { return out_.size() - out_at_; }
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

  std::size_t stage = 0;  // the recipe's
  std::string text;       // the recipe's

 private:
  friend class Swarm;
  enum class Leaving : std::uint8_t { no, close, reset };
  Swarm& swarm_;
  const std::uint64_t id_;
  const std::size_t recipe_;
  int fd_ = -1;
  bool open_ = false;
  bool reads_ = true;
  Leaving leaving_ = Leaving::no;
  std::string out_;
  std::size_t out_at_ = 0;
};

struct Recipe {
  std::string name;
  unsigned wanted = 1;             // connections at a time
  unsigned births_a_second = 100;  // at most
  bool http = false;               // to the monitoring port
  std::function<void(Connection&)> open;
  std::function<void(Connection&)> time = {};
  std::function<void(Connection&, std::string_view)> bytes = {};
  Totals totals = {};
};

class Swarm {
 public:
  explicit Swarm(Target target, unsigned seed = 1);
  ~Swarm();
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  void add(Recipe recipe);
  void run(std::chrono::seconds time);
  [[nodiscard]] const std::vector<Recipe>& recipes() const noexcept { return recipes_; }
  // A number below `below`.
  [[nodiscard]] std::size_t any(std::size_t below) { return random_() % below; }
  template <class List>
  [[nodiscard]] const auto& any_of(const List& list) {
    return list[any(std::size(list))];
  }

 private:
  friend class Connection;
  struct Alarm {
    Time at;
    std::uint64_t id;
    bool operator>(const Alarm& other) const { return at > other.at; }
  };
  struct Population {
    unsigned alive = 0;
    double births_due = 0;
  };
  void bear(std::size_t recipe);
  void bear_those_due(Time now, Time before);
  void on_event(Connection& one, std::uint32_t events);
  bool write(Connection& one);
  bool read(Connection& one);
  void watch(Connection& one);
  void ring_alarms(Time now);
  void bury(std::uint64_t id, bool by_broker);
  Connection* find(std::uint64_t id);

  Target target_;
  int epoll_;
  std::mt19937 random_;
  std::vector<Recipe> recipes_;
  std::vector<Population> populations_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::priority_queue<Alarm, std::vector<Alarm>, std::greater<>> alarms_;
  std::uint64_t next_id_ = 1;
  std::vector<char> buffer_;
};

// Adds the attacks; `crowd`: connections that never say who they are.
void add_word_attacks(Swarm& swarm);
void add_flood_attacks(Swarm& swarm);
void add_login_attacks(Swarm& swarm, unsigned crowd);

// CONNECT of a user whose password is the name.
[[nodiscard]] std::string login(std::string_view user);
[[nodiscard]] std::string repeated(std::string_view text, std::size_t times);

}  // namespace abuse
