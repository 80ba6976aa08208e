// The header that a message carries when the agent has delivered it to its own clients, before the server had it.
//
// When the queue brings it to the server and it comes back, whoever had it drops it. The mark names the message by a
// sum of its subject and payload, so that a program that copies headers into another message does not take that one
// away from anybody. Pure.
//
//   append_pub_with_header(out, frame, kLocalMark, mark_value({.agent = id, .number = 7, .sum = message_sum(frame)}));
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/frame.hpp"

namespace hawser::agent {

inline constexpr std::string_view kLocalMark = "Hawser-Local";

struct LocalMark {
  std::string_view agent;
  std::uint64_t number = 0;     // of the message among those of that agent; 0: it was delivered to nobody
  std::uint64_t publisher = 0;  // the client that does not want its own messages (echo: false); 0: does not matter
  std::uint64_t sum = 0;
  std::string_view groups;  // the queue groups that have had it, with blanks between

  [[nodiscard]] bool has_group(std::string_view group) const noexcept;
};

[[nodiscard]] std::uint64_t message_sum(std::string_view subject, std::string_view payload) noexcept;
[[nodiscard]] std::string mark_value(const LocalMark& mark);
// Nothing if it is not one; views are into `value`.
[[nodiscard]] std::optional<LocalMark> parse_mark(std::string_view value) noexcept;

}  // namespace hawser::agent
