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

Result<std::string> look(const Broker& broker, std::string target, const tls::ContextPtr& trust, Time until,
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

template <class T>
Result<T> of(const Broker& broker, Result<T> result) {
  if (!result) {
    result.error().doing = fmt::format("{}: {}", broker.name, result.error().doing);
  }
  return result;
}

std::string described(const Plan& plan, const FleetConnection& one) {
  return fmt::format("{} cid {} ({}{}{}) from {} since {} presents {} {}", plan.brokers[one.broker].name, one.seen.cid,
                     one.seen.name.empty() ? "unnamed" : one.seen.name, one.seen.user.empty() ? "" : ", user ",
                     one.seen.user, one.seen.address, one.seen.since, one.seen.subject,
                     one.seen.certificate.empty() ? "no certificate" : tls::short_fingerprint(one.seen.certificate));
}

std::string named(const Plan& plan, const std::vector<const FleetConnection*>& these) {
  std::string out;
  for (std::size_t i = 0; i < std::min(these.size(), kNamed); ++i) {
    out += (i == 0 ? "" : "; ") + described(plan, *these[i]);
  }
  return these.size() > kNamed ? out + fmt::format("; and {} more", these.size() - kNamed) : out;
}

}  // namespace

// One page is one moment. Of several, a connection that leaves in between would hide another one, so they count only
// when as many were there for each.
Result<std::vector<SeenConnection>> connections_of(const Broker& broker, const tls::ContextPtr& trust, Time until,
                                                   const std::stop_token& stop) {
  std::vector<SeenConnection> all;
  std::optional<std::uint64_t> total;
  for (;;) {
    const Result<std::string> body =
        look(broker, fmt::format("/connz?auth=1&sort=cid&limit={}&offset={}", kPage, all.size()), trust, until, stop);
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

Result<std::uint64_t> slow_consumers_of(const Broker& broker, const tls::ContextPtr& trust, Time until,
                                        const std::stop_token& stop) {
  const Result<std::string> body = look(broker, "/varz", trust, until, stop);
  return body ? of(broker, parse_slow_consumers(*body)) : std::unexpected(body.error());
}

Result<std::string> judge_target(const Plan& plan, const Target& target, const std::vector<FleetConnection>& all,
                                 const std::string& fresh, const std::string& stale) {
  const Proof& proof = target.prove;
  const bool selective = !proof.name.empty() || !proof.user.empty();
  std::size_t good = 0;
  std::vector<const FleetConnection*> others;
  for (const FleetConnection& one : all) {
    const bool its = selective && (proof.name.empty() || one.seen.name == proof.name) &&
                     (proof.user.empty() || one.seen.user == proof.user);
    if (one.seen.certificate == fresh && (its || !selective)) {
      ++good;
    } else if (its || (!selective && !stale.empty() && one.seen.certificate == stale)) {
      others.push_back(&one);
    }
  }
  if (!others.empty()) {
    return fail(Errc::rotation_not_proven, fmt::format("{}: {} connections present another certificate: {}",
                                                       target.name, others.size(), named(plan, others)));
  }
  if (good < proof.connections) {
    return fail(Errc::rotation_not_proven, fmt::format("{}: {} connections present {}, and {} have to", target.name,
                                                       good, tls::short_fingerprint(fresh), proof.connections));
  }
  return fmt::format("{} connections present {}", good, tls::short_fingerprint(fresh));
}

Result<std::string> judge_fleet(const Plan& plan, const std::vector<FleetConnection>& all, const Fingerprints& known,
                                Demand demand) {
  std::size_t good = 0;
  std::vector<const FleetConnection*> others;
  for (const FleetConnection& one : all) {
    if (one.seen.certificate.empty()) {
      continue;  // it came in by something that no CA vouches for
    }
    const bool is_known = known.contains(one.seen.certificate);
    if (is_known == (demand == Demand::all_of)) {
      ++good;
    } else {
      others.push_back(&one);
    }
  }
  if (others.empty()) {
    return fmt::format("{} connections, none of them {}", good, demand == Demand::all_of ? "old" : "new");
  }
  return fail(Errc::rotation_not_converged, fmt::format("{} connections: {}", others.size(), named(plan, others)));
}

}  // namespace hawser::rotation
