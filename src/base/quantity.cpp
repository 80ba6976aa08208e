#include "base/quantity.hpp"

#include <array>
#include <cctype>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <optional>

namespace hawser {
namespace {

// "1.5" as 15 over 10: exact, unlike a floating-point number.
struct Decimal {
  std::uint64_t digits = 0;
  std::uint64_t scale = 1;
};

constexpr std::size_t kMostDigits = 18;  // so that digits and scale fit

std::optional<Decimal> take_number(std::string_view& text) {
  Decimal number;
  std::size_t used = 0;
  std::size_t count = 0;
  bool fraction = false;
  for (; used < text.size(); ++used) {
    const char c = text[used];
    if (c == '.' && !fraction && count > 0) {
      fraction = true;
      continue;
    }
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) {
      break;
    }
    if (++count > kMostDigits) {
      return std::nullopt;
    }
    number.digits = number.digits * 10 + static_cast<std::uint64_t>(c - '0');
    number.scale *= fraction ? 10 : 1;
  }
  if (count == 0 || text[used - 1] == '.') {
    return std::nullopt;
  }
  text.remove_prefix(used);
  return number;
}

// digits / scale × unit, rounded down; nothing when it does not fit.
std::optional<std::uint64_t> times(Decimal number, std::uint64_t unit) {
  __extension__ using Wide = unsigned __int128;
  const Wide value = static_cast<Wide>(number.digits) * unit / number.scale;
  if (value > static_cast<Wide>(std::numeric_limits<std::int64_t>::max())) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(value);
}

std::string_view take_letters(std::string_view& text) {
  std::size_t used = 0;
  while (used < text.size() && text[used] != '.' && std::isdigit(static_cast<unsigned char>(text[used])) == 0) {
    ++used;
  }
  const std::string_view letters = text.substr(0, used);
  text.remove_prefix(used);
  return letters;
}

std::optional<std::uint64_t> size_unit(std::string_view unit) {
  std::string lower;
  for (const char c : unit) {
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (lower.empty() || lower == "b") {
    return 1;
  }
  const std::size_t power = std::string_view("kmgt").find(lower.front());
  const std::string_view rest = std::string_view(lower).substr(1);
  if (power == std::string_view::npos || !(rest.empty() || rest == "b" || rest == "i" || rest == "ib")) {
    return std::nullopt;
  }
  std::uint64_t value = 1;
  for (std::size_t i = 0; i <= power; ++i) {
    value *= rest.empty() ? 1000U : 1024U;
  }
  return value;
}

struct DurationUnit {
  std::string_view name;
  std::uint64_t nanoseconds;
};

constexpr std::array kDurationUnits{
    DurationUnit{"d", 86'400'000'000'000},
    DurationUnit{"h", 3'600'000'000'000},
    DurationUnit{"m", 60'000'000'000},
    DurationUnit{"s", 1'000'000'000},
    DurationUnit{"ms", 1'000'000},
    DurationUnit{"us", 1'000},
    DurationUnit{"µs", 1'000},
    DurationUnit{"ns", 1},
};

std::optional<std::uint64_t> duration_unit(std::string_view name) {
  for (const DurationUnit& unit : kDurationUnits) {
    if (unit.name == name) {
      return unit.nanoseconds;
    }
  }
  return std::nullopt;
}

std::unexpected<Error> refuse(std::string_view what, std::string_view text) {
  return fail(Errc::bad_quantity, fmt::format("reading \"{}\" as {}", text.substr(0, 64), what));
}

// 1.5 without trailing zeros, at most `decimals` of them.
std::string shortest(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') {
      text.pop_back();
    }
  }
  return text;
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  std::string_view rest = text;
  const std::optional<Decimal> number = take_number(rest);
  if (!number) {
    return refuse("a size", text);
  }
  if (!rest.empty() && rest.front() == ' ') {
    rest.remove_prefix(1);
    if (rest.empty()) {
      return refuse("a size", text);
    }
  }
  const std::optional<std::uint64_t> unit = size_unit(rest);
  const std::optional<std::uint64_t> bytes = unit ? times(*number, *unit) : std::nullopt;
  if (!bytes || (*unit == 1 && number->scale > 1)) {
    return refuse("a size", text);
  }
  return *bytes;
}

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  if (text == "0") {
    return std::chrono::nanoseconds(0);
  }
  std::string_view rest = text;
  std::uint64_t total = 0;
  do {
    const std::optional<Decimal> number = take_number(rest);
    const std::optional<std::uint64_t> unit = number ? duration_unit(take_letters(rest)) : std::nullopt;
    const std::optional<std::uint64_t> part = unit ? times(*number, *unit) : std::nullopt;
    if (!part || *part > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - total) {
      return refuse("a duration", text);
    }
    total += *part;
  } while (!rest.empty());
  return std::chrono::nanoseconds(static_cast<std::int64_t>(total));
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) {
    return fmt::format("{} B", bytes);
  }
  double value = static_cast<double>(bytes) / 1024.0;
  std::size_t unit = 0;
  for (; value >= 1023.95 && unit + 1 < kUnits.size(); ++unit) {
    value /= 1024.0;
  }
  return fmt::format("{} {}", shortest(value, 1), kUnits[unit]);
}

std::string format_duration(std::chrono::nanoseconds duration) {
  if (duration < std::chrono::nanoseconds::zero()) {
    return "-" + format_duration(-duration);
  }
  const auto total = static_cast<std::uint64_t>(duration.count());
  if (total == 0) {
    return "0s";
  }
  if (total < 1'000'000'000) {
    const DurationUnit unit = total >= 1'000'000 ? DurationUnit{"ms", 1'000'000}
                              : total >= 1'000   ? DurationUnit{"us", 1'000}
                                                 : DurationUnit{"ns", 1};
    return shortest(static_cast<double>(total) / static_cast<double>(unit.nanoseconds), 3) + std::string(unit.name);
  }
  std::string text;
  std::uint64_t rest = total;
  for (std::size_t i = 0; i < 3; ++i) {
    const DurationUnit unit = kDurationUnits[i];
    if (rest >= unit.nanoseconds) {
      text += fmt::format("{}{}", rest / unit.nanoseconds, unit.name);
      rest %= unit.nanoseconds;
    }
  }
  if (rest > 0) {
    // Below a minute a fraction tells something; beside hours it does not.
    text += shortest(static_cast<double>(rest) / 1e9, total < 60'000'000'000 ? 3 : 0) + "s";
  }
  return text;
}

}  // namespace hawser
