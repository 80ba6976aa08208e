// How settings' texts are cut and shown, for the files of this room. Pure; thread-safe.
//
//   message += "the policy is " + quoted(text);
#pragma once

#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::posture {

[[nodiscard]] inline std::string_view trim(std::string_view text) {
  const auto is_blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

[[nodiscard]] inline std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return result;
}

// In quotes, short, and without control characters. Not for secrets, and not for what may be one by mistake.
[[nodiscard]] inline std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 32;
  std::string result = "\"";
  for (const char c : text.substr(0, kShown)) {
    result += std::iscntrl(static_cast<unsigned char>(c)) != 0 ? '?' : c;
  }
  return result + (text.size() > kShown ? "…\"" : "\"");
}

// "a", "a and b", "a, b and c".
[[nodiscard]] inline std::string list(const std::vector<std::string>& items) {
  std::string result;
  for (std::size_t i = 0; i < items.size(); ++i) {
    result += (i == 0 ? "" : i + 1 == items.size() ? " and " : ", ") + items[i];
  }
  return result;
}

}  // namespace hawser::posture
