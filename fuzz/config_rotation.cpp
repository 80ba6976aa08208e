// A rotation's plan from hostile text: it must end within its bounds, a failure must say something and name the file,
// and a plan that is good must be one that the engine can go through to its end.
#include <cstdint>
#include <string_view>

#include "config/rotation_file.hpp"
#include "rotation/budget.hpp"
#include "rotation/engine.hpp"

namespace {

using namespace hawser;
using namespace hawser::rotation;

bool goes_to_its_end(const Plan& plan) {
  Engine engine(plan, {});
  Actions actions;
  Time at{};
  engine.start(at, actions);
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (const auto* run = std::get_if<action::Run>(&actions[i])) {
      const Step step = run->step;
      engine.on_done(step, at, actions);
    } else if (const auto* timer = std::get_if<action::Timer>(&actions[i])) {
      at = timer->at;
      engine.on_timer(at, actions);
    } else if (const auto* finished = std::get_if<action::Finished>(&actions[i])) {
      return finished->phase == Phase::done;
    }
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const config::RotationPlanResult plan = config::parse_rotation_plan(text, "r.yaml");
  if (!plan) {
    if (plan.error().empty() || config::as_error(plan.error()).doing.find("r.yaml") == std::string::npos)
      __builtin_trap();
    return 0;
  }
  if (time_needed(*plan).total < time_needed(*plan).moved || !goes_to_its_end(*plan)) __builtin_trap();
  return 0;
}
