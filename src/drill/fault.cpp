#include "drill/fault.hpp"

#include <algorithm>
#include <array>

namespace hawser::drill {

namespace {

using rotation::StepKind;

constexpr std::array kFaults{
    FaultRow{Fault::bad_cert, "bad-cert", "a target's new certificate is of a CA that nobody knows",
             StepKind::preflight, Errc::rotation_preflight_failed, WayOut::none},
    FaultRow{Fault::expired, "expired", "a target's new certificate has expired", StepKind::preflight,
             Errc::rotation_preflight_failed, WayOut::none},
    FaultRow{Fault::key_mismatch, "key-mismatch", "a target's new key is of another certificate", StepKind::preflight,
             Errc::rotation_preflight_failed, WayOut::none},
    FaultRow{Fault::no_reload, "no-reload", "a broker's reload does nothing, and does not say so",
             StepKind::prove_broad, Errc::rotation_not_broadened, WayOut::roll_back},
    FaultRow{Fault::partial_write, "partial-write", "half of a target's new certificate is written", StepKind::apply,
             Errc::rotation_not_applied, WayOut::roll_back},
    FaultRow{Fault::kill_agent, "kill-agent", "an agent is killed in a wave", StepKind::apply, Errc::connect_failed,
             WayOut::resume},
    FaultRow{Fault::kill_broker, "kill-broker", "a broker is killed in a wave", StepKind::prove,
             Errc::rotation_monitor_silent, WayOut::resume},
    FaultRow{Fault::straggler, "straggler", "a client that no wave has keeps its old certificate", StepKind::converge,
             Errc::rotation_not_converged, WayOut::resume},
};

}  // namespace

std::span<const FaultRow> faults() { return kFaults; }

const FaultRow* find_fault(std::string_view name) {
  const auto found =
      std::find_if(kFaults.begin(), kFaults.end(), [name](const FaultRow& row) { return row.name == name; });
  return found == kFaults.end() ? nullptr : &*found;
}

}  // namespace hawser::drill
