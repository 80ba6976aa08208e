#include "identity/claim_subject.hpp"

#include <algorithm>

namespace hawser::identity {

std::vector<std::string_view> tokens_of(std::string_view subject) {
  std::vector<std::string_view> tokens;
  for (;;) {
    const std::size_t dot = subject.find('.');
    tokens.push_back(subject.substr(0, dot));
    if (dot == std::string_view::npos) {
      return tokens;
    }
    subject.remove_prefix(dot + 1);
  }
}

bool valid_subject(std::string_view subject) {
  if (subject.find_first_of(" \t\n\f\r") != std::string_view::npos) {
    return false;
  }
  const std::vector<std::string_view> tokens = tokens_of(subject);
  return std::ranges::none_of(tokens, &std::string_view::empty) && std::ranges::find(tokens, ">") >= tokens.end() - 1;
}

bool has_wildcards(std::string_view subject) { return count_stars(subject) > 0 || ends_in_full_wildcard(subject); }

bool contained_in(std::string_view narrow, std::string_view wide) {
  for (;;) {
    const std::size_t narrow_dot = narrow.find('.');
    const std::size_t wide_dot = wide.find('.');
    const std::string_view mine = narrow.substr(0, narrow_dot);
    const std::string_view other = wide.substr(0, wide_dot);
    const bool narrow_ends = narrow_dot == std::string_view::npos;
    const bool wide_ends = wide_dot == std::string_view::npos;
    if (wide_ends && other == ">") {
      return true;
    }
    if ((other != mine && other != "*") || mine == ">" || narrow_ends != wide_ends) {
      return false;
    }
    if (narrow_ends) {
      return true;
    }
    narrow.remove_prefix(narrow_dot + 1);
    wide.remove_prefix(wide_dot + 1);
  }
}

bool ends_in_full_wildcard(std::string_view subject) { return subject == ">" || subject.ends_with(".>"); }

std::size_t count_stars(std::string_view subject) {
  return static_cast<std::size_t>(std::ranges::count(tokens_of(subject), std::string_view("*")));
}

}  // namespace hawser::identity
