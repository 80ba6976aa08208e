#include "config/env_file.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "config/letters.hpp"

namespace hawser::config {

namespace {

constexpr std::size_t kVariables = 10'000;
constexpr std::size_t kMistakes = 50;  // enough to see what kind of file it is

bool is_name_letter(char c, bool first) {
  const char l = lower(c);
  return (l >= 'a' && l <= 'z') || c == '_' || (!first && (is_digit(c) || c == '.' || c == '-'));
}

class EnvParser {
 public:
  EnvParser(std::string_view text, FileName file) : text_(text), file_(std::move(file)) {}

  Result<std::vector<Variable>> parse() {
    if (text_.starts_with("\xEF\xBB\xBF")) position_ = line_start_ = 3;  // a byte-order mark
    while (position_ < text_.size() && mistakes_.size() < kMistakes) {
      parse_line();
      if (out_.size() > kVariables) {
        mistakes_.push_back({Errc::config_too_complex, place(), fmt::format("more than {} variables", kVariables), {}});
        break;
      }
    }
    if (!mistakes_.empty()) return std::unexpected(as_error(mistakes_));
    return std::move(out_);
  }

 private:
  [[nodiscard]] Place place() const { return {file_, line_, static_cast<std::uint32_t>(position_ - line_start_ + 1)}; }
  [[nodiscard]] bool at_end() const { return position_ >= text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\n' : text_[position_]; }
  [[nodiscard]] bool at_line_end() const { return peek() == '\n' || text_.substr(position_, 2) == "\r\n"; }

  void next() {
    if (peek() == '\n') {
      ++line_;
      line_start_ = position_ + 1;
    }
    ++position_;
  }
  void skip_blanks() {
    while (!at_end() && (peek() == ' ' || peek() == '\t')) next();
  }
  void skip_line() {
    while (!at_end() && peek() != '\n') next();
    next();
  }
  void mistake(std::string message, std::string hint = {}) {
    mistakes_.push_back({Errc::config_syntax, place(), std::move(message), std::move(hint)});
    skip_line();
  }

  void parse_line() {
    skip_blanks();
    if (at_line_end() || peek() == '#' || peek() == ';') return skip_line();
    constexpr std::string_view kExport = "export";
    if (text_.substr(position_).starts_with(kExport) && position_ + kExport.size() < text_.size() &&
        (text_[position_ + kExport.size()] == ' ' || text_[position_ + kExport.size()] == '\t')) {
      position_ += kExport.size();
      skip_blanks();
    }
    Variable variable;
    variable.place = place();
    while (!at_end() && is_name_letter(peek(), variable.name.empty())) {
      variable.name += peek();
      next();
    }
    if (variable.name.empty())
      return mistake("expected the name of a variable", "A line is NAME=VALUE; a comment begins with '#'.");
    skip_blanks();
    if (at_line_end() || peek() == '#') {  // a bare NAME is passed on from wherever the container is started
      variable.origin = "the environment of whoever starts it";
      out_.push_back(std::move(variable));
      return skip_line();
    }
    if (peek() != '=') return mistake("expected '=' after the name of a variable");
    next();
    skip_blanks();
    parse_value(std::move(variable));
  }

  void parse_value(Variable variable) {
    std::string value;
    bool literal = false;
    const Place start = place();
    if (peek() == '"' || peek() == '\'') {
      const char quote = peek();
      literal = quote == '\'';
      next();
      while (!at_end() && peek() != quote) {
        if (quote == '"' && peek() == '\\' && position_ + 1 < text_.size()) {
          next();
          value += unescaped(peek());
        } else {
          value += peek();
        }
        next();
      }
      if (at_end()) {
        mistakes_.push_back({Errc::config_syntax, start, "a value in quotes does not end", {}});
        return;
      }
      next();
      skip_blanks();
      if (!at_line_end() && peek() != '#') {
        wipe(value);
        return mistake("text after the closing quote");
      }
    } else {
      while (!at_line_end()) {
        if (peek() == '#' && (value.empty() || value.back() == ' ' || value.back() == '\t')) break;
        value += peek();
        next();
      }
      value.resize(value.find_last_not_of(" \t\r") + 1);  // npos + 1: nothing is left
    }
    skip_line();
    if (!literal && value.find("${") != std::string::npos) {
      variable.origin = "an expansion of other variables";
      wipe(value);
    } else {
      variable.value = Secret::take(std::move(value));
    }
    out_.push_back(std::move(variable));
  }

  static char unescaped(char c) {
    switch (c) {
      case 'n': return '\n';
      case 'r': return '\r';
      case 't': return '\t';
      default: return c;
    }
  }

  std::string_view text_;
  FileName file_;
  std::size_t position_ = 0;
  std::size_t line_start_ = 0;
  std::uint32_t line_ = 1;
  std::vector<Variable> out_;
  std::vector<Mistake> mistakes_;
};

}  // namespace

Result<std::vector<Variable>> parse_env_file(std::string_view text, const std::string& file_name) {
  if (text.find('\0') != std::string_view::npos) return fail(Errc::config_syntax, file_name + ": holds a NUL byte");
  return EnvParser(text, std::make_shared<const std::string>(file_name)).parse();
}

const Variable* find_variable(const std::vector<Variable>& variables, std::string_view name) {
  const auto found =
      std::find_if(variables.rbegin(), variables.rend(), [name](const Variable& v) { return v.name == name; });
  return found == variables.rend() ? nullptr : &*found;
}

}  // namespace hawser::config
