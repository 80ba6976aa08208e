// Reads one token of a transform's destination: text, `$1`, or a function in double braces.
#pragma once

#include <string_view>

#include "routing/subject_transform.hpp"

namespace hawser::routing {

// In nats-server's words, for messages.
[[nodiscard]] Error bad_destination(std::string_view token, std::string_view reason);

// The tokens of the piece are numbers of wildcards, from 1; which of them there are is the caller's to check.
[[nodiscard]] Result<SubjectTransform::Piece> parse_destination_token(std::string_view token);

}  // namespace hawser::routing
