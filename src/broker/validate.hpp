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
// The first of them; the others are counted in its text.
[[nodiscard]] Result<void> validate(const Settings& settings);

}  // namespace hawser::broker
