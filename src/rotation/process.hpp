// Commands of a plan, and signals: run without a shell unless the plan asks for one, with bounded time and output.
//
// Blocking; thread-safe. A command has no standard input; its two outputs come together. It is over when it ends,
// whatever it leaves running; its process group is killed when its time is over, when it is to stop, and when its
// output is too long.
//
//   Result<std::string> said = run_command(plan.brokers[0].reload, now() + 10s, stop);
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rotation/plan.hpp"

namespace hawser::rotation {

inline constexpr std::size_t kCommandOutputBytes = 64UL << 10U;

// What it printed, when its exit status is 0. Errors: rotation_command_failed with the status and the end of the
// output; interrupted.
[[nodiscard]] Result<std::string> run_command(const Command& command, Time until, const std::stop_token& stop);

// To the process whose id stands in the file, or is named. Errors: rotation_command_failed.
[[nodiscard]] Result<void> send_signal(const Signal& signal);

}  // namespace hawser::rotation
