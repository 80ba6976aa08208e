// Whether what flows between accounts would come back to where it started.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "routing/subject_transform.hpp"

namespace hawser::broker {

// Edges of one kind: what is on `at` in an account goes on to `to` in another.
class AccountFlows {
 public:
  enum class Verdict : std::uint8_t { ends, cycle, too_deep };

  // `there`, if any, maps `at` to `to`; without it the subject stays, or `to` is literal. Both outlive this.
  void add(std::string_view from_account, std::string_view at, std::string_view to_account, std::string_view to,
           const routing::SubjectTransform* there);
  // The last one that was added from this account.
  void take_back(std::string_view from_account);
  // What becomes of everything that arrives on `subject` in the account.
  [[nodiscard]] Verdict follow(std::string_view account, std::string_view subject) const;

 private:
  static constexpr std::size_t kDeepest = 1024;  // nats-server's
  static constexpr std::size_t kMostSteps = 100000;

  struct Edge {
    std::string_view at;
    std::string_view to_account;
    std::string_view to;
    const routing::SubjectTransform* there;
  };
  struct Walk {
    std::vector<const Edge*> path;
    std::size_t steps = 0;
  };
  Verdict follow(std::string_view account, std::string_view subject, Walk& walk) const;

  std::map<std::string_view, std::vector<Edge>> edges_;  // by the account that they start from
};

}  // namespace hawser::broker
