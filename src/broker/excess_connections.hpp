// Accounts that may have less connections than they have, since an update of their claims.
//
// Any thread but a worker's; waits for the workers.
//
//   end_excess(hub, *configuration->accounts);
#pragma once

#include <vector>

#include "broker/hub.hpp"

namespace hawser::broker {

// The connections that came first make room, as in nats-server.
void end_excess(Hub& hub, const std::vector<Account>& accounts);

}  // namespace hawser::broker
