// The plan of a drill's rotation, as the YAML that `hawser rotate` reads: what is rehearsed is what an operator would
// write.
//
// Both sides of the line, in five waves: a canary and then the others learn to trust both CAs and present new
// certificates, brokers present theirs, everyone connects to those, and everyone trusts the new CA alone. Pure.
//
//   PlanText text = plan_text(system, 1, nullptr);   config::parse_rotation_plan(text.yaml, text.file)
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "drill/fault.hpp"
#include "drill/system.hpp"

namespace hawser::drill {

struct PlanText {
  Path file;
  std::string yaml;
  std::vector<std::optional<std::size_t>> agents;  // of each target, in order; nothing: it is a broker
};

// The target whose turn comes in the second wave: what `fault` is done to.
inline constexpr std::size_t kVictim = 1;

// From the generation before to this one. `fault`: nothing, or what the plan itself is to get wrong.
[[nodiscard]] PlanText plan_text(const System& system, std::size_t generation, const FaultRow* fault);

}  // namespace hawser::drill
