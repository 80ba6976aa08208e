#include "agent/local_mark.hpp"

#include <charconv>

namespace hawser::agent {
namespace {

// The next word, taken off `rest`.
std::string_view take_word(std::string_view& rest) noexcept {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

bool read_number(std::string_view word, std::uint64_t& out, int base) noexcept {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out, base);
  return error == std::errc{} && end == word.data() + word.size() && !word.empty();
}

void add_number(std::string& out, std::uint64_t number, int base) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number, base);
  out += ' ';
  out.append(digits, end);
}

std::uint64_t fnv1a(std::uint64_t sum, std::string_view bytes) noexcept {
  for (const char c : bytes) {
    sum = (sum ^ static_cast<unsigned char>(c)) * 0x100'0000'01B3ULL;
  }
  return sum;
}

}  // namespace

bool LocalMark::has_group(std::string_view group) const noexcept {
  for (std::string_view rest = groups; !rest.empty();) {
    if (take_word(rest) == group) {
      return true;
    }
  }
  return false;
}

std::uint64_t message_sum(std::string_view subject, std::string_view payload) noexcept {
  return fnv1a(fnv1a(fnv1a(0xCBF2'9CE4'8422'2325ULL, subject), "\n"), payload);
}

std::string mark_value(const LocalMark& mark) {
  std::string value(mark.agent);
  add_number(value, mark.number, 10);
  add_number(value, mark.publisher, 10);
  add_number(value, mark.sum, 16);
  if (!mark.groups.empty()) {
    (value += ' ') += mark.groups;
  }
  return value;
}

std::optional<LocalMark> parse_mark(std::string_view value) noexcept {
  LocalMark mark;
  mark.agent = take_word(value);
  if (mark.agent.empty() || !read_number(take_word(value), mark.number, 10) ||
      !read_number(take_word(value), mark.publisher, 10) || !read_number(take_word(value), mark.sum, 16)) {
    return std::nullopt;
  }
  mark.groups = value.empty() ? value : value.substr(1);
  return mark;
}

}  // namespace hawser::agent
