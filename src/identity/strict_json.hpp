// JSON text from outside as a tree, where a careless reader and a careful one see the same.
//
// Refused: a depth over 16, more than 65,536 members or elements in one place, names over 4 KiB, and two members of one
// name (of which Boost.JSON's own parser keeps the last, and others the first). Stateless; thread-safe.
//
//   Result<boost::json::object> payload = parse_object(text, Errc::jwt_malformed, "reading a JWT: the payload");
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace boost::json {
class object;
}

namespace hawser::identity {

// `doing` goes on with " is not a JSON object" or the like; no error quotes the text.
[[nodiscard]] Result<boost::json::object> parse_object(std::string_view text, Errc code, std::string doing);

}  // namespace hawser::identity
