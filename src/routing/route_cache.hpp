// What one thread knows of the routes of one account: a lookup without a lock while the account does not change.
//
// Belongs to one thread. A change of the account costs only the routes that it concerns: a literal subject's own, and
// for a wildcard those that match it, found out when they are next asked for. A subject that is asked for once (a reply
// to an inbox) is matched, but not kept: it is kept the second time. Bounded: entries, length of subjects, spare
// routes.
//
//   RouteCache routes(sublist);
//   const Route& route = routes.find(subject);   // stays as it is until this thread's next trim()
//   …
//   routes.trim();                               // between two events
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "routing/same_text.hpp"
#include "routing/sublist.hpp"

namespace hawser::routing {

class RouteCache {
 public:
  static constexpr std::size_t kMaxEntries = 4096;
  static constexpr std::size_t kMaxSubjectBytes = 256;  // longer ones are matched each time
  static constexpr std::size_t kMaxKept = 1UL << 20U;   // subscriptions in all routes together; then they start anew

  explicit RouteCache(const Sublist& sublist);
  ~RouteCache();
  RouteCache(const RouteCache&) = delete;
  RouteCache& operator=(const RouteCache&) = delete;

  // Includes everything that was inserted, and nothing that was removed, before the call. The route may name
  // subscriptions that are removed while it is in use: whoever delivers looks whether they are closed.
  const Route& find(std::string_view subject) {
    if (last_ != nullptr && sublist_.generation() == seen_ && last_->route && last_->epoch == epoch_ &&
        same_text(last_->subject, subject)) [[likely]] {
      ++hits_;
      return *last_->route;
    }
    return find_slowly(subject);
  }

  // Routes that find() gave out may change from here on. Cheap when there is nothing to do.
  void trim() {
    if (!in_use_.empty()) {
      put_aside();
    }
  }
  // Lets go of every route that is out of date, and with it of removed subscriptions; for a slow timer.
  void sweep();

  struct Stats {
    std::uint64_t entries = 0;
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t kept = 0;        // subscriptions in the entries' routes
    std::uint32_t max_fanout = 0;  // of the entries
    std::uint64_t sum_fanout = 0;
  };
  [[nodiscard]] Stats stats() const;

 private:
  struct Entry {
    std::uint64_t hash = 0;
    std::uint64_t epoch = 0;       // of wildcards_, until which the route is known to hold
    std::string subject;           // empty: free
    std::unique_ptr<Route> route;  // null: out of date
    std::uint32_t weight = 0;      // subscriptions in it
    bool used = false;             // since somebody last looked for a place here
  };
  static constexpr std::size_t kWays = 4;
  static constexpr std::size_t kFirstEntries = 64;
  static constexpr std::size_t kWildcardsKept = 64;
  static constexpr std::size_t kFirstMarks = 256;
  static constexpr std::size_t kMaxMarks = 2 * kMaxEntries;
  static constexpr std::size_t kSpareRoutes = 64;
  static constexpr std::size_t kSpareSubscriptions = 256;  // capacity of a spare route that is worth keeping

  const Route& find_slowly(std::string_view subject);
  void put_aside();
  void catch_up();
  void forget_literal(std::string_view subject);
  [[nodiscard]] bool holds(Entry& entry) const;
  [[nodiscard]] Entry* lookup(std::uint64_t hash, std::string_view subject);
  [[nodiscard]] Entry* first_way(std::uint64_t hash);
  const Route& fill(Entry& entry);
  void shed_all_but(const Entry& entry);
  const Route& miss(std::uint64_t hash, std::string_view subject);
  [[nodiscard]] bool asked_before(std::uint64_t hash);
  Entry& place_for(std::uint64_t hash);
  void grow();
  void retire(Entry& entry);
  std::unique_ptr<Route> fresh_route();

  const Sublist& sublist_;
  const std::uint64_t seed_;
  std::uint64_t seen_;          // generation of the Sublist
  std::uint64_t epoch_ = 0;     // number of wildcard changes
  std::vector<Entry> entries_;  // sets of kWays, a power of two of them
  Entry* last_ = nullptr;       // most who publish do so to one subject for a while
  std::size_t filled_ = 0;
  std::uint64_t kept_ = 0;                             // the weights of all entries
  std::array<std::string, kWildcardsKept> wildcards_;  // by epoch
  std::vector<std::uint16_t> marks_;                   // of subjects that were asked for once
  std::size_t marks_lost_ = 0;                         // overwritten since marks_ last grew
  std::vector<std::unique_ptr<Route>> in_use_;         // may be in somebody's hands, and are no entry's
  std::vector<std::unique_ptr<Route>> spare_;
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
};

}  // namespace hawser::routing
