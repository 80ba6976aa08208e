// A well-behaved client: publishes numbered messages to itself over a second connection, connects anew now and then,
// and keeps a record of what was lost and how long everything took.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "link.hpp"

namespace abuse {

struct Findings {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t out_of_order = 0;
  std::vector<double> trips_ms;     // of messages
  std::vector<double> connects_ms;  // of logins, handshake included
  double late_ms = 0;               // by which the machine let the probe itself wait, at most
  std::string failure;              // a connection was refused or ended
};

// Until `stop`, and then until everything has arrived, or ten seconds.
[[nodiscard]] Findings publish_and_listen(const LinkOptions& options, const std::string& user,
                                          const std::string& subject, const std::atomic<bool>& stop);
[[nodiscard]] Findings connect_again_and_again(const LinkOptions& options, const std::string& user,
                                               const std::atomic<bool>& stop);

}  // namespace abuse
