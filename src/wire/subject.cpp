#include "wire/subject.hpp"

#include <algorithm>
#include <string>

namespace hawser::wire {
namespace {

constexpr char kSeparator = '.';

// Takes the first token off `rest`; `more` says whether a separator followed it.
struct Tokens {
  std::string_view rest;
  bool more = true;

  std::string_view next() noexcept {
    const std::size_t dot = rest.find(kSeparator);
    more = dot != std::string_view::npos;
    const std::string_view token = rest.substr(0, dot);
    rest.remove_prefix(more ? dot + 1 : rest.size());
    return token;
  }
};

bool is_one(std::string_view token) noexcept { return token == "*"; }
bool is_full(std::string_view token) noexcept { return token == ">"; }

bool has_blank(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; });
}

SubjectFault fault_of(std::string_view subject, std::size_t max_tokens, bool wildcards) noexcept {
  if (subject.empty()) {
    return SubjectFault::empty;
  }
  bool after_full = false;
  std::size_t count = 0;
  for (Tokens tokens{subject}; tokens.more;) {
    const std::string_view token = tokens.next();
    if (after_full) {
      return SubjectFault::after_full;
    }
    if (++count > max_tokens) {
      return SubjectFault::too_many_tokens;
    }
    if (token.empty()) {
      return SubjectFault::empty_token;
    }
    if (has_blank(token)) {
      return SubjectFault::blank;
    }
    if (is_one(token) || is_full(token)) {
      if (!wildcards) {
        return SubjectFault::wildcard;
      }
      after_full = is_full(token);
    }
  }
  return SubjectFault::none;
}

}  // namespace

SubjectFault publish_fault(std::string_view subject, std::size_t max_tokens) noexcept {
  return fault_of(subject, max_tokens, false);
}

SubjectFault subscribe_fault(std::string_view subject, std::size_t max_tokens) noexcept {
  return fault_of(subject, max_tokens, true);
}

SubjectFault queue_fault(std::string_view queue) noexcept {
  if (queue.empty()) {
    return SubjectFault::empty;
  }
  return has_blank(queue) ? SubjectFault::blank : SubjectFault::none;
}

std::string_view to_string(SubjectFault fault) noexcept {
  switch (fault) {
    case SubjectFault::none: return "is valid";
    case SubjectFault::empty: return "is empty";
    case SubjectFault::empty_token: return "has an empty token";
    case SubjectFault::blank: return "has a blank or a line break in it";
    case SubjectFault::wildcard: return "has a wildcard";
    case SubjectFault::after_full: return "goes on after '>'";
    case SubjectFault::too_many_tokens: return "has too many tokens";
  }
  return "is not valid";
}

Error bad_subject(std::string_view subject, SubjectFault fault) {
  constexpr std::size_t kShown = 80;
  std::string doing = "the subject \"";
  for (const char c : subject.substr(0, kShown)) {
    doing += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  doing += subject.size() > kShown ? "…\" " : "\" ";
  doing += to_string(fault);
  return Error{Errc::wire_bad_subject, std::move(doing)};
}

bool passes_pedantic_publish(std::string_view subject) noexcept {
  for (Tokens tokens{subject}; tokens.more;) {
    const std::string_view token = tokens.next();
    if (token.empty() || is_one(token) || is_full(token)) {
      return false;
    }
  }
  return true;
}

bool has_wildcard(std::string_view subject) noexcept {
  if (subject.find_first_of("*>") == std::string_view::npos) {
    return false;  // the usual case
  }
  for (Tokens tokens{subject}; tokens.more;) {
    const std::string_view token = tokens.next();
    if (is_one(token) || is_full(token)) {
      return true;
    }
  }
  return false;
}

std::size_t token_count(std::string_view subject) noexcept {
  return subject.empty() ? 0 : 1 + static_cast<std::size_t>(std::count(subject.begin(), subject.end(), kSeparator));
}

bool matches(std::string_view pattern, std::string_view subject) noexcept {
  Tokens p{pattern};
  Tokens s{subject};
  while (p.more && s.more) {
    const std::string_view wanted = p.next();
    if (is_full(wanted)) {
      return true;
    }
    const std::string_view token = s.next();
    if (!is_one(wanted) && wanted != token) {
      return false;
    }
  }
  return p.more == s.more;
}

bool overlaps(std::string_view a, std::string_view b) noexcept {
  Tokens left{a};
  Tokens right{b};
  while (left.more && right.more) {
    const std::string_view x = left.next();
    const std::string_view y = right.next();
    if (is_full(x) || is_full(y)) {
      return true;
    }
    if (!is_one(x) && !is_one(y) && x != y) {
      return false;
    }
  }
  return left.more == right.more;
}

bool is_subset(std::string_view narrow, std::string_view wide) noexcept {
  Tokens n{narrow};
  Tokens w{wide};
  while (n.more && w.more) {
    const std::string_view allowed = w.next();
    if (is_full(allowed)) {
      return true;
    }
    const std::string_view token = n.next();
    if (is_full(token) || (!is_one(allowed) && allowed != token)) {
      return false;  // a literal that reads "*" cannot be: `allowed` would be one too
    }
  }
  return n.more == w.more;
}

}  // namespace hawser::wire
