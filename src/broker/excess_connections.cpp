#include "broker/excess_connections.hpp"

#include <algorithm>

#include "broker/worker.hpp"

namespace hawser::broker {
namespace {

std::vector<std::uint64_t> connections_of(const Hub& hub, const AccountState& account) {
  std::vector<std::uint64_t> ids;
  for (Worker* worker : hub.workers) {
    worker->inspect([&](Worker& here) {
      for (const auto& [id, client] : here.all()) {
        if (!client->ended() && client->view() != nullptr && &client->view()->account == &account) {
          ids.push_back(id);
        }
      }
    });
  }
  return ids;
}

}  // namespace

void end_excess(Hub& hub, const std::vector<Account>& accounts) {
  for (const Account& account : accounts) {
    const AccountState& state = hub.accounts.at(account.name);
    const std::int64_t excess = state.connections.load() - account.max_connections;
    if (account.max_connections < 0 || excess <= 0) {
      continue;
    }
    std::vector<std::uint64_t> ids = connections_of(hub, state);
    std::ranges::sort(ids);  // in the order in which they came
    ids.resize(std::min(ids.size(), static_cast<std::size_t>(excess)));
    for (Worker* worker : hub.workers) {
      worker->inspect([&](Worker& here) {
        for (const std::uint64_t id : ids) {
          if (Client* client = here.find(id); client != nullptr) {
            client->end(CloseReason::max_account_connections_exceeded, "maximum account active connections exceeded");
          }
        }
      });
    }
  }
}

}  // namespace hawser::broker
