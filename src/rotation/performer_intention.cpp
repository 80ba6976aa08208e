// What steps are going to do, for people.
#include <fmt/format.h>

#include "rotation/performer.hpp"

namespace hawser::rotation {
namespace {

std::string listed(const std::vector<Copy>& copies) {
  std::string out;
  for (const Copy& copy : copies) {
    out += (out.empty() ? "" : ", ") + copy.to.string();
  }
  return out;
}

std::string delivery_of(const Delivery& delivery, bool back) {
  if (const auto* copies = std::get_if<std::vector<Copy>>(&delivery)) {
    return listed(*copies);
  }
  const auto& by_command = std::get<DeliveryCommand>(delivery);
  return !back ? to_text(by_command.command) : by_command.undo ? to_text(*by_command.undo) : "no undo";
}

std::string trust_of(const Plan& plan, const Broker& broker, StepKind kind) {
  if (plan.kind == PlanKind::ca) {
    return broker.bundle.string();
  }
  const bool of_narrow = kind == StepKind::write_narrow || kind == StepKind::write_again;
  const std::optional<Delivery>& change = of_narrow ? broker.narrow : broker.broaden;
  return change ? delivery_of(*change, kind == StepKind::write_again || kind == StepKind::write_old)
                : "nothing of its own";
}

std::string reload_of(const Broker& broker) { return broker.reload ? to_text(*broker.reload) : "nothing of its own"; }

}  // namespace

std::string Performer::intention(Step step) const {
  switch (step.kind) {
    case StepKind::write_broad:
    case StepKind::write_again:
    case StepKind::write_narrow:
    case StepKind::write_old: return trust_of(plan_, plan_.brokers[step.number], step.kind);
    case StepKind::reload_broad:
    case StepKind::reload_again:
    case StepKind::reload_narrow:
    case StepKind::reload_old: return reload_of(plan_.brokers[step.number]);
    case StepKind::prove_broad:
    case StepKind::prove_again:
    case StepKind::prove_narrow:
    case StepKind::prove_old:
      return fmt::format("{} with {}", plan_.kind == PlanKind::ca ? "handshakes" : "connections",
                         plan_.brokers[step.number].clients.authority());
    case StepKind::deliver:
    case StepKind::return_files:
      return delivery_of(target_at(plan_, step.number).deliver, step.kind == StepKind::return_files);
    case StepKind::apply:
    case StepKind::return_apply: return to_text(target_at(plan_, step.number).apply);
    case StepKind::prove:
    case StepKind::return_prove:
      if (const auto& server = target_at(plan_, step.number).prove.server) {
        return "a handshake with " + plan_.brokers[*server].clients.authority();
      }
      return fmt::format("/connz of {} brokers, at least {} connections", plan_.brokers.size(),
                         target_at(plan_, step.number).prove.connections);
    default: return {};
  }
}

}  // namespace hawser::rotation
