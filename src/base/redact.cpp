// The last net under secrets in log lines: what looks like one goes out as "[redacted]". One pass, no regular
// expressions.
#include <array>
#include <cctype>
#include <optional>

#include "base/log.hpp"

namespace hawser::log {
namespace {

constexpr std::string_view kRedacted = "[redacted]";

// A stretch of the text to replace: `length` bytes from where the search stood.
struct Found {
  std::size_t length;
  std::string replacement;
};

bool is_base32(char c) { return (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7'); }
bool is_base64url(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_'; }

template <class Predicate>
std::size_t run_length(std::string_view text, Predicate accepts) {
  std::size_t length = 0;
  while (length < text.size() && accepts(text[length])) {
    ++length;
  }
  return length;
}

// An NKey seed: S, the letter of its role, and base32, 58 characters in all.
std::optional<Found> seed(std::string_view at) {
  constexpr std::size_t kSeedLength = 58;
  if (at.size() < kSeedLength || at[0] != 'S' || std::string_view("OAUNCX").find(at[1]) == std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t length = run_length(at, is_base32);
  return length >= kSeedLength ? std::optional(Found{length, std::string(kRedacted)}) : std::nullopt;
}

// Three base64url parts with dots, the first of which begins with `{"`.
std::optional<Found> jwt(std::string_view at) {
  if (!at.starts_with("eyJ")) {
    return std::nullopt;
  }
  std::size_t length = 0;
  for (int part = 0; part < 3; ++part) {
    const std::size_t run = run_length(at.substr(length), is_base64url);
    length += run;
    if (run == 0 || (part < 2 && (length >= at.size() || at[length++] != '.'))) {
      return std::nullopt;
    }
  }
  return Found{length, std::string(kRedacted)};
}

// What follows "://" up to the last "@" of the word: the user stays, the password goes; a lone token goes.
std::optional<Found> user_info(std::string_view at) {
  if (!at.starts_with("://")) {
    return std::nullopt;
  }
  std::string_view word = at.substr(3);
  word = word.substr(0, word.find_first_of(" \t\r\n\"'<>"));
  word = word.substr(0, word.find("://"));  // the next of a list
  const std::size_t end = word.rfind('@');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t colon = word.substr(0, end).find(':');
  const std::string_view user = colon == std::string_view::npos ? std::string_view() : word.substr(0, colon + 1);
  return Found{3 + end, "://" + std::string(user) + std::string(kRedacted)};
}

std::optional<Found> private_key(std::string_view at) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  if (!at.starts_with(kBegin)) {
    return std::nullopt;
  }
  const std::string_view label = at.substr(kBegin.size(), 64);
  const std::size_t dashes = label.find("-----");
  if (dashes == std::string_view::npos || (label.substr(0, dashes).find("PRIVATE KEY") == std::string_view::npos &&
                                           label.substr(0, dashes).find(" SEED") == std::string_view::npos)) {
    return std::nullopt;
  }
  const std::size_t end = at.find("-----END ");
  return Found{end == std::string_view::npos ? at.size() : end, std::string(kRedacted)};
}

}  // namespace

std::string redact(std::string_view text) {
  constexpr std::array kKinds{seed, jwt, user_info, private_key};
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == 'S' || c == 'e' || c == ':' || c == '-') {
      std::optional<Found> found;
      for (const auto& kind : kKinds) {
        found = kind(text.substr(i));
        if (found) {
          break;
        }
      }
      if (found) {
        out += found->replacement;
        i += found->length;
        continue;
      }
    }
    out += c;
    ++i;
  }
  return out;
}

}  // namespace hawser::log
