#include "routing/subject_overlap.hpp"

namespace hawser::routing {
namespace {

// The first token, taken off; `rest` is empty after the last one.
std::string_view take_token(std::string_view& rest) {
  const std::size_t dot = rest.find('.');
  const std::string_view token = rest.substr(0, dot);
  rest.remove_prefix(dot == std::string_view::npos ? rest.size() : dot + 1);
  return token;
}

}  // namespace

std::optional<std::string> overlap(std::string_view a, std::string_view b) {
  std::string common;
  while (!a.empty() && !b.empty()) {
    common += common.empty() ? "" : ".";
    if (a == ">" || b == ">") {
      return common.append(a == ">" ? b : a);
    }
    const std::string_view left = take_token(a);
    const std::string_view right = take_token(b);
    if (left != right && left != "*" && right != "*") {
      return std::nullopt;
    }
    common += left == "*" ? right : left;
  }
  return a.empty() && b.empty() ? std::optional(std::move(common)) : std::nullopt;
}

}  // namespace hawser::routing
