// How a message is shown: for people, raw, or as one line of JSON. Pure.
//
// On a terminal, control characters of a message are shown as \x1b and not obeyed: a publisher must not write on its
// reader's terminal.
//
//   std::fputs(render(frame, {.number = 1}, style).c_str(), stdout);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "wire/frame.hpp"

namespace hawser::cli {

enum class MessageForm : std::uint8_t { text, raw, json };

struct MessageStyle {
  MessageForm form = MessageForm::text;
  bool headers_only = false;
  bool terminal = false;  // escape
};

struct MessageFacts {
  std::uint64_t number = 0;
  std::optional<Duration> rtt = std::nullopt;  // of a reply
};

// Whole lines.
[[nodiscard]] std::string render(const wire::Frame& message, const MessageFacts& facts, const MessageStyle& style);

// Control characters but line breaks and tabs, and bytes that are not UTF-8, as \x1b.
[[nodiscard]] std::string safe_for_terminal(std::string_view text);

// As a JSON string, with its quotes; bytes that are not UTF-8 are replaced, and no terminal obeys what is in it.
[[nodiscard]] std::string json_string(std::string_view text);

// "417µs", "1.52ms", "2.1s".
[[nodiscard]] std::string short_duration(Duration duration);

// A JSON object's text with one more member: numbers as people write them, where the library would write 3.984E2.
[[nodiscard]] std::string with_number(std::string object, std::string_view key, double value);
// Microseconds with one decimal.
[[nodiscard]] double in_microseconds(Duration duration);

}  // namespace hawser::cli
