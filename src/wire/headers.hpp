// Message headers: the block "NATS/1.0[ status[ description]]\r\n" (Name: value\r\n)* "\r\n" of HPUB and HMSG.
//
// Names are compared as they are written, unless asked otherwise, and may repeat (NATS ADR-4). What is parsed are views
// into the block and lives as long as it does. Not synchronised.
//
//   auto headers = Headers::parse(frame.headers);
//   if (headers && headers->status() == kNoResponders) …
//   HeaderBuilder block; block.add("Nats-Msg-Id", id); append_hpub(out, subject, reply, block.finish(), payload);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace hawser::wire {

inline constexpr std::string_view kHeaderVersion = "NATS/1.0";
inline constexpr std::size_t kMaxHeaders = 4096;  // in one block; more is WIR-411
inline constexpr int kNoResponders = 503;

enum class NameCase : std::uint8_t { exact, ignore };

struct Header {
  std::string_view name;
  std::string_view value;  // without the blanks around it
  friend bool operator==(const Header&, const Header&) = default;
};

struct HeaderStatus {
  int code = 0;  // 0: the block has no status
  std::string_view description;
};

// Without parsing the whole block, and without allocation; of a block that is not valid, nothing is found.
// Whether it starts and ends as a block must: what a server checks of one that it passes on.
[[nodiscard]] bool looks_like_headers(std::string_view block) noexcept;
[[nodiscard]] HeaderStatus header_status(std::string_view block) noexcept;
// The first value of that name.
[[nodiscard]] std::optional<std::string_view> find_header(std::string_view block, std::string_view name,
                                                          NameCase name_case = NameCase::exact) noexcept;

class Headers {
 public:
  // WIR-411 says what is wrong; names and values are not in it.
  [[nodiscard]] static Result<Headers> parse(std::string_view block);

  [[nodiscard]] int status() const noexcept { return status_.code; }
  [[nodiscard]] std::string_view description() const noexcept { return status_.description; }
  // In the order of the block.
  [[nodiscard]] const std::vector<Header>& all() const noexcept { return headers_; }
  [[nodiscard]] std::optional<std::string_view> first(std::string_view name,
                                                      NameCase name_case = NameCase::exact) const;
  [[nodiscard]] std::vector<std::string_view> values(std::string_view name, NameCase name_case = NameCase::exact) const;

 private:
  HeaderStatus status_;
  std::vector<Header> headers_;
};

// Builds a block. Names and values that would break out of their line are refused, never repaired.
class HeaderBuilder {
 public:
  HeaderBuilder();
  // A status line, as servers send: 100 to 999, and a description that may be empty.
  [[nodiscard]] static Result<HeaderBuilder> with_status(int code, std::string_view description = {});
  // Starts from a block that exists, to add to it.
  [[nodiscard]] static Result<HeaderBuilder> from(std::string_view block);

  // Names: printable ASCII without colon. Values: anything without CR and LF; blanks around them do not survive.
  [[nodiscard]] Result<void> add(std::string_view name, std::string_view value);
  // The whole block, with its empty line. Valid until the next change.
  [[nodiscard]] std::string_view finish();

 private:
  std::string text_;  // without the last empty line
  std::size_t count_ = 0;
  bool finished_ = false;
};

}  // namespace hawser::wire
