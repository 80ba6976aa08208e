// What a rotation needs of the world, besides what its plan names on disk: everybody answers, and may be written to and
// told. Touches nothing. Blocking; thread-safe.
//
//   std::vector<Error> missing = look_around(plan, inventory, until, stop);
#pragma once

#include <stop_token>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rotation/inventory.hpp"
#include "rotation/plan.hpp"

namespace hawser::rotation {

// Everything that is not in place: bundles that hold other CAs or cannot be replaced, monitoring and admin endpoints
// that do not answer, brokers that take none of the prober's certificates, programs and processes that are not there.
[[nodiscard]] std::vector<Error> look_around(const Plan& plan, const Inventory& inventory, Time until,
                                             const std::stop_token& stop);

}  // namespace hawser::rotation
