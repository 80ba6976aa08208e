// `hawser broker --signal`: a command to a broker that runs, by its process id, its PID file, or because it is the only
// one. Blocking; main thread.
//
//   Result<void> sent = signal_broker("reload=/run/nats.pid");
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace hawser::cli {

// "reload", "reload=4711", "reload=/run/nats.pid". Errors: bad_usage, file_unreadable, broker_not_found (none, or
// several, which it lists), broker_signal_failed.
[[nodiscard]] Result<void> signal_broker(std::string_view command);

// The signal's number: stop KILL, quit INT, term TERM, reload HUP, reopen USR1, ldm USR2.
[[nodiscard]] std::optional<int> signal_of(std::string_view word);
// Whether a process with these arguments serves as a broker: `hawser broker …` or `nats-server …`, and no command to
// one.
[[nodiscard]] bool serves_as_broker(std::span<const std::string> arguments);

}  // namespace hawser::cli
