#include "rotation/prober.hpp"

namespace hawser::rotation {
namespace {

const tls::ContextPtr& context_of(const Inventory& inventory, Age age) {
  return age == Age::old_one ? inventory.old_probe : inventory.new_probe;
}

const std::shared_ptr<const identity::Credential>& credential_of(const Inventory& inventory, Age age) {
  return age == Age::old_one ? inventory.old_credential : inventory.new_credential;
}

}  // namespace

std::string_view what_is_presented(const Plan& plan) {
  return plan.kind == PlanKind::ca ? "certificate" : "credential";
}

bool has_prober(const Plan& plan, const Inventory& inventory, Age age) {
  return context_of(inventory, age) != nullptr &&
         (plan.kind == PlanKind::ca || credential_of(inventory, age) != nullptr);
}

Result<Verdict> try_prober(const Plan& plan, const Inventory& inventory, const Broker& broker, Age age, Time until,
                           const std::stop_token& stop) {
  if (!has_prober(plan, inventory, age)) {
    return fail(Errc::rotation_preflight_failed, "what the prober presents could not be read");
  }
  const tls::Context& caller = *context_of(inventory, age);
  if (plan.kind == PlanKind::ca) {
    return probe(broker, caller, until, stop);
  }
  const Secret* token = age == Age::new_one ? inventory.new_token.get() : nullptr;
  return probe_credential(broker, caller, {*credential_of(inventory, age), token}, until, stop);
}

}  // namespace hawser::rotation
