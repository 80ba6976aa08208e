#include "config/place.hpp"

#include <fmt/format.h>

namespace hawser::config {

std::string Place::text() const {
  std::string out = file ? *file : std::string();
  if (line != 0) out += fmt::format("{}{}", out.empty() ? "line " : ":", line);
  if (line != 0 && column != 0) out += fmt::format(":{}", column);
  return out;
}

std::string Mistake::text() const {
  const std::string where = place.text();
  return fmt::format("{}{}{}{}{}{}", where, where.empty() ? "" : ": ", message, hint.empty() ? "" : " (", hint,
                     hint.empty() ? "" : ")");
}

Error as_error(std::span<const Mistake> mistakes) {
  Error error{mistakes.empty() ? Errc::internal_error : mistakes.front().code, {}};
  for (const Mistake& mistake : mistakes) {
    if (!error.doing.empty()) error.doing += '\n';
    error.doing += mistake.text();
  }
  return error;
}

}  // namespace hawser::config
