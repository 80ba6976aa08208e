#include "broker/monitor_text.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace hawser::broker {
namespace {

using namespace std::chrono;

// "1.5" of 1500 with a unit of 1000.
std::string with_fraction(std::uint64_t value, std::uint64_t unit, int digits) {
  std::string text = fmt::format("{}", value / unit);
  if (const std::uint64_t rest = value % unit; rest != 0) {
    std::string fraction = fmt::format("{:0{}}", rest, digits);
    fraction.resize(fraction.find_last_not_of('0') + 1);
    text += "." + fraction;
  }
  return text;
}

}  // namespace

std::string uptime_text(Duration duration) {
  const std::int64_t s = std::max<std::int64_t>(0, duration_cast<seconds>(duration).count());
  const std::int64_t m = s / 60;
  const std::int64_t h = m / 60;
  const std::int64_t d = h / 24;
  const std::int64_t y = d / 365;
  if (y > 0) {
    return fmt::format("{}y{}d{}h{}m{}s", y, d % 365, h % 24, m % 60, s % 60);
  }
  if (d > 0) {
    return fmt::format("{}d{}h{}m{}s", d, h % 24, m % 60, s % 60);
  }
  if (h > 0) {
    return fmt::format("{}h{}m{}s", h, m % 60, s % 60);
  }
  return m > 0 ? fmt::format("{}m{}s", m, s % 60) : fmt::format("{}s", s);
}

std::string go_duration(Duration duration) {
  const std::int64_t signed_ns = duration_cast<nanoseconds>(duration).count();
  const std::string sign = signed_ns < 0 ? "-" : "";
  const std::uint64_t ns =
      signed_ns < 0 ? 0 - static_cast<std::uint64_t>(signed_ns) : static_cast<std::uint64_t>(signed_ns);
  constexpr std::uint64_t kSecond = 1'000'000'000;
  if (ns == 0) {
    return "0s";
  }
  if (ns < 1000) {
    return sign + fmt::format("{}ns", ns);
  }
  if (ns < 1'000'000) {
    return sign + with_fraction(ns, 1000, 3) + "µs";
  }
  if (ns < kSecond) {
    return sign + with_fraction(ns, 1'000'000, 6) + "ms";
  }
  const std::uint64_t minutes_in_all = ns / (60 * kSecond);
  std::string text = with_fraction(ns % (60 * kSecond), kSecond, 9) + "s";
  if (minutes_in_all >= 60) {
    return sign + fmt::format("{}h{}m", minutes_in_all / 60, minutes_in_all % 60) + text;
  }
  return minutes_in_all > 0 ? sign + fmt::format("{}m", minutes_in_all) + text : sign + text;
}

std::string rtt_text(Duration rtt) {
  return go_duration(rtt > microseconds(1) && rtt < milliseconds(1) ? duration_cast<microseconds>(rtt) : rtt);
}

std::string rfc3339_nano(WallTime time) {
  std::string text = to_rfc3339(time, Precision::whole_seconds);
  const std::int64_t ns = (time - floor<seconds>(time)).count();
  if (ns != 0) {
    std::string fraction = fmt::format(".{:09}", ns);
    fraction.resize(fraction.find_last_not_of('0') + 1);
    text.insert(text.size() - 1, fraction);
  }
  return text;
}

bool is_callback_name(std::string_view text) {
  constexpr std::size_t kLongest = 128;
  return !text.empty() && text.size() <= kLongest && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           c == '.';
  });
}

}  // namespace hawser::broker
