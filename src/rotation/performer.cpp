#include "rotation/performer.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "base/quantity.hpp"
#include "rotation/files.hpp"
#include "rotation/http.hpp"
#include "rotation/preflight.hpp"
#include "rotation/probe.hpp"
#include "rotation/process.hpp"
#include "tls/inspect.hpp"

namespace hawser::rotation {
namespace {

constexpr std::size_t kShownBody = 600;

std::string in_one_line(std::string_view text) {
  std::string out(text.substr(0, kShownBody));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

std::string listed(const std::vector<Copy>& copies) {
  std::string out;
  for (const Copy& copy : copies) {
    out += (out.empty() ? "" : ", ") + copy.to.string();
  }
  return out;
}

}  // namespace

Performer::Performer(const Plan& plan, Inspection inspection, std::string mark)
    : plan_(plan), inspection_(std::move(inspection)), mark_(std::move(mark)) {}

Result<std::string> Performer::perform(Step step, Time until, const std::stop_token& stop) {
  const Inventory& inventory = inspection_.inventory;
  const std::size_t n = step.number;
  switch (step.kind) {
    case StepKind::preflight: return preflight(until, stop);
    case StepKind::measure: return measure(until, stop);
    case StepKind::write_broad:
    case StepKind::write_again: return write(plan_.brokers[n], inventory.both, "old and new CA");
    case StepKind::write_narrow: return write(plan_.brokers[n], inventory.narrow, "new CA alone");
    case StepKind::write_old: {
      const Result<void> done = bring_back(plan_.brokers[n].bundle, mark_);
      return done ? Outcome(plan_.brokers[n].bundle.string() + " is what it was") : std::unexpected(done.error());
    }
    case StepKind::reload_broad:
    case StepKind::reload_again:
    case StepKind::reload_narrow:
    case StepKind::reload_old: return tell(plan_.brokers[n].reload, Errc::rotation_command_failed, until, stop);
    case StepKind::prove_broad:
    case StepKind::prove_again: return try_both(plan_.brokers[n], true, Errc::rotation_not_broadened, until, stop);
    case StepKind::prove_narrow: return try_both(plan_.brokers[n], false, Errc::rotation_not_narrowed, until, stop);
    case StepKind::prove_old: return try_old(plan_.brokers[n], until, stop);
    case StepKind::deliver: return deliver(n, until);
    case StepKind::return_files: return return_files(target_at(plan_, n), until);
    case StepKind::apply:
    case StepKind::return_apply: return tell(target_at(plan_, n).apply, Errc::rotation_not_applied, until, stop);
    case StepKind::prove: return prove(n, until, stop);
    case StepKind::return_prove: return return_prove(n, until, stop);
    case StepKind::guard: return guard(until, stop);
    case StepKind::converge: return converge(Demand::all_of, until, stop);
    case StepKind::return_converge: return converge(Demand::none_of, until, stop);
    case StepKind::roll_back:
    case StepKind::roll_wave_back:
    case StepKind::finish: break;
  }
  return fail(Errc::internal_error, "a decision is no step to perform");
}

std::string Performer::intention(Step step) const {
  switch (step.kind) {
    case StepKind::write_broad:
    case StepKind::write_again:
    case StepKind::write_narrow:
    case StepKind::write_old: return plan_.brokers[step.number].bundle.string();
    case StepKind::reload_broad:
    case StepKind::reload_again:
    case StepKind::reload_narrow:
    case StepKind::reload_old: return to_text(plan_.brokers[step.number].reload);
    case StepKind::prove_broad:
    case StepKind::prove_again:
    case StepKind::prove_narrow:
    case StepKind::prove_old: return "handshakes with " + plan_.brokers[step.number].clients.authority();
    case StepKind::deliver:
    case StepKind::return_files: {
      const Delivery& delivery = target_at(plan_, step.number).deliver;
      if (const auto* copies = std::get_if<std::vector<Copy>>(&delivery)) {
        return listed(*copies);
      }
      const auto& by_command = std::get<DeliveryCommand>(delivery);
      const bool back = step.kind == StepKind::return_files;
      return back ? by_command.undo ? to_text(*by_command.undo) : "no undo" : to_text(by_command.command);
    }
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

Result<void> Performer::usable() const {
  if (inspection_.errors.empty()) {
    return {};
  }
  return std::unexpected(as_one(Errc::rotation_preflight_failed, inspection_.errors));
}

Performer::Outcome Performer::preflight(Time until, const std::stop_token& stop) {
  std::vector<Error> errors = inspection_.errors;
  for (Error& error : look_around(plan_, inspection_.inventory, until, stop)) {
    errors.push_back(std::move(error));
  }
  if (stop.stop_requested()) {
    return fail(Errc::interrupted, "preflight");
  }
  if (!errors.empty()) {
    return std::unexpected(as_one(Errc::rotation_preflight_failed, errors));
  }
  return fmt::format("everything is in place; it may take {} at worst", format_duration(time_needed(plan_).total));
}

Performer::Outcome Performer::measure(Time until, const std::stop_token& stop) {
  const Result<Counters> counters = read_counters(plan_, inspection_.inventory.trust, until, stop);
  return counters ? Outcome(to_text(*counters)) : std::unexpected(counters.error());
}

Performer::Outcome Performer::guard(Time until, const std::stop_token& stop) {
  const Result<Counters> before = parse_counters(before_.value_or(""));
  const Result<Counters> after =
      before ? read_counters(plan_, inspection_.inventory.trust, until, stop) : std::unexpected(before.error());
  return after ? judge_counters(plan_, *before, *after) : std::unexpected(after.error());
}

Performer::Outcome Performer::write(const Broker& broker, const std::string& bundle, std::string_view what) {
  if (const Result<void> all = usable(); !all) {
    return std::unexpected(all.error());
  }
  const Result<void> done = replace_file(broker.bundle, bundle, mark_, plan_.old_ca);
  return done ? Outcome(fmt::format("{}: {}", broker.bundle.string(), what)) : std::unexpected(done.error());
}

Performer::Outcome Performer::tell(const Trigger& trigger, Errc code, Time until, const std::stop_token& stop) {
  if (const auto* command = std::get_if<Command>(&trigger)) {
    const Result<std::string> output = run_command(*command, until, {});
    return output ? Outcome(in_one_line(*output)) : fail(code, output.error().doing);
  }
  if (const auto* signal = std::get_if<Signal>(&trigger)) {
    const Result<void> sent = send_signal(*signal);
    return sent ? Outcome("sent") : fail(code, sent.error().doing);
  }
  const auto answer =
      ask({.to = std::get<Endpoint>(trigger), .target = "/reload", .post = true, .trust = inspection_.inventory.trust},
          until, stop);
  if (!answer) {
    return std::unexpected(answer.error());
  }
  if (answer->status != 200) {
    return fail(code, fmt::format("{}: status {}: {}", to_text(trigger), answer->status, in_one_line(answer->body)));
  }
  return in_one_line(answer->body);
}

Performer::Outcome Performer::try_both(const Broker& broker, bool old_accepted, Errc code, Time until,
                                       const std::stop_token& stop) {
  if (const Result<void> all = usable(); !all) {
    return std::unexpected(all.error());
  }
  const Result<Verdict> fresh = probe(broker, *inspection_.inventory.new_probe, until, stop);
  const Result<Verdict> old_one =
      fresh ? probe(broker, *inspection_.inventory.old_probe, until, stop) : std::unexpected(fresh.error());
  if (!old_one) {
    return std::unexpected(old_one.error());
  }
  const auto said = [](const Verdict& verdict) {
    return fmt::format("{} ({})", verdict.accepted ? "accepted" : "refused", verdict.seen);
  };
  const std::string seen = fmt::format("new certificate {}, old certificate {}", said(*fresh), said(*old_one));
  if (!fresh->accepted || old_one->accepted != old_accepted) {
    return fail(code, fmt::format("{}: {}", broker.name, seen));
  }
  return seen;
}

Performer::Outcome Performer::try_old(const Broker& broker, Time until, const std::stop_token& stop) {
  if (inspection_.inventory.old_probe == nullptr) {
    return std::unexpected(as_one(Errc::rotation_not_rolled_back, inspection_.errors));
  }
  const Result<Verdict> verdict = probe(broker, *inspection_.inventory.old_probe, until, stop);
  if (!verdict) {
    return std::unexpected(verdict.error());
  }
  return verdict->accepted ? Outcome(fmt::format("old certificate accepted ({})", verdict->seen))
                           : fail(Errc::rotation_not_rolled_back,
                                  fmt::format("{}: old certificate refused ({})", broker.name, verdict->seen));
}

// What was checked is what is delivered.
Result<void> Performer::unchanged(std::size_t target) const {
  const Path& path = target_at(plan_, target).prove.certificate;
  const Result<Secret> text = read_secret_file(path, limits::kPemFileBytes);
  const Result<tls::PemContents> contents =
      text ? tls::inspect_pem(*text, path.string()) : std::unexpected(text.error());
  if (!contents) {
    return fail(Errc::rotation_delivery_failed, contents.error().message());
  }
  if (contents->certificates.empty() ||
      contents->certificates.front().info.sha256 != inspection_.inventory.target_new[target]) {
    return fail(Errc::rotation_delivery_failed, path.string() + " is not what preflight has seen");
  }
  return {};
}

Performer::Outcome Performer::deliver(std::size_t target, Time until) {
  const Target& it = target_at(plan_, target);
  const Result<void> all = usable();
  if (const Result<void> same = all ? unchanged(target) : all; !same) {
    return std::unexpected(same.error());
  }
  if (const auto* by_command = std::get_if<DeliveryCommand>(&it.deliver)) {
    const Result<std::string> output = run_command(by_command->command, until, {});
    return output ? Outcome(in_one_line(*output)) : fail(Errc::rotation_delivery_failed, output.error().doing);
  }
  const auto& copies = std::get<std::vector<Copy>>(it.deliver);
  const std::string mark = mark_of(mark_, it);
  for (const Copy& copy : copies) {
    const Result<Secret> content = read_secret_file(copy.from, limits::kCrlFileBytes);
    if (!content) {
      return fail(Errc::rotation_delivery_failed, content.error().doing);
    }
    if (Result<void> done = replace_file(copy.to, content->reveal(), mark, copy.from); !done) {
      return std::unexpected(done.error());
    }
  }
  return fmt::format("{} files", copies.size());
}

Performer::Outcome Performer::return_files(const Target& target, Time until) {
  if (const auto* by_command = std::get_if<DeliveryCommand>(&target.deliver)) {
    if (!by_command->undo) {
      return fail(Errc::rotation_not_rolled_back,
                  fmt::format("{} was delivered by a command, and the plan has no undo", target.name));
    }
    const Result<std::string> output = run_command(*by_command->undo, until, {});
    return output ? Outcome(in_one_line(*output)) : fail(Errc::rotation_not_rolled_back, output.error().doing);
  }
  const auto& copies = std::get<std::vector<Copy>>(target.deliver);
  const std::string mark = mark_of(mark_, target);
  std::size_t brought = 0;
  for (auto copy = copies.rbegin(); copy != copies.rend(); ++copy) {
    if (!is_kept(copy->to, mark)) {
      continue;  // it had not been touched yet
    }
    if (Result<void> done = bring_back(copy->to, mark); !done) {
      return std::unexpected(done.error());
    }
    ++brought;
  }
  return fmt::format("{} files are what they were", brought);
}

// What it must not present any more; nothing, when others present it too, or when it keeps its certificate.
std::string Performer::stale_of(std::size_t target) const {
  const Inventory& inventory = inspection_.inventory;
  const std::vector<std::string>& all = inventory.target_old;
  const bool shared =
      target_at(plan_, target).prove.replaces.empty() && std::count(all.begin(), all.end(), all[target]) > 1;
  return shared || all[target] == inventory.target_new[target] ? std::string() : all[target];
}

Performer::Outcome Performer::prove(std::size_t target, Time until, const std::stop_token& stop) {
  const Inventory& inventory = inspection_.inventory;
  const Target& it = target_at(plan_, target);
  if (const Result<void> all = usable(); !all) {
    return std::unexpected(all.error());
  }
  if (it.prove.server) {
    return prove_server(it, inventory.target_new[target], until, stop);
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
  const std::string& fresh = inventory.target_new[target];
  const std::string& old_one = inventory.target_old[target];
  if (it.prove.server) {
    return prove_server(it, old_one, until, stop);
  }
  const auto seen = all_connections(plan_, inventory.trust, until, stop);
  if (!seen) {
    return std::unexpected(seen.error());
  }
  if (old_one.empty()) {
    return judge_fleet(plan_, *seen, fresh.empty() ? inventory.fresh : Fingerprints{fresh}, Demand::none_of);
  }
  return judge_target(plan_, it, *seen, old_one, old_one == fresh ? std::string() : fresh);
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

Performer::Outcome Performer::converge(Demand demand, Time until, const std::stop_token& stop) {
  const auto seen = all_connections(plan_, inspection_.inventory.trust, until, stop);
  return seen ? judge_fleet(plan_, *seen, inspection_.inventory.fresh, demand) : std::unexpected(seen.error());
}

}  // namespace hawser::rotation
