// What brokers have to show before a step is done.
#include <algorithm>
#include <fmt/format.h>

#include "rotation/performer.hpp"
#include "rotation/prober.hpp"

namespace hawser::rotation {

Performer::Outcome Performer::try_both(const Broker& broker, bool old_accepted, Errc code, Time until,
                                       const std::stop_token& stop) {
  if (const Result<void> all = usable(); !all) {
    return std::unexpected(all.error());
  }
  const Result<Verdict> fresh = try_prober(plan_, inspection_.inventory, broker, Age::new_one, until, stop);
  const Result<Verdict> old_one = fresh ? try_prober(plan_, inspection_.inventory, broker, Age::old_one, until, stop)
                                        : std::unexpected(fresh.error());
  if (!old_one) {
    return std::unexpected(old_one.error());
  }
  const auto said = [](const Verdict& verdict) {
    return fmt::format("{} ({})", verdict.accepted ? "accepted" : "refused", verdict.seen);
  };
  const std::string seen =
      fmt::format("new {0} {1}, old {0} {2}", what_is_presented(plan_), said(*fresh), said(*old_one));
  if (!fresh->accepted || old_one->accepted != old_accepted) {
    return fail(code, fmt::format("{}: {}", broker.name, seen));
  }
  return seen;
}

Performer::Outcome Performer::try_old(const Broker& broker, Time until, const std::stop_token& stop) {
  if (!has_prober(plan_, inspection_.inventory, Age::old_one)) {
    return std::unexpected(as_one(Errc::rotation_not_rolled_back, inspection_.errors));
  }
  const Result<Verdict> verdict = try_prober(plan_, inspection_.inventory, broker, Age::old_one, until, stop);
  if (!verdict) {
    return std::unexpected(verdict.error());
  }
  const std::string_view what = what_is_presented(plan_);
  return verdict->accepted ? Outcome(fmt::format("old {} accepted ({})", what, verdict->seen))
                           : fail(Errc::rotation_not_rolled_back,
                                  fmt::format("{}: old {} refused ({})", broker.name, what, verdict->seen));
}

// What it must not present any more; nothing, when others present it too, or when it keeps its certificate.
Identity Performer::stale_of(std::size_t target) const {
  const Inventory& inventory = inspection_.inventory;
  const std::vector<Identity>& all = inventory.target_old;
  const bool shared =
      target_at(plan_, target).prove.replaces.empty() && std::count(all.begin(), all.end(), all[target]) > 1;
  return shared || all[target] == inventory.target_new[target] ? Identity{} : all[target];
}

Performer::Outcome Performer::prove(std::size_t target, Time until, const std::stop_token& stop) {
  const Inventory& inventory = inspection_.inventory;
  const Target& it = target_at(plan_, target);
  if (const Result<void> all = usable(); !all) {
    return std::unexpected(all.error());
  }
  if (it.prove.server) {
    return prove_server(it, inventory.target_new[target].certificate, until, stop);
  }
  const auto seen = all_connections(plan_, inventory.trust, until, stop);
  if (!seen) {
    return std::unexpected(seen.error());
  }
  return judge_target(plan_, it, *seen, inventory.target_new[target], stale_of(target));
}

Performer::Outcome Performer::return_prove(std::size_t target, Time until, const std::stop_token& stop) {
  const Inventory& inventory = inspection_.inventory;
  const Target& it = target_at(plan_, target);
  const Identity& fresh = inventory.target_new[target];
  const Identity& old_one = inventory.target_old[target];
  if (it.prove.server) {
    return prove_server(it, old_one.certificate, until, stop);
  }
  const auto seen = all_connections(plan_, inventory.trust, until, stop);
  if (!seen) {
    return std::unexpected(seen.error());
  }
  if (old_one.empty()) {
    Identities its;
    its.add(fresh);
    return judge_fleet(plan_, *seen, fresh.empty() ? inventory.fresh : its, Demand::none_of, "new");
  }
  return judge_target(plan_, it, *seen, old_one, old_one == fresh ? Identity{} : fresh);
}

// `wanted` empty: whatever it presents, as nobody knows what it was.
Performer::Outcome Performer::prove_server(const Target& target, const std::string& wanted, Time until,
                                           const std::stop_token& stop) {
  const Broker& broker = plan_.brokers[*target.prove.server];
  const tls::ContextPtr& identity = inspection_.inventory.new_probe;
  const Result<Verdict> verdict = identity ? probe(broker, *identity, until, stop)
                                           : std::unexpected(as_one(Errc::rotation_not_proven, inspection_.errors));
  if (!verdict) {
    return std::unexpected(verdict.error());
  }
  const std::string presents =
      fmt::format("{} presents {}", broker.name, tls::short_fingerprint(verdict->server_certificate));
  if (!wanted.empty() && verdict->server_certificate != wanted) {
    return fail(Errc::rotation_not_proven,
                fmt::format("{}: {}, not {}", target.name, presents, tls::short_fingerprint(wanted)));
  }
  return presents;
}

// Of a CA, whatever is not known to be new may be old. Of credentials, others go on with theirs.
Performer::Outcome Performer::converge(Time until, const std::stop_token& stop) {
  const Inventory& inventory = inspection_.inventory;
  const auto seen = all_connections(plan_, inventory.trust, until, stop);
  if (!seen) {
    return std::unexpected(seen.error());
  }
  return plan_.kind == PlanKind::ca ? judge_fleet(plan_, *seen, inventory.fresh, Demand::all_of, "old")
                                    : judge_fleet(plan_, *seen, inventory.retired, Demand::none_of, "old");
}

Performer::Outcome Performer::return_converge(Time until, const std::stop_token& stop) {
  const auto seen = all_connections(plan_, inspection_.inventory.trust, until, stop);
  return seen ? judge_fleet(plan_, *seen, inspection_.inventory.fresh, Demand::none_of, "new")
              : std::unexpected(seen.error());
}

}  // namespace hawser::rotation
