// JSON for people: a member a line, two spaces of indent a level. Inside this room only. Pure.
//
//   std::string text = indented_json(payload);
#pragma once

#include <string>

namespace boost::json {
class object;
}

namespace hawser::identity {

[[nodiscard]] std::string indented_json(const boost::json::object& object);

}  // namespace hawser::identity
