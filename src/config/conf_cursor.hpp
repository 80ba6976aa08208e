// The letters of a nats-server configuration: places, blanks, comments, and scalars as nats-server tells them apart.
//
// Below nats_conf.cpp, which knows keys, blocks, variables and includes. A cursor over text that outlives it; one
// thread.
//
//   ConfCursor cursor(text, file);
//   std::expected<ConfScalar, Mistake> value = cursor.scalar();
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "config/nats_conf.hpp"
#include "config/place.hpp"

namespace hawser::config {

struct ConfScalar {
  ConfNode node;
  bool reference = false;  // `$NAME`, unquoted: node.text is NAME
};

class ConfCursor {
 public:
  static constexpr char kEnd = '\0';

  ConfCursor(std::string_view text, FileName file) : text_(text), file_(std::move(file)) {}

  [[nodiscard]] Place place() const;
  [[nodiscard]] bool at_end() const { return position_ >= text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? kEnd : text_[position_]; }
  [[nodiscard]] bool at_line_end() const { return peek() == '\n' || peek() == '\r'; }
  [[nodiscard]] bool at_blank() const { return peek() == ' ' || peek() == '\t'; }
  // Any white space, line ends included, in Unicode's Latin-1 sense; its length in bytes.
  [[nodiscard]] std::size_t space_here() const;
  [[nodiscard]] bool at_comment() const;

  char next();
  void skip_blanks();  // spaces and tabs
  void skip_spaces();  // line ends too
  void skip_comment();

  // A key as far as its white space or separator; quoted ones without their quotes.
  struct Key {
    std::string text;
    Place place;
    bool quoted = false;
  };
  [[nodiscard]] std::expected<Key, Mistake> key();
  // The path after `include`.
  [[nodiscard]] std::expected<std::string, Mistake> include_path();
  // Anything but `[` and `{`.
  [[nodiscard]] std::expected<ConfScalar, Mistake> scalar();

  [[nodiscard]] Mistake mistake(std::string message, std::string hint = {}) const;
  // "line end", "'x'", for messages; never more than one character of the text.
  [[nodiscard]] std::string seen() const;

 private:
  using Scalar = std::expected<ConfScalar, Mistake>;

  Scalar quoted();
  Scalar single_quoted();
  Scalar block();
  Scalar bare(std::size_t start, Place at);
  Scalar number();
  Scalar after_digits(std::size_t start, const Place& at, bool negative);
  Scalar sized(std::size_t start, const Place& at);
  Scalar fraction(std::size_t start, const Place& at);
  Scalar date(std::size_t start, const Place& at);
  Scalar integer(std::size_t start, const Place& at);
  std::expected<char, Mistake> escape();
  [[nodiscard]] bool at_number_end() const;

  std::string_view text_;
  FileName file_;
  std::size_t position_ = 0;
  std::size_t line_start_ = 0;
  std::uint32_t line_ = 1;
};

}  // namespace hawser::config
