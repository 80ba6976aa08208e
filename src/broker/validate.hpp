// Whether settings fit together: all mistakes at once, before anything of them is applied. At start and at a reload.
//
// Pure; nothing is read from disk (TlsPolicy::make does that). Texts are nats-server's where it has one. Imports,
// exports and mappings are compiled, and so validated, with the accounts.
//
//   if (std::vector<Error> mistakes = find_mistakes(settings); !mistakes.empty()) return report(mistakes);
#pragma once

#include <vector>

#include "base/error.hpp"
#include "broker/settings.hpp"

namespace hawser::broker {

// In the order of the configuration's parts; each names its place where one is known.
[[nodiscard]] std::vector<Error> find_mistakes(const Settings& settings);
// All of them as one error: the code is the first one's, and `doing` has one a line.
[[nodiscard]] Result<void> validate(const Settings& settings);

}  // namespace hawser::broker
