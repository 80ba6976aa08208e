#include "base/log_line.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <ctime>
#include <fmt/format.h>
#include <utility>

namespace hawser::log {
namespace {

std::string_view name_of(Level level) {
  constexpr std::array<std::string_view, 6> kNames{"trace", "debug", "info", "warn", "error", "fatal"};
  return kNames.at(static_cast<std::size_t>(level));
}

// nats-server's short names, and its colours.
struct Label {
  std::string_view name;
  std::string_view colour;
};

Label label_of(Level level) {
  constexpr std::array<Label, 6> kLabels{
      {{"TRC", "33"}, {"DBG", "36"}, {"INF", "32"}, {"WRN", "0;93"}, {"ERR", "31"}, {"FTL", "31"}}};
  return kLabels.at(static_cast<std::size_t>(level));
}

// "2026/11/22 10:00:00.123456".
std::string go_time(WallTime time, bool utc) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time - seconds).count();
  const std::time_t when = seconds.time_since_epoch().count();
  std::tm parts{};
  (utc ? gmtime_r : localtime_r)(&when, &parts);
  return fmt::format("{:04}/{:02}/{:02} {:02}:{:02}:{:02}.{:06}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec, micros);
}

// How many bytes the valid UTF-8 sequence at the front has; 0 when there is none (RFC 3629, table 3-7 of Unicode).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return continues(1) ? 2 : 0;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    return continues(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    return continues(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

enum class Quotes : std::uint8_t { escaped, plain };

// One line of valid UTF-8, with JSON's escapes.
void append_escaped(std::string& out, std::string_view text, Quotes quotes) {
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const std::size_t length = sequence_length(text.substr(i));
    if (length != 1) {
      out += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(i, length);
      i += std::max<std::size_t>(length, 1);
      continue;
    }
    ++i;
    if (c == '\n' || c == '\r' || c == '\t') {
      out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else if (quotes == Quotes::escaped && (c == '"' || c == '\\')) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text, Quotes::escaped);
  out += '"';
}

bool reads_as_one_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7F && c != '"' && c != '=' && c != '\\';
  });
}

// "nan" and "inf" are numbers to C++, but not to JSON.
bool is_json_number(const Field& field) {
  return field.is_number && !field.value.empty() && std::isdigit(static_cast<unsigned char>(field.value.back())) != 0;
}

}  // namespace

namespace {

void append_fields(std::string& line, std::span<const Field> fields) {
  for (const Field& field : fields) {
    line += ' ' + std::string(field.key) + '=';
    const std::string value = redact(field.value);
    if (reads_as_one_word(value)) {
      append_escaped(line, value, Quotes::plain);
    } else {
      append_quoted(line, value);
    }
  }
}

std::string nats_prefix(const LineStyle& style, WallTime time, Level level) {
  const Label label = label_of(level);
  std::string out = fmt::format("[{}] ", style.pid);
  if (style.time) {
    out += go_time(time, style.utc) + ' ';
  }
  return out + (style.colour ? fmt::format("[\x1b[{}m{}\x1b[0m] ", label.colour, label.name)
                             : fmt::format("[{}] ", label.name));
}

// nats-server's lines about a client start with it: "127.0.0.1:56972 - cid:4 - ". Takes those two fields off the front.
std::string client_prefix(std::span<const Field>& fields) {
  if (fields.size() < 2 || fields[0].key != "client" || fields[1].key != "cid") {
    return {};
  }
  std::string out = redact(fields[0].value) + " - cid:" + fields[1].value + " - ";
  fields = fields.subspan(2);
  return out;
}

std::string json_line(WallTime time, Level level, std::string_view message, std::span<const Field> fields) {
  std::string line = R"({"time":")" + to_rfc3339(time, Precision::milliseconds) + R"(","level":")" +
                     std::string(name_of(level)) + R"(","message":)";
  append_quoted(line, redact(message));
  for (const Field& field : fields) {
    line += ',';
    append_quoted(line, field.key);
    line += ':';
    if (is_json_number(field)) {
      line += field.value;
    } else {
      append_quoted(line, redact(field.value));
    }
  }
  return line + "}\n";
}

}  // namespace

std::string format_line(const LineStyle& style, WallTime time, Level level, std::string_view message,
                        std::span<const Field> fields) {
  if (style.format == Format::json) {
    return json_line(time, level, message, fields);
  }
  std::string line = style.format == Format::nats
                         ? nats_prefix(style, time, level)
                         : to_rfc3339(time, Precision::milliseconds) + ' ' + std::string(name_of(level)) + ' ';
  if (style.format == Format::nats) {
    append_escaped(line, client_prefix(fields), Quotes::plain);
  }
  append_escaped(line, redact(message), Quotes::plain);
  append_fields(line, fields);
  return line + '\n';
}

void LineQueue::push(std::string line) {
  bytes_ += line.size();
  lines_.push_back(std::move(line));
  while (lines_.size() > max_lines_ || bytes_ > max_bytes_) {
    bytes_ -= lines_.front().size();
    lines_.pop_front();
    ++dropped_;
  }
}

std::deque<std::string> LineQueue::take() {
  bytes_ = 0;
  return std::exchange(lines_, {});
}

std::uint64_t LineQueue::take_dropped() { return std::exchange(dropped_, 0); }

bool Throttle::admit(Level level, std::string_view message, Time now) {
  auto found = windows_.find(message);
  if (found == windows_.end()) {
    if (windows_.size() >= kMostMessages) {
      return true;
    }
    found = windows_.emplace(message, Window{.end = now + window_, .level = level}).first;
  }
  Window& window = found->second;
  if (now >= window.end && window.left_out == 0) {
    window = Window{.end = now + window_, .level = level};
  }
  window.level = std::max(window.level, level);
  if (window.written < most_) {
    ++window.written;
    return true;
  }
  ++window.left_out;
  return false;
}

std::vector<Throttle::LeftOut> Throttle::take_ended(Time now) {
  std::vector<LeftOut> ended;
  for (auto at = windows_.begin(); at != windows_.end();) {
    if (now < at->second.end) {
      ++at;
      continue;
    }
    if (at->second.left_out > 0) {
      ended.push_back({at->first, at->second.level, at->second.left_out});
    }
    at = windows_.erase(at);
  }
  return ended;
}

Time Throttle::next_end() const {
  Time next = Time::max();
  for (const auto& [message, window] : windows_) {
    next = window.left_out > 0 ? std::min(next, window.end) : next;
  }
  return next;
}

}  // namespace hawser::log
