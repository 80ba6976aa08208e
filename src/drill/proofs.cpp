#include "drill/proofs.hpp"

#include <fmt/format.h>
#include <set>
#include <thread>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "rotation/monitor.hpp"
#include "rotation/probe.hpp"
#include "tls/material.hpp"

namespace hawser::drill {

namespace {

using namespace std::chrono_literals;

constexpr Duration kLook = 10s;  // the most that a look at a broker may take
constexpr Duration kClosesWithin = 3s;
constexpr Duration kLookAgain = 50ms;

rotation::Broker seen_by_rotation(const System::Broker& broker) {
  rotation::Broker out;
  out.name = broker.name;
  out.clients = {.host = "127.0.0.1", .port = broker.port};
  out.monitor = {.host = "127.0.0.1", .port = broker.monitor};
  return out;
}

class Prover {
 public:
  Prover(System& system, std::size_t generation) : system_(system), generation_(generation) {}

  Proofs prove() {
    const Time until = now() + kClosesWithin;
    while (!presented() && now() < until) {
      std::this_thread::sleep_for(kLookAgain);  // a probe's connection may not be closed yet
    }
    out_.wrong.insert(out_.wrong.end(), strangers_.begin(), strangers_.end());
    accepted();
    on_disk();
    return std::move(out_);
  }

 private:
  void accepted();
  [[nodiscard]] bool presented();
  void on_disk();
  [[nodiscard]] bool accepts(const System::Broker& broker, std::size_t generation);
  void same(const Path& path, const Path& wanted);
  void wrong(std::string what) { out_.wrong.push_back(std::move(what)); }

  System& system_;
  const std::size_t generation_;
  std::vector<std::string> strangers_;
  Proofs out_;
};

// The certificate that is in use is accepted by all. Another CA's is refused: the one of before, or the one that has
// not come.
void Prover::accepted() {
  const std::size_t other = generation_ > 0 ? generation_ - 1 : 1;
  bool in_use = true;
  bool refused = true;
  for (const System::Broker& broker : system_.brokers()) {
    in_use = accepts(broker, generation_) && in_use;
    refused = !accepts(broker, other) && refused;
  }
  if (!in_use) {
    wrong("a broker refuses the certificates that are in use");
  }
  if (!refused) {
    wrong(generation_ > 0 ? "a broker still accepts the old certificate"
                          : "a broker accepts certificates that are not in use");
  }
  out_.new_accepted = generation_ > 0 ? in_use : !refused;
  out_.old_refused = generation_ > 0 ? refused : !in_use;
}

bool Prover::accepts(const System::Broker& broker, std::size_t generation) {
  const Papers& papers = system_.papers();
  tls::Source source;
  source.cert_file = papers.cert(generation, "probe").string();
  source.key_file = papers.key(generation, "probe").string();
  source.ca_file = papers.ca(generation_).string();
  const auto material = tls::load(source, wall_now());
  const auto context = material ? tls::Context::client(*material, {}) : std::unexpected(material.error());
  if (!context) {
    wrong(context.error().message());
    return false;
  }
  const auto verdict = rotation::probe(seen_by_rotation(broker), **context, now() + kLook, {});
  if (!verdict) {
    wrong(fmt::format("{}: {}", broker.name, verdict.error().message()));
    return false;
  }
  return verdict->accepted;
}

// No connection but those of the agents, with the certificates that they have to have.
bool Prover::presented() {
  strangers_.clear();
  const Papers& papers = system_.papers();
  std::set<std::string> known;
  for (const System::Agent& agent : system_.agents()) {
    known.insert(papers.fingerprint(generation_, agent.name));
  }
  std::set<std::string> seen;
  std::size_t connections = 0;
  for (const System::Broker& broker : system_.brokers()) {
    const auto all = rotation::connections_of(seen_by_rotation(broker), nullptr, now() + kLook, {});
    if (!all) {
      strangers_.push_back(all.error().message());
      continue;
    }
    for (const rotation::SeenConnection& one : *all) {
      if (one.admitted && !known.contains(one.certificate)) {
        strangers_.push_back(
            fmt::format("{} at {} presents {}, which it should not", one.name, broker.name, one.subject));
      } else if (known.contains(one.certificate)) {
        seen.insert(one.certificate);
        ++connections;
      }
    }
  }
  if (seen.size() != known.size()) {
    strangers_.push_back(fmt::format("{} of {} agents are connected with the certificates that they have to present",
                                     seen.size(), known.size()));
  }
  out_.seen = fmt::format("{} connections of {} agents present generation {}", connections, seen.size(), generation_);
  return strangers_.empty();
}

void Prover::on_disk() {
  const Papers& papers = system_.papers();
  for (const System::Broker& broker : system_.brokers()) {
    same(broker.directory / "clients.crt", papers.ca(generation_));
    same(broker.directory / "server.crt", papers.cert(generation_, broker.name));
  }
  for (const System::Agent& agent : system_.agents()) {
    same(agent.directory / "tls.crt", papers.cert(generation_, agent.name));
    same(agent.directory / "ca.crt", papers.ca(generation_));
  }
}

void Prover::same(const Path& path, const Path& wanted) {
  const auto is = read_file(path, limits::kPemFileBytes);
  const auto should = read_file(wanted, limits::kPemFileBytes);
  if (!is || !should || *is != *should) {
    wrong(fmt::format("{} is not what {} is", path.string(), wanted.string()));
  }
}

}  // namespace

Proofs prove_end(System& system, std::size_t generation) { return Prover(system, generation).prove(); }

}  // namespace hawser::drill
