#include "routing/subject_transform.hpp"

#include <algorithm>
#include <utility>

#include "routing/destination_token.hpp"
#include "wire/subject.hpp"

namespace hawser::routing {
namespace {

constexpr char kSeparator = '.';

std::vector<std::string_view> tokens_of(std::string_view subject) {
  std::vector<std::string_view> tokens;
  for (;;) {
    const std::size_t dot = subject.find(kSeparator);
    tokens.push_back(subject.substr(0, dot));
    if (dot == std::string_view::npos) {
      return tokens;
    }
    subject.remove_prefix(dot + 1);
  }
}

// The subject from its token `at` on; empty when it has fewer.
std::string_view rest_from(std::string_view subject, std::size_t at) {
  for (; at > 0; --at) {
    const std::size_t dot = subject.find(kSeparator);
    if (dot == std::string_view::npos) {
      return {};
    }
    subject.remove_prefix(dot + 1);
  }
  return subject;
}

std::string_view token_at(std::string_view subject, std::size_t at) {
  const std::string_view rest = rest_from(subject, at);
  return rest.substr(0, rest.find(kSeparator));
}

// FNV-1a of 32 bits, which is what nats-server and its clients agree on for partitions.
std::uint32_t partition_hash(std::uint32_t hash, std::string_view token) {
  for (const char c : token) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  }
  return hash;
}
constexpr std::uint32_t kPartitionBasis = 2166136261U;

// Parts between delimiters, without the empty ones.
void append_split(std::string& to, std::string_view token, std::string_view delimiter) {
  bool first = true;
  for (;;) {
    const std::size_t at = token.find(delimiter);
    if (const std::string_view part = token.substr(0, at); !part.empty()) {
      if (!first) {
        to += kSeparator;
      }
      to += part;
      first = false;
    }
    if (at == std::string_view::npos) {
      return;
    }
    token.remove_prefix(at + delimiter.size());
  }
}

void append_slices(std::string& to, std::string_view token, std::size_t first, std::size_t size) {
  while (!token.empty()) {
    const std::string_view slice = token.substr(0, std::exchange(first, size));
    token.remove_prefix(slice.size());
    to += slice;
    if (!token.empty()) {
      to += kSeparator;
    }
  }
}

void append_two(std::string& to, std::string_view token, std::size_t at) {
  to += token.substr(0, at);
  to += kSeparator;
  to += token.substr(at);
}

}  // namespace

Result<SubjectTransform> SubjectTransform::make(std::string_view source, std::string_view destination, Use use) {
  if (const auto fault = wire::subscribe_fault(source); fault != wire::SubjectFault::none) {
    return std::unexpected(wire::bad_subject(source, fault));
  }
  SubjectTransform transform;
  transform.source_ = source;
  transform.destination_ = destination;
  const auto source_tokens = tokens_of(source);
  transform.source_tokens_ = source_tokens.size();
  std::vector<std::uint32_t> wildcards;  // which token of the source each is
  for (std::size_t i = 0; i < source_tokens.size(); ++i) {
    if (source_tokens[i] == "*") {
      wildcards.push_back(static_cast<std::uint32_t>(i));
    }
  }
  const auto destination_tokens = tokens_of(destination);
  const bool open_end = source_tokens.back() == ">";
  if (open_end != (destination_tokens.back() == ">")) {
    return std::unexpected(bad_destination(destination, "invalid subject, `>` stands at the end of both or of none,"));
  }
  std::vector<int> uses(wildcards.size(), 0);
  for (std::size_t i = 0; i < destination_tokens.size(); ++i) {
    if (open_end && i + 1 == destination_tokens.size()) {
      transform.pieces_.push_back({.kind = Kind::rest});
      break;
    }
    auto piece = parse_destination_token(destination_tokens[i]);
    if (!piece) {
      return std::unexpected(std::move(piece.error()));
    }
    if (use == Use::reversible && piece->kind != Kind::text && piece->kind != Kind::wildcard) {
      return std::unexpected(bad_destination(
          destination_tokens[i], "the only mapping function allowed for import transforms is {{Wildcard()}}, found"));
    }
    for (std::uint32_t& token : piece->tokens) {
      if (token > wildcards.size()) {
        return std::unexpected(bad_destination(destination_tokens[i], "wildcard index out of range"));
      }
      ++uses[token - 1];
      token = wildcards[token - 1];
    }
    transform.pieces_.push_back(std::move(*piece));
  }
  if (use == Use::reversible && std::count(uses.begin(), uses.end(), 1) != std::ssize(uses)) {
    return std::unexpected(bad_destination(destination, "not using all of the token wildcard(s) just once"));
  }
  return transform;
}

bool SubjectTransform::matches(std::string_view subject) const noexcept { return wire::matches(source_, subject); }

void SubjectTransform::append_piece(std::string& to, const Piece& piece, std::string_view subject) {
  const std::string_view token = piece.tokens.empty() ? std::string_view() : token_at(subject, piece.tokens.front());
  const bool divides = piece.number > 0 && static_cast<std::size_t>(piece.number) < token.size();
  const std::size_t number = divides ? static_cast<std::size_t>(piece.number) : token.size();
  switch (piece.kind) {
    case Kind::text:
    case Kind::rest: to += piece.text; return;
    case Kind::partition: {
      std::uint32_t hash = kPartitionBasis;
      for (const std::uint32_t at : piece.tokens) {
        hash = partition_hash(hash, token_at(subject, at));
      }
      to += std::to_string(hash % static_cast<std::uint32_t>(piece.number));
      return;
    }
    case Kind::split: append_split(to, token, piece.text); return;
    case Kind::left: to += token.substr(0, number); return;
    case Kind::right: to += token.substr(token.size() - number); return;
    default: break;
  }
  if (!divides || piece.kind == Kind::wildcard) {  // a token that is too short stays whole
    to += token;
  } else if (piece.kind == Kind::split_from_left) {
    append_two(to, token, number);
  } else if (piece.kind == Kind::split_from_right) {
    append_two(to, token, token.size() - number);
  } else if (piece.kind == Kind::slice_from_left) {
    append_slices(to, token, number, number);
  } else {
    const std::size_t remainder = token.size() % number;
    append_slices(to, token, remainder == 0 ? number : remainder, number);
  }
}

void SubjectTransform::append(std::string& to, std::string_view subject) const {
  bool first = true;
  for (const Piece& piece : pieces_) {
    if (!std::exchange(first, false)) {
      to += kSeparator;
    }
    if (piece.kind == Kind::rest) {
      to += rest_from(subject, source_tokens_ - 1);
    } else {
      append_piece(to, piece, subject);
    }
  }
}

std::string SubjectTransform::apply(std::string_view subject) const {
  std::string made;
  append(made, subject);
  return made;
}

std::string SubjectTransform::destination_pattern() const {
  std::string pattern;
  for (const Piece& piece : pieces_) {
    if (!pattern.empty()) {
      pattern += kSeparator;
    }
    pattern += piece.kind == Kind::text ? piece.text : piece.kind == Kind::rest ? ">" : "*";
  }
  return pattern;
}

// Made of pieces, not of text: a token of the source is text here even if it looks like `$1` or a function.
Result<SubjectTransform> SubjectTransform::reverse() const {
  SubjectTransform back;
  back.source_ = destination_pattern();
  back.source_tokens_ = pieces_.size();
  for (std::uint32_t i = 0; const std::string_view token : tokens_of(source_)) {
    back.destination_ += i == 0 ? "" : ".";
    if (token == ">") {
      back.pieces_.push_back({.kind = Kind::rest});
      back.destination_ += '>';
    } else if (token != "*") {
      back.pieces_.push_back({.kind = Kind::text, .text = std::string(token)});
      back.destination_ += token;
    } else {
      const auto holder = std::find_if(pieces_.begin(), pieces_.end(), [i](const Piece& piece) {
        return piece.kind == Kind::wildcard && piece.tokens.front() == i;
      });
      if (holder == pieces_.end()) {
        return std::unexpected(bad_destination(destination_, "not using all of the token wildcard(s)"));
      }
      const auto place = static_cast<std::uint32_t>(holder - pieces_.begin());
      const auto wildcards =
          std::count_if(pieces_.begin(), holder + 1, [](const Piece& piece) { return piece.kind == Kind::wildcard; });
      back.pieces_.push_back({.kind = Kind::wildcard, .tokens = {place}});
      back.destination_ += "$" + std::to_string(wildcards);
    }
    ++i;
  }
  return back;
}

}  // namespace hawser::routing
