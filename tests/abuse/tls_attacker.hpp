// Clients that misbehave inside a TLS connection, one after the other, on a thread of the caller's.
#pragma once

#include <atomic>

#include "link.hpp"
#include "swarm.hpp"

namespace abuse {

// Until `stop`. Counts whole rounds in `rounds`.
void attack_inside_tls(const LinkOptions& options, const std::atomic<bool>& stop, std::atomic<unsigned>& rounds);

}  // namespace abuse
