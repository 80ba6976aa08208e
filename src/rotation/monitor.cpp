#include "rotation/monitor.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <optional>

#include "rotation/http.hpp"
#include "tls/certificate.hpp"

namespace hawser::rotation {
namespace {

constexpr std::size_t kPage = 32'768;
constexpr std::size_t kNamed = 10;  // of those that are not as they must be; the rest is counted

template <class T>
Result<T> of(const Broker& broker, Result<T> result) {
  if (!result) {
    result.error().doing = fmt::format("{}: {}", broker.name, result.error().doing);
  }
  return result;
}

std::string presented_by(const Plan& plan, const SeenConnection& seen, const UserNames& known) {
  if (plan.kind == PlanKind::ca) {
    return fmt::format("{} {}", seen.subject,
                       seen.certificate.empty() ? "no certificate" : tls::short_fingerprint(seen.certificate));
  }
  if (seen.user.empty()) {
    return "no user";
  }
  const std::string user = (seen.user.is_hidden_token() ? "" : "user ") + seen.user.shown(known);
  return seen.issuer.empty() ? user : fmt::format("{} signed by {}", user, seen.issuer);
}

std::string described(const Plan& plan, const FleetConnection& one, const UserNames& known) {
  const std::string user = plan.kind == PlanKind::ca ? one.seen.user.shown(known) : std::string();
  return fmt::format("{} cid {} ({}{}{}) from {} since {} presents {}", plan.brokers[one.broker].name, one.seen.cid,
                     one.seen.name.empty() ? "unnamed" : one.seen.name, user.empty() ? "" : ", user ", user,
                     one.seen.address, one.seen.since, presented_by(plan, one.seen, known));
}

std::string named(const Plan& plan, const std::vector<const FleetConnection*>& these) {
  const UserNames known = users_of(plan);
  std::string out;
  for (std::size_t i = 0; i < std::min(these.size(), kNamed); ++i) {
    out += (i == 0 ? "" : "; ") + described(plan, *these[i], known);
  }
  return these.size() > kNamed ? out + fmt::format("; and {} more", these.size() - kNamed) : out;
}

// Whether a target's connections are told by more than by what they present.
bool is_selective(const Plan& plan, const Proof& proof) {
  return !proof.name.empty() || (plan.kind == PlanKind::ca && !proof.user.empty());
}

bool is_selected(const Plan& plan, const Proof& proof, const SeenConnection& seen) {
  return is_selective(plan, proof) && (proof.name.empty() || seen.name == proof.name) &&
         (plan.kind == PlanKind::credentials || proof.user.empty() || seen.user.is(proof.user));
}

}  // namespace

Result<std::string> monitoring_of(const Broker& broker, std::string target, const tls::ContextPtr& trust, Time until,
                                  const std::stop_token& stop) {
  auto answer = ask({.to = broker.monitor, .target = std::move(target), .post = false, .trust = trust}, until, stop);
  if (!answer) {
    const bool stopped = answer.error().code == Errc::interrupted;
    return fail(stopped ? Errc::interrupted : Errc::rotation_monitor_silent,
                fmt::format("{}: {}", broker.name, answer.error().message()));
  }
  if (answer->status != 200) {
    return fail(Errc::rotation_monitor_silent,
                fmt::format("{}: its monitoring answered with status {}", broker.name, answer->status));
  }
  return std::move(answer->body);
}

// One page is one moment. Of several, a connection that leaves in between would hide another one, so they count only
// when as many were there for each.
Result<std::vector<SeenConnection>> connections_of(const Broker& broker, const tls::ContextPtr& trust, Time until,
                                                   const std::stop_token& stop) {
  std::vector<SeenConnection> all;
  std::optional<std::uint64_t> total;
  for (;;) {
    const Result<std::string> body = monitoring_of(
        broker, fmt::format("/connz?auth=1&sort=cid&limit={}&offset={}", kPage, all.size()), trust, until, stop);
    Result<ConnzPage> page = body ? of(broker, parse_connz(*body)) : std::unexpected(body.error());
    if (!page) {
      return std::unexpected(std::move(page.error()));
    }
    if (total.value_or(page->total) != page->total) {
      return fail(Errc::rotation_monitor_silent, broker.name + ": connections came and went while its pages were read");
    }
    total = page->total;
    const bool last = page->connections.empty() || all.size() + page->connections.size() >= page->total;
    std::move(page->connections.begin(), page->connections.end(), std::back_inserter(all));
    if (last) {
      return all;
    }
    if (all.size() >= kMostConnections) {
      return fail(Errc::rotation_monitor_silent,
                  fmt::format("{}: has over {} connections", broker.name, kMostConnections));
    }
  }
}

Result<std::vector<FleetConnection>> all_connections(const Plan& plan, const tls::ContextPtr& trust, Time until,
                                                     const std::stop_token& stop) {
  std::vector<FleetConnection> all;
  for (std::size_t i = 0; i < plan.brokers.size(); ++i) {
    Result<std::vector<SeenConnection>> some = connections_of(plan.brokers[i], trust, until, stop);
    if (!some) {
      return std::unexpected(std::move(some.error()));
    }
    for (SeenConnection& one : *some) {
      all.push_back({i, std::move(one)});
    }
  }
  return all;
}

UserNames users_of(const Plan& plan) {
  UserNames out(plan.retires.begin(), plan.retires.end());
  for (const CredentialSource* one : {&plan.prober.old_credential, &plan.prober.new_credential}) {
    out.insert(one->user);
  }
  for (const Wave& wave : plan.waves) {
    for (const Target& target : wave.targets) {
      out.insert(target.prove.user);
      out.insert(target.prove.replaces_user);
    }
  }
  return out;
}

Result<std::string> judge_target(const Plan& plan, const Target& target, const std::vector<FleetConnection>& all,
                                 const Identity& fresh, const Identity& stale) {
  const Proof& proof = target.prove;
  const bool selective = is_selective(plan, proof);
  std::size_t good = 0;
  std::vector<const FleetConnection*> others;
  for (const FleetConnection& one : all) {
    const bool its = is_selected(plan, proof, one.seen);
    if (presents(one.seen, fresh) && (its || !selective)) {
      ++good;
    } else if (its || (!selective && presents(one.seen, stale))) {
      others.push_back(&one);
    }
  }
  if (!others.empty()) {
    return fail(Errc::rotation_not_proven,
                fmt::format("{}: {} connections present another {}: {}", target.name, others.size(),
                            plan.kind == PlanKind::ca ? "certificate" : "user", named(plan, others)));
  }
  if (good < proof.connections) {
    return fail(Errc::rotation_not_proven, fmt::format("{}: {} connections present {}, and {} have to", target.name,
                                                       good, to_text(fresh), proof.connections));
  }
  return fmt::format("{} connections present {}", good, to_text(fresh));
}

Result<std::string> judge_fleet(const Plan& plan, const std::vector<FleetConnection>& all, const Identities& known,
                                Demand demand, std::string_view others) {
  std::size_t good = 0;
  std::vector<const FleetConnection*> these;
  for (const FleetConnection& one : all) {
    if (demand == Demand::all_of && one.seen.certificate.empty()) {
      continue;  // it came in by something that no CA vouches for
    }
    const bool is_known = known.match(one.seen) != nullptr;
    if (is_known == (demand == Demand::all_of)) {
      ++good;
    } else {
      these.push_back(&one);
    }
  }
  if (these.empty()) {
    return fmt::format("{} connections, none of them {}", good, others);
  }
  return fail(Errc::rotation_not_converged, fmt::format("{} connections: {}", these.size(), named(plan, these)));
}

}  // namespace hawser::rotation
