// What a reload may change, and what it did change. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "broker/hub.hpp"

namespace hawser::broker {

// Errors: broker_reload_unsupported, naming the first setting that needs a restart.
[[nodiscard]] Result<void> can_reload(const Settings& before, const Settings& after);

// A line a part: "tls = enabled", "authorization users", "max_payload = 1024".
[[nodiscard]] std::vector<std::string> describe_changes(const Configuration& before, const Configuration& after);

}  // namespace hawser::broker
