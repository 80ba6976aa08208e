// A rotation from its plan to its end: inspection, journal, performer, runner and the flow's sampler put together.
//
//   auto end = conduct(plan, Intent::begin, {.watcher = [&](const auto& passed) { return …; }, .stop_asked = …});
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "rotation/plan.hpp"
#include "rotation/runner.hpp"

namespace hawser::rotation {

struct Conduct {
  // Made once it is known what has passed already; told of everything, on the calling thread.
  std::function<std::unique_ptr<Watcher>(const std::vector<Passed>&)> watcher;
  // Asked some ten times a second: true stops it in order.
  std::function<bool()> stop_asked;
};

// Blocks until it is over. Errors: what kept it from beginning, those of Journal::open and take_up.
[[nodiscard]] Result<action::Finished> conduct(const Plan& plan, Intent intent, const Conduct& with);

}  // namespace hawser::rotation
