// What posture has to say about a configuration: a stable code, how bad it is, what causes it, and what to do.
//
// Plain values, safe to copy between threads; no text in one ever holds a secret.
//
//   for (const Finding& f : decision.findings) print("{} {}: {}", error_id(f.code), to_string(f.severity), f.message);
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace hawser::posture {

enum class Severity : std::uint8_t { note, warning, error };

struct Finding {
  Errc code{};  // its kebab-case name is `info(code).name`, its id `error_id(code)`
  Severity severity = Severity::error;
  std::string message;               // one sentence: what is wrong
  std::string hint;                  // one sentence: what to do
  std::vector<std::string> sources;  // what causes it: "env NATS_URL", "./config/broker.yaml:12:5"
};

// A finding with the hint of its row in the error table.
[[nodiscard]] Finding make_finding(Errc code, Severity severity, std::string message, std::vector<std::string> sources);

[[nodiscard]] std::string_view to_string(Severity severity);
[[nodiscard]] bool any_error(std::span<const Finding> findings);
// The finding as an Error, for a refusal at start-up.
[[nodiscard]] Error to_error(const Finding& finding);

}  // namespace hawser::posture
