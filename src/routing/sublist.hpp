// The subscriptions of one account, as a trie of subject tokens.
//
// Safe from any thread: one lock, shared by those who match. A thread that matches the same subjects again asks through
// its own RouteCache, which takes no lock while nothing changes. Subjects are valid ones (wire/subject.hpp); a subject
// with an empty token matches nobody.
//
//   Sublist sublist; sublist.insert(subscription); Route route; sublist.match("orders.eu", route);
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "routing/rw_lock.hpp"
#include "routing/subscription.hpp"

namespace hawser::routing {

class Sublist {
 public:
  Sublist();
  ~Sublist();
  Sublist(const Sublist&) = delete;
  Sublist& operator=(const Sublist&) = delete;

  // Whoever looks a subject up after this has returned finds it. One that is in a Sublist already stays as it is.
  void insert(SubscriptionPtr subscription);
  // False: it was not here.
  bool remove(const SubscriptionPtr& subscription);

  // Replaces what is in `route`. The subject is taken literally: a published "foo.*" goes to "foo.*" and to "foo.>".
  void match(std::string_view subject, Route& route) const;
  // Whether match() would find anybody.
  [[nodiscard]] bool has_interest(std::string_view subject) const;

  // Grows with every insert and remove.
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

  // What changed after generation `since`, oldest first; `subject` is valid during the call only. False: too much did
  // to be told one by one, and nothing was visited. `now` becomes the generation up to which was told.
  bool visit_changes(std::uint64_t since, std::uint64_t& now,
                     const std::function<void(std::string_view subject)>& visit) const;

  // Every subscription, in no order, with the lock held: do not call back.
  void visit(const std::function<void(const SubscriptionPtr&)>& visit) const;

  struct Stats {
    std::uint64_t count = 0;
    std::uint64_t inserts = 0;
    std::uint64_t removes = 0;
    std::uint64_t matches = 0;  // those that walked the trie
  };
  [[nodiscard]] Stats stats() const;

 private:
  struct Level;
  struct Node;
  class Walk;

  void note_change(std::string_view subject);
  bool prune(Level& level, std::string_view rest, const SubscriptionPtr& subscription);

  static constexpr std::uint64_t kChangesKept = 256;

  const std::uint64_t seed_;  // of the tokens' hashes, so that nobody can choose subjects that collide
  mutable RwLock mutex_;
  std::unique_ptr<Level> root_;
  struct Change {
    std::string subject;
    bool too_long = false;  // not kept
  };
  std::vector<Change> changes_;  // a ring, by generation
  std::uint64_t count_ = 0;
  std::uint64_t inserts_ = 0;
  std::uint64_t removes_ = 0;
  mutable std::atomic<std::uint64_t> matches_{0};
  std::atomic<std::uint64_t> generation_{0};
};

}  // namespace hawser::routing
