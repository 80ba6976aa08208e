// Structured logging: one line an event, as text, JSON or nats-server's form, to standard error or a file.
//
// Thread-safe; a full queue drops the oldest lines and counts them rather than hold up a reactor. A last net redacts
// what looks like an NKey seed, a JWT or a password in a URL; secrets should not get here in the first place.
//
//   log::warn("disconnected from nats", {{"id", error_id(e.code)}, {"reason", e.doing}, {"server", name}});
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace hawser::log {

enum class Level : std::uint8_t { trace, debug, info, warn, error, fatal };
// nats: "[4711] 2026/11/22 10:00:00.123456 [INF] message key=value", in local time.
enum class Format : std::uint8_t { text, json, nats };

// A key and its value, ready to print. Numbers print as JSON numbers.
struct Field {
  std::string_view key;
  std::string value;
  bool is_number = false;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  template <class T>
  requires std::integral<T> || std::floating_point<T> Field(std::string_view k, T v)
      : key(k), value(std::to_string(v)), is_number(true) {}
};
using Fields = std::initializer_list<Field>;

// Where lines go, and which. Info and above always; debug and trace each for itself, as nats-server has them.
struct Output {
  Format format = Format::text;
  bool debug = false;
  bool trace = false;
  bool time = true;              // Format::nats alone can leave it out
  bool utc = false;              // Format::nats: UTC rather than local time
  std::filesystem::path file;    // appended to; empty: standard error
  std::uint64_t file_bytes = 0;  // beyond which the file gets a date to its name and a new one begins; 0: never
  std::size_t file_backups = 0;  // how many of those are kept; 0: all
};

// Sets level and format, to standard error; call once at start-up, before threads. Without it: info, text.
void configure(Level level, Format format);
// All of it, also while lines are written; those written so far go where they were to go. Errors: file_unwritable, and
// then nothing changed.
[[nodiscard]] Result<void> configure(const Output& output);
// Opens the file again, for what moves log files away. Errors: file_unwritable; then the open one stays.
[[nodiscard]] Result<void> reopen();
[[nodiscard]] bool enabled(Level level);

void write(Level level, std::string_view message, Fields fields = {});
// With the error's id and what was being done as fields "id" and "reason".
void write(Level level, std::string_view message, const Error& error, Fields fields = {});

inline void trace(std::string_view message, Fields fields = {}) { write(Level::trace, message, fields); }
inline void debug(std::string_view message, Fields fields = {}) { write(Level::debug, message, fields); }
inline void info(std::string_view message, Fields fields = {}) { write(Level::info, message, fields); }
inline void warn(std::string_view message, Fields fields = {}) { write(Level::warn, message, fields); }
inline void error(std::string_view message, Fields fields = {}) { write(Level::error, message, fields); }

// Waits until everything written so far is out. At exit.
void flush();

// The text with NKey seeds, JWTs, and passwords in URLs replaced by "[redacted]".
[[nodiscard]] std::string redact(std::string_view text);

}  // namespace hawser::log
