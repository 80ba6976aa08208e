// One server, examined: each step of a connection to it made for real, by the decision and with the material of a
// session.
//
// Main thread. Nothing is published: a subject is tried for publishing with a reply that servers keep to themselves, so
// that they judge the subject and then drop the message.
//
//   Result<ServerReport> server = examine_server(loop, *connection, report, asked, url);
#pragma once

#include <string>
#include <vector>

#include "cli/connection.hpp"
#include "cli/doctor.hpp"
#include "cli/doctor_probe.hpp"

namespace hawser::cli {

struct Asked {
  std::vector<std::string> publish;    // valid subjects
  std::vector<std::string> subscribe;  // the same; wildcards allowed
  std::size_t pings = 5;
};

// `report` is what the configuration step found. Errors: interrupted alone; all else is in the answer.
[[nodiscard]] Result<ServerReport> examine_server(ProbeLoop& loop, const Connection& connection,
                                                  const DoctorReport& report, const Asked& asked,
                                                  const posture::ServerUrl& url);

}  // namespace hawser::cli
