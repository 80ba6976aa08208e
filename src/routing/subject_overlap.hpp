// What two patterns have in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hawser::routing {

// The pattern of all subjects that match both, which are valid patterns; nothing if there is none.
//
//   overlap("a.*.>", "*.b.c")   // "a.b.c"
[[nodiscard]] std::optional<std::string> overlap(std::string_view a, std::string_view b);

}  // namespace hawser::routing
