// The last connections that ended, for /connz?state=closed: the newest 10,000, as nats-server keeps.
//
// Thread-safe; adding takes a lock for the time of a move. What only a live connection needs to tell (its list of
// subscriptions, the issuers of its certificate) is dropped, so that an entry stays under a kilobyte or so.
//
//   closed.add(client.facts());  …  for (const ConnectionFacts& c : closed.list()) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "broker/facts.hpp"

namespace hawser::broker {

class ClosedConnections {
 public:
  static constexpr std::size_t kKept = 10'000;
  static constexpr std::size_t kMostText = 256;  // bytes of what a client called itself

  explicit ClosedConnections(std::size_t kept = kKept);

  // From now on so many, the newest of those that there are.
  void keep(std::size_t kept);

  // `facts.stop` and `facts.reason` are set by the caller. Beyond the bound the oldest makes room.
  void add(ConnectionFacts facts);
  // The oldest first.
  [[nodiscard]] std::vector<ConnectionFacts> list() const;
  // The one with this id; nothing when it was never there or has been overwritten.
  [[nodiscard]] std::optional<ConnectionFacts> find(std::uint64_t cid) const;
  // All that were ever added.
  [[nodiscard]] std::uint64_t total() const;

 private:
  mutable std::mutex mutex_;
  std::size_t kept_;
  std::vector<ConnectionFacts> ring_;
  std::size_t next_ = 0;  // where the next goes once the ring is full
  std::uint64_t total_ = 0;
};

}  // namespace hawser::broker
