#include "rotation/performer.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "base/quantity.hpp"
#include "rotation/credentials.hpp"
#include "rotation/files.hpp"
#include "rotation/http.hpp"
#include "rotation/preflight.hpp"
#include "rotation/process.hpp"
#include "tls/inspect.hpp"

namespace hawser::rotation {
namespace {

constexpr std::size_t kShownBody = 600;
constexpr std::string_view kNothing = "nothing of its own";

std::string in_one_line(std::string_view text) {
  std::string out(text.substr(0, kShownBody));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

Result<Identity> certificate_in(const Path& path) {
  const Result<Secret> text = read_secret_file(path, limits::kPemFileBytes);
  const Result<tls::PemContents> contents =
      text ? tls::inspect_pem(*text, path.string()) : std::unexpected(text.error());
  if (!contents) {
    return std::unexpected(contents.error());
  }
  Identity out;
  out.certificate = contents->certificates.empty() ? std::string() : contents->certificates.front().info.sha256;
  return out;
}

Result<Identity> credential_in(const Path& path) {
  const Result<ReadCredential> read = read_credential(path);
  return read ? Result<Identity>(read->who) : std::unexpected(read.error());
}

}  // namespace

Performer::Performer(const Plan& plan, Inspection inspection, std::string mark)
    : plan_(plan), inspection_(std::move(inspection)), mark_(std::move(mark)) {}

Result<std::string> Performer::perform(Step step, Time until, const std::stop_token& stop) {
  const std::size_t n = step.number;
  switch (step.kind) {
    case StepKind::preflight: return preflight(until, stop);
    case StepKind::measure: return measure(until, stop);
    case StepKind::write_broad:
    case StepKind::write_again:
    case StepKind::write_narrow:
    case StepKind::write_old: return write_trust(step.kind, plan_.brokers[n], until);
    case StepKind::reload_broad:
    case StepKind::reload_again:
    case StepKind::reload_narrow:
    case StepKind::reload_old: return reload(plan_.brokers[n], until, stop);
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
    case StepKind::converge: return converge(until, stop);
    case StepKind::return_converge: return return_converge(until, stop);
    case StepKind::roll_back:
    case StepKind::roll_wave_back:
    case StepKind::finish: break;
  }
  return fail(Errc::internal_error, "a decision is no step to perform");
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
  const Result<void> fine = counters ? judge_start(plan_, *counters) : std::unexpected(counters.error());
  return fine ? Outcome(to_text(*counters)) : std::unexpected(fine.error());
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

Performer::Outcome Performer::write_trust(StepKind kind, const Broker& broker, Time until) {
  const Inventory& inventory = inspection_.inventory;
  const bool ca = plan_.kind == PlanKind::ca;
  switch (kind) {
    case StepKind::write_broad:
      return ca ? write(broker, inventory.both, "old and new CA") : change(broker.broaden, mark_, until);
    case StepKind::write_again:
      return ca ? write(broker, inventory.both, "old and new CA")
                : change_back(broker, broker.narrow, narrow_mark_of(mark_), until);
    case StepKind::write_narrow:
      return ca ? write(broker, inventory.narrow, "new CA alone") : change(broker.narrow, narrow_mark_of(mark_), until);
    default: break;
  }
  if (!ca) {
    return change_back(broker, broker.broaden, mark_, until);
  }
  const Result<void> done = bring_back(broker.bundle, mark_);
  return done ? Outcome(broker.bundle.string() + " is what it was") : std::unexpected(done.error());
}

Performer::Outcome Performer::change(const std::optional<Delivery>& change, std::string_view mark, Time until) {
  if (const Result<void> all = usable(); !all) {
    return std::unexpected(all.error());
  }
  return change ? carry_out(*change, mark, until) : Outcome(kNothing);
}

Performer::Outcome Performer::change_back(const Broker& broker, const std::optional<Delivery>& change,
                                          std::string_view mark, Time until) {
  return change ? take_back(*change, mark, broker.name, until) : Outcome(kNothing);
}

Performer::Outcome Performer::reload(const Broker& broker, Time until, const std::stop_token& stop) {
  return broker.reload ? tell(*broker.reload, Errc::rotation_command_failed, until, stop) : Outcome(kNothing);
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

// What was checked is what is delivered.
Result<void> Performer::unchanged(std::size_t target) const {
  const Proof& proof = target_at(plan_, target).prove;
  const Path& path = plan_.kind == PlanKind::ca ? proof.certificate : proof.credential;
  if (path.empty()) {
    return {};  // a user, which is in no file
  }
  const Result<Identity> now_there = plan_.kind == PlanKind::ca ? certificate_in(path) : credential_in(path);
  if (!now_there) {
    return fail(Errc::rotation_delivery_failed, now_there.error().message());
  }
  return *now_there == inspection_.inventory.target_new[target]
             ? Result<void>()
             : fail(Errc::rotation_delivery_failed, path.string() + " is not what preflight has seen");
}

Performer::Outcome Performer::deliver(std::size_t target, Time until) {
  const Target& it = target_at(plan_, target);
  const Result<void> all = usable();
  if (const Result<void> same = all ? unchanged(target) : all; !same) {
    return std::unexpected(same.error());
  }
  return carry_out(it.deliver, mark_of(mark_, it), until);
}

Performer::Outcome Performer::return_files(const Target& target, Time until) {
  return take_back(target.deliver, mark_of(mark_, target), target.name, until);
}

Performer::Outcome Performer::carry_out(const Delivery& delivery, std::string_view mark, Time until) {
  if (const auto* by_command = std::get_if<DeliveryCommand>(&delivery)) {
    const Result<std::string> output = run_command(by_command->command, until, {});
    return output ? Outcome(in_one_line(*output)) : fail(Errc::rotation_delivery_failed, output.error().doing);
  }
  const auto& copies = std::get<std::vector<Copy>>(delivery);
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

Performer::Outcome Performer::take_back(const Delivery& delivery, std::string_view mark, std::string_view whose,
                                        Time until) {
  if (const auto* by_command = std::get_if<DeliveryCommand>(&delivery)) {
    if (!by_command->undo) {
      return fail(Errc::rotation_not_rolled_back,
                  fmt::format("{} was changed by a command, and the plan has no undo", whose));
    }
    const Result<std::string> output = run_command(*by_command->undo, until, {});
    return output ? Outcome(in_one_line(*output)) : fail(Errc::rotation_not_rolled_back, output.error().doing);
  }
  const auto& copies = std::get<std::vector<Copy>>(delivery);
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

}  // namespace hawser::rotation
