// What a drill can do wrong on purpose, and what has to come of it: the rotation stops there, for that reason. Values.
//
//   const FaultRow* row = find_fault("kill-broker");   row->stops_at == StepKind::prove
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.hpp"
#include "rotation/step.hpp"

namespace hawser::drill {

enum class Fault : std::uint8_t {
  bad_cert,
  expired,
  key_mismatch,
  no_reload,
  partial_write,
  kill_agent,
  kill_broker,
  straggler,
};

// What is done once it has stopped.
enum class WayOut : std::uint8_t {
  none,       // nothing was touched
  roll_back,  // to what it was, byte for byte
  resume,     // the cause is mended, and it goes on to its end
};

struct FaultRow {
  Fault fault;
  std::string_view name;   // of --inject
  std::string_view about;  // what is done wrong
  rotation::StepKind stops_at;
  Errc reason;
  WayOut way_out;
};

[[nodiscard]] std::span<const FaultRow> faults();
// Nothing: there is none of that name.
[[nodiscard]] const FaultRow* find_fault(std::string_view name);

}  // namespace hawser::drill
