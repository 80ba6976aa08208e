// What the agent does with publishes while no server is there: one for the whole agent, shared by its clients.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/local_routes.hpp"
#include "store/disk_queue.hpp"

namespace hawser::agent {

enum class FallbackMode : std::uint8_t {
  local_queue,  // publishes wait on disk
  fail,         // each is refused with an error
  drop,         // thrown away, and counted
};

struct Fallback {
  FallbackMode mode = FallbackMode::local_queue;
  bool drain = true;            // what is queued goes to the server when one is there
  Duration drain_delay{};       // for so long at least it has been there, so that others' subscribers are back as well
  bool local_delivery = true;   // local clients still reach each other
  bool queue_requests = false;  // instead of answering 503 at once
};

// A message for local clients, while the server is away.
struct LocalMessage {
  std::string subject;
  std::string reply;
  std::string headers;
  std::string payload;
};
struct LocalDelivery {
  LocalSubscriptionPtr to;
  std::shared_ptr<const LocalMessage> message;
};

// Keeps those who go on publishing from running away from the queue that is being drained in front of them: they may
// add half of what leaves it. Any thread.
class CatchUp {
 public:
  void begins() noexcept {
    put_.store(0, std::memory_order_relaxed);
    drained_.store(0, std::memory_order_relaxed);
  }
  void put(std::uint64_t bytes) noexcept { put_.fetch_add(bytes, std::memory_order_relaxed); }
  void drained(std::uint64_t bytes) noexcept { drained_.fetch_add(bytes, std::memory_order_relaxed); }
  [[nodiscard]] bool allows_more() const noexcept {
    return put_.load(std::memory_order_relaxed) < kHeadStart + drained_.load(std::memory_order_relaxed) / 2;
  }

 private:
  static constexpr std::uint64_t kHeadStart = 1UL << 20U;
  std::atomic<std::uint64_t> put_{0};
  std::atomic<std::uint64_t> drained_{0};
};

class Outage {
 public:
  Outage(const Fallback& how, store::DiskQueue* disk, std::string agent_id)
      : fallback(how), queue(disk), routes(std::move(agent_id)) {}

  const Fallback fallback;
  store::DiskQueue* const queue;  // null: nothing waits on disk
  LocalRoutes routes;
  CatchUp catch_up;
  // Hands deliveries to the worker whose clients they are for.
  std::function<void(std::uint32_t worker, std::vector<LocalDelivery>)> deliver;

  [[nodiscard]] bool delivers_locally() const noexcept { return queue != nullptr && fallback.local_delivery; }

  // Of the server that the queue is drained to; empty: none now. Any thread.
  void drains_to(std::string server_id) {
    const std::lock_guard lock(mutex_);
    server_id_ = std::make_shared<const std::string>(std::move(server_id));
  }
  [[nodiscard]] std::shared_ptr<const std::string> drain_server() const {
    const std::lock_guard lock(mutex_);
    return server_id_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const std::string> server_id_ = std::make_shared<const std::string>();
};

}  // namespace hawser::agent
