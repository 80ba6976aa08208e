// A plan's prober at a broker: does it take its old identity, does it take the new one? Blocking; thread-safe.
//
//   Result<Verdict> verdict = try_prober(plan, inventory, broker, Age::old_one, until, stop);
#pragma once

#include <cstdint>
#include <stop_token>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rotation/inventory.hpp"
#include "rotation/plan.hpp"
#include "rotation/probe.hpp"

namespace hawser::rotation {

enum class Age : std::uint8_t { old_one, new_one };

// Whether the inventory has what it presents: what could not be read is not there.
[[nodiscard]] bool has_prober(const Plan& plan, const Inventory& inventory, Age age);

// Errors: rotation_preflight_failed when the inventory does not have it; those of probe().
[[nodiscard]] Result<Verdict> try_prober(const Plan& plan, const Inventory& inventory, const Broker& broker, Age age,
                                         Time until, const std::stop_token& stop);

// "certificate", "credential".
[[nodiscard]] std::string_view what_is_presented(const Plan& plan);

}  // namespace hawser::rotation
