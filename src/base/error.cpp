#include "base/error.hpp"

#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>

namespace hawser {
namespace {

// "tls_key_mismatch" as "tls-key-mismatch", in static storage.
template <std::size_t N>
struct KebabName {
  std::array<char, N> text{};
  consteval explicit KebabName(const char (&name)[N]) {
    for (std::size_t i = 0; i < N; ++i) {
      text[i] = name[i] == '_' ? '-' : name[i];
    }
  }
};

template <KebabName Name>
constexpr std::string_view kebab() {
  return {Name.text.data(), Name.text.size() - 1};
}

constexpr ErrorInfo kTable[] = {
#define HAWSER_ERROR(name, number, kind, summary, hint) \
  ErrorInfo{Errc::name, kebab<KebabName{#name}>(), ErrorKind::kind, summary, hint},
#include "base/errors/all.def"
#undef HAWSER_ERROR
};

struct Range {
  std::uint16_t first;
  std::string_view prefix;
};

constexpr Range kRanges[] = {{1300, "ROT"}, {1200, "STO"}, {1100, "BRK"}, {1000, "ADM"}, {900, "CLI"}, {800, "IDN"}, {700, "CFG"}, {600, "AGT"}, {500, "SES"},
                             {400, "WIR"},  {300, "NET"}, {200, "TLS"}, {100, "POS"}, {0, "GEN"}};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](unsigned char x, unsigned char y) {
           return std::tolower(x) == std::tolower(y);
         });
}

}  // namespace

std::span<const ErrorInfo> error_table() { return kTable; }

const ErrorInfo& info(Errc code) {
  for (const ErrorInfo& row : kTable) {
    if (row.code == code) {
      return row;
    }
  }
  std::fprintf(stderr, "error code %u has no row\n", static_cast<unsigned>(code));
  std::abort();  // only a cast from an integer could do this
}

std::string error_id(Errc code) {
  const auto number = static_cast<std::uint16_t>(code);
  for (const Range& range : kRanges) {
    if (number >= range.first) {
      std::string digits = std::to_string(number);
      return std::string(range.prefix) + '-' + std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0') + digits;
    }
  }
  std::abort();  // the last range starts at 0
}

std::optional<Errc> find_error(std::string_view id_or_name) {
  for (const ErrorInfo& row : kTable) {
    if (equal_ignoring_case(row.name, id_or_name) || equal_ignoring_case(error_id(row.code), id_or_name)) {
      return row.code;
    }
  }
  return std::nullopt;
}

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::retryable: return "retryable";
    case ErrorKind::permanent: return "permanent";
    case ErrorKind::denied: return "denied";
    case ErrorKind::misuse: return "misuse";
    case ErrorKind::internal: return "internal";
  }
  return "internal";
}

std::string Error::message() const {
  std::string text = error_id(code) + ' ' + std::string(info(code).summary);
  if (!doing.empty()) {
    text += ": " + doing;
  }
  return text;
}

}  // namespace hawser
