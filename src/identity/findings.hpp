// What is wrong with claims by themselves, whoever signed them: the rules of nats-io/jwt's Validate, in plain words.
//
// Pure; thread-safe.
//
//   for (const ClaimFinding& finding : findings(claims, now)) …
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "identity/claims.hpp"

namespace hawser::identity {

struct ClaimFinding {
  enum class Severity : std::uint8_t {
    error,   // servers refuse it
    expiry,  // it has expired, or is not yet valid
    warning,
  };
  Severity severity = Severity::error;
  std::string member;  // "exports[2].subject"
  std::string message;
};

[[nodiscard]] std::vector<ClaimFinding> findings(const Claims& claims, std::chrono::sys_seconds now);

// Whether servers accept it now: no error, not expired, already valid.
[[nodiscard]] bool acceptable(const std::vector<ClaimFinding>& findings);

}  // namespace hawser::identity
