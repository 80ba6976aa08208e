#include "config/conf_cursor.hpp"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <utility>

#include "config/letters.hpp"

namespace hawser::config {

namespace {

ConfScalar scalar_of(ConfNode::Kind kind, ConfNode::Form form, const Place& at, std::string text) {
  ConfScalar out;
  out.node.kind = kind;
  out.node.form = form;
  out.node.place = at;
  out.node.text = std::move(text);
  return out;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

// The factor of a size suffix; 0: no such suffix.
std::int64_t factor_of(std::string_view suffix) {
  constexpr std::string_view kLetters = "kmgtpe";
  if (suffix.empty()) return 1;
  const std::string s = lower(suffix);
  const std::size_t power = kLetters.find(s[0]);
  const std::string_view rest = std::string_view(s).substr(1);
  if (power == std::string_view::npos || !(rest.empty() || rest == "b" || rest == "i" || rest == "ib")) return 0;
  std::int64_t factor = 1;
  for (std::size_t i = 0; i <= power; ++i) factor *= rest.empty() ? 1000 : 1024;
  return factor;
}

bool is_suffix_letter(char c) { return std::string_view("kmgtpe").find(lower(c)) != std::string_view::npos; }

}  // namespace

Place ConfCursor::place() const { return {file_, line_, static_cast<std::uint32_t>(position_ - line_start_ + 1)}; }

std::size_t ConfCursor::space_here() const {
  if (at_end()) return 0;
  const char c = text_[position_];
  if (c == ' ' || (c >= '\t' && c <= '\r')) return 1;
  const std::string_view two = text_.substr(position_, 2);
  return two == "\xC2\x85" || two == "\xC2\xA0" ? 2 : 0;
}

bool ConfCursor::at_comment() const { return peek() == '#' || text_.substr(position_, 2) == "//"; }

char ConfCursor::next() {
  const char c = peek();
  if (at_end()) return kEnd;
  ++position_;
  if (c == '\n') {
    ++line_;
    line_start_ = position_;
  }
  return c;
}

void ConfCursor::skip_blanks() {
  while (at_blank()) next();
}

void ConfCursor::skip_spaces() {
  for (std::size_t n = space_here(); n > 0; n = space_here()) {
    while (n-- > 0) next();
  }
}

void ConfCursor::skip_comment() {
  while (!at_end() && !at_line_end()) next();
}

Mistake ConfCursor::mistake(std::string message, std::string hint) const {
  return {Errc::config_syntax, place(), std::move(message), std::move(hint)};
}

std::string ConfCursor::seen() const {
  if (at_end()) return "the end of the file";
  if (at_line_end()) return "the end of the line";
  const char c = peek();
  return c > ' ' && c <= '~' ? fmt::format("'{}'", c) : fmt::format("byte 0x{:02x}", static_cast<unsigned char>(c));
}

std::expected<ConfCursor::Key, Mistake> ConfCursor::key() {
  Key out{{}, place()};
  const char first = peek();
  if (first == '=' || first == ':')
    return std::unexpected(mistake(fmt::format("expected a key, found the separator {}", seen())));
  if (first == ',' || first == ';' || first == ']' || first == '}' || first == '/') {
    return std::unexpected(mistake(fmt::format("expected a key, found {}", seen())));
  }
  if (first == '"' || first == '\'') {
    out.quoted = true;
    next();
    while (!at_end() && peek() != first) out.text += next();
    if (at_end()) return std::unexpected(Mistake{Errc::config_syntax, out.place, "a quoted key does not end", {}});
    next();
    return out;
  }
  while (!at_end() && space_here() == 0 && peek() != '=' && peek() != ':') out.text += next();
  return out;
}

std::expected<std::string, Mistake> ConfCursor::include_path() {
  skip_blanks();
  std::string path;
  const char first = peek();
  if (first == '"' || first == '\'') {
    const Place at = place();
    next();
    while (!at_end() && peek() != first) path += next();
    if (at_end()) return std::unexpected(Mistake{Errc::config_syntax, at, "a quoted include path does not end", {}});
    next();
    return path;
  }
  if (at_end() || at_line_end()) return std::unexpected(mistake("include needs a path"));
  if (is_digit(first) || std::string_view("-[{(\\").find(first) != std::string_view::npos) {
    return std::unexpected(mistake(fmt::format("an include path cannot begin with {}", seen()), "Put it in quotes."));
  }
  while (!at_end() && !at_line_end() && !at_blank() && peek() != ';' && peek() != '}' && peek() != '\'') path += next();
  if (peek() == '\'') next();
  if (path.empty()) return std::unexpected(mistake("include needs a path"));
  return path;
}

ConfCursor::Scalar ConfCursor::scalar() {
  const char c = peek();
  if (c == '"') return quoted();
  if (c == '\'') return single_quoted();
  if (c == '(') return block();
  if (c == '-' || is_digit(c)) return number();
  if (c == '.')
    return std::unexpected(
        mistake("a number begins with a digit, not with '.'", "Put texts that begin with a point in quotes."));
  if (at_line_end()) {
    return std::unexpected(
        mistake("expected a value, found the end of the line",
                "A block begins with '{' on the line of its key; indented lines as in YAML are not read."));
  }
  return bare(position_, place());
}

ConfCursor::Scalar ConfCursor::quoted() {
  const Place at = place();
  std::string text;
  next();
  while (!at_end() && peek() != '"') {
    const char c = next();
    if (c != '\\') {
      text += c;
      continue;
    }
    const auto escaped = escape();
    if (!escaped) return std::unexpected(escaped.error());
    text += *escaped;
  }
  if (at_end()) return std::unexpected(Mistake{Errc::config_syntax, at, "a text in double quotes does not end", {}});
  next();
  return scalar_of(ConfNode::Kind::string, ConfNode::Form::quoted, at, std::move(text));
}

ConfCursor::Scalar ConfCursor::single_quoted() {
  const Place at = place();
  std::string text;
  next();
  while (!at_end() && peek() != '\'') text += next();
  if (at_end()) return std::unexpected(Mistake{Errc::config_syntax, at, "a text in single quotes does not end", {}});
  next();
  return scalar_of(ConfNode::Kind::string, ConfNode::Form::quoted, at, std::move(text));
}

// `(` to a `)` that stands alone in its line; the line ends at both sides belong to the text, as nats-server has it.
ConfCursor::Scalar ConfCursor::block() {
  const Place at = place();
  next();
  const std::size_t start = position_;
  while (!at_end()) {
    if (next() != '\n' || peek() != ')') continue;
    const std::string_view after = text_.substr(position_ + 1, 1);
    if (!after.empty() && after != "\n") continue;
    std::string text(text_.substr(start, position_ - start));
    next();
    return scalar_of(ConfNode::Kind::string, ConfNode::Form::block, at, std::move(text));
  }
  return std::unexpected(Mistake{Errc::config_syntax, at, "a block of lines does not end",
                                 "Put the ')' alone in a line, at its beginning."});
}

std::expected<char, Mistake> ConfCursor::escape() {
  switch (peek()) {
    case 't': next(); return '\t';
    case 'n': next(); return '\n';
    case 'r': next(); return '\r';
    case '"': next(); return '"';
    case '\\': next(); return '\\';
    case 'x': {
      next();
      const int high = hex_value(peek());
      if (high >= 0) next();
      const int low = hex_value(peek());
      if (high < 0 || low < 0) return std::unexpected(mistake("expected two hexadecimal digits after \\x"));
      next();
      return static_cast<char>(high * 16 + low);
    }
    default:
      return std::unexpected(
          mistake("unknown escape",
                  "Known are \\t, \\n, \\r, \\\", \\\\ and \\xNN; single quotes keep backslashes as they are."));
  }
}

// Text without quotes, from `start`; the cursor may be beyond it already, past characters that a number began with.
ConfCursor::Scalar ConfCursor::bare(std::size_t start, Place at) {
  std::string text(text_.substr(start, position_ - start));
  bool escaped = false;
  bool ended_by_quote = false;
  while (!at_end() && !at_line_end() && !at_blank()) {
    const char c = peek();
    if (c == ';' || c == ',' || c == ']' || c == '}') break;
    next();
    if (c == '\'') {
      ended_by_quote = true;
      break;
    }
    if (c != '\\') {
      text += c;
      continue;
    }
    const auto meant = escape();
    if (!meant) return std::unexpected(meant.error());
    text += *meant;
    escaped = true;
  }
  if (!escaped && !ended_by_quote) {
    const bool yes = same_letters(text, "true") || same_letters(text, "yes") || same_letters(text, "on");
    if (yes || same_letters(text, "false") || same_letters(text, "no") || same_letters(text, "off")) {
      ConfScalar out = scalar_of(ConfNode::Kind::boolean, ConfNode::Form::bare, at, std::move(text));
      out.node.boolean = yes;
      return out;
    }
    if (text.starts_with('$')) {
      ConfScalar out = scalar_of(ConfNode::Kind::string, ConfNode::Form::bare, at, text.substr(1));
      out.reference = true;
      return out;
    }
  }
  return scalar_of(ConfNode::Kind::string, ConfNode::Form::bare, at, std::move(text));
}

bool ConfCursor::at_number_end() const {
  return at_end() || at_line_end() || at_blank() || peek() == '}' || peek() == ';' || peek() == ',';
}

ConfCursor::Scalar ConfCursor::number() {
  const Place at = place();
  const std::size_t start = position_;
  const bool negative = peek() == '-';
  if (negative) {
    next();
    if (!is_digit(peek())) {
      return std::unexpected(mistake(fmt::format("expected a digit after '-', found {}", seen()),
                                     "Put texts that begin with '-' in quotes."));
    }
  }
  while (is_digit(peek())) next();
  return after_digits(start, at, negative);
}

ConfCursor::Scalar ConfCursor::after_digits(std::size_t start, const Place& at, bool negative) {
  const char c = peek();
  if (c == '.') return fraction(start, at);
  if (is_suffix_letter(c)) return sized(start, at);
  if (negative || at_number_end() || c == ']') return integer(start, at);
  if (c == '-') {
    if (position_ - start == 4) return date(start, at);
    return std::unexpected(mistake("a number is followed by '-'",
                                   "Put texts that begin with a digit in quotes; dates are 2026-01-31T00:00:00Z."));
  }
  next();  // whatever it is, nats-server takes it as a letter of a text
  return bare(start, at);
}

ConfCursor::Scalar ConfCursor::sized(std::size_t start, const Place& at) {
  next();
  while (lower(peek()) == 'b' || lower(peek()) == 'i') next();
  if (at_number_end() || is_digit(peek())) return integer(start, at);
  return bare(start, at);
}

ConfCursor::Scalar ConfCursor::integer(std::size_t start, const Place& at) {
  const std::string_view written = text_.substr(start, position_ - start);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), value);
  const std::string_view suffix = written.substr(static_cast<std::size_t>(end - written.data()));
  const std::int64_t factor = factor_of(suffix);
  if (error == std::errc() && factor == 0) {
    return std::unexpected(Mistake{Errc::config_syntax, at, fmt::format("unknown size suffix \"{}\"", suffix),
                                   "K, KB, M, MB, G, GB, T, TB are known."});
  }
  if (error != std::errc() || __builtin_mul_overflow(value, factor, &value)) {
    return std::unexpected(Mistake{Errc::config_syntax, at, "a number is beyond 64 bits", {}});
  }
  ConfScalar out = scalar_of(ConfNode::Kind::integer, suffix.empty() ? ConfNode::Form::bare : ConfNode::Form::suffixed,
                             at, std::string(written));
  out.node.integer = value;
  return out;
}

// Digits and a point so far: a real number, or with a second point an address.
ConfCursor::Scalar ConfCursor::fraction(std::size_t start, const Place& at) {
  next();
  if (!is_digit(peek())) return std::unexpected(mistake(fmt::format("expected a digit after '.', found {}", seen())));
  while (is_digit(peek())) next();
  if (peek() == '.') {
    while (is_digit(peek()) || peek() == '.' || peek() == ':' || peek() == '-') next();
    return scalar_of(ConfNode::Kind::string, ConfNode::Form::bare, at,
                     std::string(text_.substr(start, position_ - start)));
  }
  const std::string_view written = text_.substr(start, position_ - start);
  ConfScalar out = scalar_of(ConfNode::Kind::real, ConfNode::Form::bare, at, std::string(written));
  const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), out.node.real);
  if (error != std::errc()) return std::unexpected(Mistake{Errc::config_syntax, at, "a number is out of range", {}});
  return out;
}

ConfCursor::Scalar ConfCursor::date(std::size_t start, const Place& at) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00Z";
  const std::string_view written = text_.substr(start, kShape.size());
  bool fits = written.size() == kShape.size();
  for (std::size_t i = 0; fits && i < kShape.size(); ++i) {
    fits = kShape[i] == '0' ? is_digit(written[i]) : kShape[i] == written[i];
  }
  const auto two = [&](std::size_t i) { return (written[i] - '0') * 10 + (written[i + 1] - '0'); };
  if (fits) {
    constexpr std::array<int, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int year = two(0) * 100 + two(2);
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const int month = two(5);
    fits = month >= 1 && month <= 12 && two(8) >= 1 && two(11) < 24 && two(14) < 60 && two(17) < 60;
    fits = fits && two(8) <= kDays.at(static_cast<std::size_t>(month - 1)) + (month == 2 && leap ? 1 : 0);
  }
  if (!fits) {
    return std::unexpected(Mistake{Errc::config_syntax, at, "four digits and '-' begin a date, and this is none",
                                   "Dates are 2026-01-31T00:00:00Z; put other texts in quotes."});
  }
  while (position_ - start < kShape.size()) next();
  return scalar_of(ConfNode::Kind::datetime, ConfNode::Form::bare, at, std::string(written));
}

}  // namespace hawser::config
