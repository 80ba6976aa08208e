// The agent's status page, from a snapshot. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "admin/server.hpp"
#include "agent/metrics.hpp"
#include "agent/worker.hpp"
#include "store/disk_queue.hpp"

namespace hawser::agent {

struct Snapshot {
  std::string version;
  std::string listen;
  WallTime started;
  bool upstream_up = false;
  std::string upstream;
  session::AccessPtr access;
  tls::MaterialPtr material;
  std::string last_rejection;
  std::string breaker;
  std::optional<store::QueueStats> queue;
  std::size_t clients_total = 0;
  std::vector<Worker::ClientView> clients;
};

[[nodiscard]] admin::Status make_status(const Snapshot& snapshot, const Metrics& metrics);

}  // namespace hawser::agent
