// What a broker counts: /varz of nats-server and of our own broker, read into values.
//
//   Result<Varz> varz = varz_of(plan.brokers[0], trust, until, stop);
#pragma once

#include <cstdint>
#include <stop_token>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rotation/plan.hpp"
#include "tls/context.hpp"

namespace hawser::rotation {

struct Varz {
  std::uint64_t in_msgs = 0;
  std::uint64_t out_msgs = 0;
  std::uint64_t in_bytes = 0;
  std::uint64_t connections = 0;
  std::uint64_t slow_consumers = 0;
};

// Pure. Errors: rotation_monitor_silent, saying what is not as it must be.
[[nodiscard]] Result<Varz> parse_varz(std::string_view json);
// Blocking; thread-safe. Errors: rotation_monitor_silent, naming the broker; interrupted.
[[nodiscard]] Result<Varz> varz_of(const Broker& broker, const tls::ContextPtr& trust, Time until,
                                   const std::stop_token& stop);

}  // namespace hawser::rotation
