// Subjects as claims hold them, by the rules of nats-io/jwt and of nats-server's own check. Inside this room only.
//
// Pure functions on views; thread-safe.
//
//   if (!contained_in(import.subject, activation.import_subject)) …
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace hawser::identity {

// What servers take for a subject: no empty token, no blanks, nothing after `>`.
[[nodiscard]] bool valid_subject(std::string_view subject);
[[nodiscard]] bool has_wildcards(std::string_view subject);
// Whether every subject that `narrow` stands for is one of `wide`'s.
[[nodiscard]] bool contained_in(std::string_view narrow, std::string_view wide);
[[nodiscard]] bool ends_in_full_wildcard(std::string_view subject);
// "orders.*" is {"orders", "*"}; of empty text it is one empty token.
[[nodiscard]] std::vector<std::string_view> tokens_of(std::string_view subject);
[[nodiscard]] std::size_t count_stars(std::string_view subject);

}  // namespace hawser::identity
