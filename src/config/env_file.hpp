// Files of KEY=VALUE lines, as Docker, systemd, Compose and shells read them, with the line of each.
//
// Pure; thread-safe. Values are taken as they stand: `$NAME` in them is not expanded (a finding would otherwise depend
// on the machine that runs the check), and a variable that needs expansion counts as set with a value not known.
//
//   NATS_URL=tls://nats:4222        export NATS_TOKEN="s3cr3t"        # a comment        DOCKER_PASSES_THIS_ON
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "config/place.hpp"

namespace hawser::config {

// One variable. It may hold a secret, and so every value is held as one.
struct Variable {
  std::string name;
  std::optional<Secret> value;  // nothing: set, but not from here (valueFrom, a bare NAME, an expansion)
  Place place;
  std::string origin;  // where a value that is not here comes from: "secret nats/token"
};

// In the order of the file; of two with the same name the last counts. Errors: config_syntax with every bad line,
// config_too_complex.
[[nodiscard]] Result<std::vector<Variable>> parse_env_file(std::string_view text, const std::string& file_name);

// The variable that counts, or null.
[[nodiscard]] const Variable* find_variable(const std::vector<Variable>& variables, std::string_view name);

}  // namespace hawser::config
