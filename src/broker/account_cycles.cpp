#include "broker/account_cycles.hpp"

#include <algorithm>

#include "routing/subject_overlap.hpp"

namespace hawser::broker {

void AccountFlows::add(std::string_view from_account, std::string_view at, std::string_view to_account,
                       std::string_view to, const routing::SubjectTransform* there) {
  edges_[from_account].push_back({at, to_account, to, there});
}

void AccountFlows::take_back(std::string_view from_account) {
  if (const auto edges = edges_.find(from_account); edges != edges_.end() && !edges->second.empty()) {
    edges->second.pop_back();
  }
}

AccountFlows::Verdict AccountFlows::follow(std::string_view account, std::string_view subject) const {
  Walk walk;
  return follow(account, subject, walk);
}

// A message that takes an edge twice goes round.
AccountFlows::Verdict AccountFlows::follow(std::string_view account, std::string_view subject, Walk& walk) const {
  const auto edges = edges_.find(account);
  if (edges == edges_.end()) {
    return Verdict::ends;
  }
  for (const Edge& edge : edges->second) {
    const auto taken = routing::overlap(subject, edge.at);
    if (!taken) {
      continue;
    }
    if (std::ranges::find(walk.path, &edge) != walk.path.end()) {
      return Verdict::cycle;
    }
    if (walk.path.size() >= kDeepest || ++walk.steps > kMostSteps) {
      return Verdict::too_deep;
    }
    const std::string arrives = edge.there != nullptr ? edge.there->apply(*taken)
                                : edge.at == edge.to  ? *taken
                                                      : std::string(edge.to);
    walk.path.push_back(&edge);
    const Verdict verdict = follow(edge.to_account, arrives, walk);
    walk.path.pop_back();
    if (verdict != Verdict::ends) {
      return verdict;
    }
  }
  return Verdict::ends;
}

}  // namespace hawser::broker
