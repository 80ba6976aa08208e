// One log line, in each form, and the bounded queue that lines wait in. Pure; log.cpp adds the clock and the thread.
//
//   2026-11-22T10:00:00.123Z warn disconnected from nats id=SES-501 reason="the server closed it"
//   {"time":"2026-11-22T10:00:00.123Z","level":"warn","message":"disconnected from nats","id":"SES-501","reason":"…"}
//   [4711] 2026/11/22 11:00:00.123456 [WRN] disconnected from nats id=SES-501 reason="the server closed it"
//   [4711] 2026/11/22 11:00:00.123456 [DBG] 127.0.0.1:56972 - cid:4 - Client connection created
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace hawser::log {

// How lines look; all but the format concerns Format::nats.
struct LineStyle {
  Format format = Format::text;
  bool time = true;
  bool utc = false;
  bool colour = false;
  int pid = 0;
};

// With its newline. Whatever the texts hold, it is one line of printable UTF-8: control bytes are escaped, invalid
// bytes replaced; values that could be taken for something else are quoted. Secrets are redacted.
[[nodiscard]] std::string format_line(const LineStyle& style, WallTime time, Level level, std::string_view message,
                                      std::span<const Field> fields);

// Keeps the newest lines, up to a number and a sum of bytes; counts what it lets go. Not synchronised.
class LineQueue {
 public:
  LineQueue(std::size_t max_lines, std::size_t max_bytes) : max_lines_(max_lines), max_bytes_(max_bytes) {}

  void push(std::string line);
  // Everything that waits, oldest first.
  [[nodiscard]] std::deque<std::string> take();
  // How many were let go since the last call.
  [[nodiscard]] std::uint64_t take_dropped();
  [[nodiscard]] bool empty() const { return lines_.empty(); }

 private:
  std::size_t max_lines_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
  std::deque<std::string> lines_;
};

// Lets so many lines of one message through in a window, and counts the rest: two thousand clients that lose one server
// are one event. Not synchronised.
class Throttle {
 public:
  struct LeftOut {
    std::string message;
    Level level;
    std::uint64_t count;
  };

  Throttle(std::size_t most, Duration window) : most_(most), window_(window) {}

  [[nodiscard]] bool admit(Level level, std::string_view message, Time now);
  // Of windows that have ended by now.
  [[nodiscard]] std::vector<LeftOut> take_ended(Time now);
  // When the next window with something left out ends; Time::max(): none.
  [[nodiscard]] Time next_end() const;

 private:
  static constexpr std::size_t kMostMessages = 256;  // they are literals, nearly all; beyond it nothing is left out
  struct Window {
    Time end;
    Level level;
    std::size_t written = 0;
    std::uint64_t left_out = 0;
  };
  std::size_t most_;
  Duration window_;
  std::map<std::string, Window, std::less<>> windows_;
};

}  // namespace hawser::log
