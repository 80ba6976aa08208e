// Structured logging: one line an event, as text or JSON, to standard error.
//
// Thread-safe; a full queue drops the oldest lines and counts them rather than hold up a reactor. A last net redacts
// what looks like an NKey seed, a JWT or a password in a URL; secrets should not get here in the first place.
//
//   log::warn("disconnected from nats", {{"id", error_id(e.code)}, {"reason", e.doing}, {"server", name}});
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace hawser::log {

enum class Level : std::uint8_t { debug, info, warn, error };
enum class Format : std::uint8_t { text, json };

// A key and its value, ready to print. Numbers print as JSON numbers.
struct Field {
  std::string_view key;
  std::string value;
  bool is_number = false;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  template <class T>
    requires std::integral<T> || std::floating_point<T>
  Field(std::string_view k, T v) : key(k), value(std::to_string(v)), is_number(true) {}
};
using Fields = std::initializer_list<Field>;

// Sets level and format; call once at start-up, before threads. Without it: info, text.
void configure(Level level, Format format);
[[nodiscard]] bool enabled(Level level);

void write(Level level, std::string_view message, Fields fields = {});
// With the error's id and what was being done as fields "id" and "reason".
void write(Level level, std::string_view message, const Error& error, Fields fields = {});

inline void debug(std::string_view message, Fields fields = {}) { write(Level::debug, message, fields); }
inline void info(std::string_view message, Fields fields = {}) { write(Level::info, message, fields); }
inline void warn(std::string_view message, Fields fields = {}) { write(Level::warn, message, fields); }
inline void error(std::string_view message, Fields fields = {}) { write(Level::error, message, fields); }

// Waits until everything written so far is out. At exit.
void flush();

// The text with NKey seeds, JWTs, and passwords in URLs replaced by "[redacted]".
[[nodiscard]] std::string redact(std::string_view text);

}  // namespace hawser::log
