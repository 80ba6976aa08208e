// The query string of a request, decoded. Pure.
//
//   Query query = parse_query("auth=1&subs=detail&user=a%20b");   query.value("auth") == "1"
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hawser::admin {

class Query {
 public:
  // Of a key that is given twice, the first; empty when it is not there.
  [[nodiscard]] std::string_view value(std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const;

  std::vector<std::pair<std::string, std::string>> fields;  // in their order
};

// "%41" and "+" are decoded; a pair whose escapes are broken is left out, as Go's net/url does. The length is bounded
// by what a request's header may be.
[[nodiscard]] Query parse_query(std::string_view text);

}  // namespace hawser::admin
