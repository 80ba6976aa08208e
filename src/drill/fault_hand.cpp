#include "drill/fault_hand.hpp"

#include <fmt/format.h>

#include "drill/plan_text.hpp"

namespace hawser::drill {

namespace {

using rotation::StepKind;

tls::Validity ended_yesterday() {
  const auto now_seconds = std::chrono::floor<std::chrono::seconds>(wall_now());
  return {.from = now_seconds - std::chrono::hours(48), .to = now_seconds - std::chrono::hours(24)};
}

}  // namespace

Result<void> FaultHand::prepare() {
  Papers& papers = system_.papers();
  const std::string& victim = system_.agents()[kVictim].name;
  switch (fault_.fault) {
    case Fault::bad_cert: return papers.issue_by_a_stranger(generation_, victim);
    case Fault::expired: return papers.issue(generation_, victim, tls::CertUsage::client, ended_yesterday());
    case Fault::key_mismatch:
      return put_file(papers.key(generation_, system_.agents().front().name), papers.key(generation_, victim));
    case Fault::straggler: return start_straggler();
    default: return {};
  }
}

// A client with a certificate of the old CA that the plan says nothing of.
Result<void> FaultHand::start_straggler() {
  Papers& papers = system_.papers();
  const std::size_t before = generation_ - 1;
  const std::string name = "straggler";
  Result<void> done =
      papers.issue(before, name, tls::CertUsage::client, tls::Validity::lasting(std::chrono::hours(24)));
  if (!done) {
    return done;
  }
  auto child = Child::start({system_.options().hawser.string(), "sub", "drill.straggler", "-s",
                             fmt::format("tls://127.0.0.1:{}", system_.brokers().front().port), "--tlscert",
                             papers.cert(before, name).string(), "--tlskey", papers.key(before, name).string(),
                             "--tlsca", papers.both(generation_).string(), "--connection-name", name},
                            system_.options().directory / "straggler.log", {});
  if (!child) {
    return std::unexpected(child.error());
  }
  straggler_ = std::move(*child);
  return {};
}

void FaultHand::on_begun(rotation::Step step) {
  if (step.kind != StepKind::deliver || step.number != kVictim) {
    return;
  }
  if (fault_.fault == Fault::kill_agent) {
    system_.kill_agent(kVictim);
  } else if (fault_.fault == Fault::kill_broker) {
    break_flows(true);
    system_.kill_broker(0);
  }
}

// In a cluster the others go on, and what they are given for the agents of the one that is killed has nowhere to go
// until these have found another broker. A broker that is alone gets nothing while it is away.
void FaultHand::break_flows(bool broken) {
  for (std::size_t i = 0; system_.brokers().size() > 1 && i < system_.agents().size(); ++i) {
    if (system_.agents()[i].broker == 0) {
      traffic_.set_broken(i, broken);
    }
  }
}

Result<void> FaultHand::mend() {
  Result<void> done;
  if (fault_.fault == Fault::kill_agent) {
    done = system_.restart_agent(kVictim);
  } else if (fault_.fault == Fault::kill_broker) {
    done = system_.restart_broker(0);
  }
  straggler_.kill();
  done = done ? system_.wait_ready() : done;
  if (fault_.fault == Fault::kill_broker) {
    break_flows(false);
  }
  return done;
}

}  // namespace hawser::drill
