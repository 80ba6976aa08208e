#include "routing/destination_token.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wire/subject.hpp"

namespace hawser::routing {
namespace {

using Piece = SubjectTransform::Piece;
using Kind = SubjectTransform::Kind;

constexpr std::string_view kUnknownFunction = "unknown function";
constexpr std::string_view kTooFew = "not enough arguments passed to the function";
constexpr std::string_view kTooMany = "too many arguments passed to the function";
constexpr std::string_view kInvalid = "function argument is invalid or in the wrong format";
constexpr std::string_view kOutOfRange = "wildcard index out of range";

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<std::int32_t> number_in(std::string_view text) {
  text = trimmed(text);
  std::int32_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<std::string_view> split_at_commas(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t comma = text.find(',');
    parts.push_back(trimmed(text.substr(0, comma)));
    if (comma == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(comma + 1);
  }
}

struct Function {
  std::string_view name;  // lower case
  Kind kind;
  std::size_t least;
  std::size_t most;
};
constexpr std::size_t kManyArguments = 64;
constexpr Function kFunctions[] = {
    {"wildcard", Kind::wildcard, 1, 1},
    {"partition", Kind::partition, 2, kManyArguments},
    {"split", Kind::split, 2, 2},
    {"splitfromleft", Kind::split_from_left, 2, 2},
    {"splitfromright", Kind::split_from_right, 2, 2},
    {"slicefromleft", Kind::slice_from_left, 2, 2},
    {"slicefromright", Kind::slice_from_right, 2, 2},
    {"left", Kind::left, 2, 2},
    {"right", Kind::right, 2, 2},
};

const Function* find_function(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const auto* at =
      std::find_if(std::begin(kFunctions), std::end(kFunctions), [&](const Function& f) { return f.name == lower; });
  return at == std::end(kFunctions) ? nullptr : at;
}

// The reason why the arguments cannot be taken, or nothing.
std::string_view take_arguments(Piece& piece, const std::vector<std::string_view>& arguments) {
  const auto take_wildcard = [&](std::string_view argument) -> std::string_view {
    const auto index = number_in(argument);
    if (!index) {
      return kInvalid;
    }
    if (*index < 1) {
      return kOutOfRange;
    }
    piece.tokens.push_back(static_cast<std::uint32_t>(*index));
    return {};
  };
  if (piece.kind == Kind::partition) {
    const auto partitions = number_in(arguments[0]);
    if (!partitions || *partitions < 1) {
      return kInvalid;
    }
    piece.number = *partitions;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
      if (const auto fault = take_wildcard(arguments[i]); !fault.empty()) {
        return fault;
      }
    }
    return {};
  }
  if (const auto fault = take_wildcard(arguments[0]); !fault.empty() || piece.kind == Kind::wildcard) {
    return fault;
  }
  if (piece.kind == Kind::split) {
    piece.text = arguments[1];
    return piece.text.empty() || piece.text.find(' ') != std::string::npos ? kInvalid : std::string_view();
  }
  const auto number = number_in(arguments[1]);
  piece.number = number.value_or(0);
  return number ? std::string_view() : kInvalid;
}

Result<Piece> parse_function(std::string_view token) {
  const std::string_view call = trimmed(token.substr(2, token.size() - 4));
  const std::size_t open = call.find('(');
  const Function* function = open == std::string_view::npos ? nullptr : find_function(trimmed(call.substr(0, open)));
  if (function == nullptr || call.back() != ')') {
    return std::unexpected(bad_destination(token, kUnknownFunction));
  }
  const std::string_view inside = call.substr(open + 1, call.size() - open - 2);
  const auto arguments = split_at_commas(inside);
  if (arguments.size() < function->least || (arguments.size() == 1 && arguments[0].empty())) {
    return std::unexpected(bad_destination(token, kTooFew));
  }
  if (arguments.size() > function->most) {
    return std::unexpected(bad_destination(token, kTooMany));
  }
  Piece piece{.kind = function->kind};
  if (const auto fault = take_arguments(piece, arguments); !fault.empty()) {
    return std::unexpected(bad_destination(token, fault));
  }
  return piece;
}

}  // namespace

Error bad_destination(std::string_view token, std::string_view reason) {
  constexpr std::size_t kShown = 80;
  std::string doing = "invalid mapping destination: ";
  doing.append(reason).append(" in ").append(token.substr(0, kShown));
  return Error{Errc::broker_bad_subject, std::move(doing)};
}

Result<Piece> parse_destination_token(std::string_view token) {
  if (token.size() > 1 && token[0] == '$' && is_number(token.substr(1))) {
    const auto index = number_in(token.substr(1));
    if (!index || *index < 1) {
      return std::unexpected(bad_destination(token, kOutOfRange));
    }
    return Piece{.kind = Kind::wildcard, .tokens = {static_cast<std::uint32_t>(*index)}};
  }
  if (token.size() > 4 && token.starts_with("{{") && token.ends_with("}}")) {
    return parse_function(token);
  }
  if (wire::publish_fault(token) != wire::SubjectFault::none) {  // a `*`, a blank, braces that are not closed
    return std::unexpected(bad_destination(token, "invalid subject"));
  }
  return Piece{.kind = Kind::text, .text = std::string(token)};
}

}  // namespace hawser::routing
