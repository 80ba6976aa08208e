// Whether this user may publish and subscribe to certain subjects, tried on a live connection.
//
// A SUB is taken back at once. A PUB has a reply that servers keep for themselves (`_R_.…`): they judge the subject,
// refuse the reply, and drop the message, so that nobody receives anything. A server that does not know the rule
// delivers an empty message; PermissionTried::published says so.
//
//   auto tried = try_permissions(probe, {.publish = {"orders.new"}});
#pragma once

#include <optional>
#include <vector>

#include "cli/doctor.hpp"
#include "cli/doctor_cause.hpp"
#include "cli/doctor_probe.hpp"
#include "cli/doctor_steps.hpp"

namespace hawser::cli {

// In the order asked, publishing first. Errors: what ended the connection.
[[nodiscard]] Result<std::vector<PermissionTried>> try_permissions(Probe& probe, const Asked& asked);
// doctor_not_allowed if one of them was refused.
[[nodiscard]] std::optional<Cause> explain_permissions(const std::vector<PermissionTried>& tried,
                                                       const DoctorReport& report);

}  // namespace hawser::cli
