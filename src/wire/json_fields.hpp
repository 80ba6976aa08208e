// Reads one flat JSON object key by key, and writes one. For info.cpp and connect.cpp.
//
// No tree is built: values go from the text into their place, so that a password is in no memory but its Secret (the
// buffer for strings with escapes is wiped). What is nested deeper is checked and passed over.
//
//   struct Sink : JsonFields { bool field(std::string_view key, const JsonValue& value) override { … } };
//   auto read = read_json_object(text, Errc::wire_bad_info, "INFO", sink);
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace hawser::wire {

struct JsonValue {
  enum class Kind : std::uint8_t { null, boolean, negative, natural, real, string, array, object };
  Kind kind = Kind::null;
  bool element = false;  // one of the array that was announced under this key
  bool boolean = false;
  std::int64_t negative = 0;
  std::uint64_t natural = 0;
  std::string_view text = {};  // valid during the call
};

// Receives the members of the object in their order, repetitions included.
class JsonFields {
 public:
  // An array comes as `array`, then each of its scalars as an `element`. False: the value has a wrong type.
  virtual bool field(std::string_view key, const JsonValue& value) = 0;

 protected:
  ~JsonFields() = default;
};

inline constexpr std::size_t kJsonDepth = 16;

// `what` is for the message: "INFO". The message names a key or a place, never a value.
[[nodiscard]] Result<void> read_json_object(std::string_view json, Errc code, std::string_view what, JsonFields& into);

// As Go's decoder compares keys, for ASCII.
[[nodiscard]] bool same_key(std::string_view a, std::string_view b) noexcept;

// Puts a value into its place; false: a wrong type or out of range. As in Go's decoder null changes nothing.
[[nodiscard]] bool store(bool& place, const JsonValue& value);
[[nodiscard]] bool store(std::string& place, const JsonValue& value);
[[nodiscard]] bool store(Secret& place, const JsonValue& value);
[[nodiscard]] bool store(std::vector<std::string>& place, const JsonValue& value);

template <class Integer>
  requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
[[nodiscard]] bool store(Integer& place, const JsonValue& value) {
  if (value.kind == JsonValue::Kind::null) {
    return true;
  }
  if (value.kind == JsonValue::Kind::natural && std::in_range<Integer>(value.natural)) {
    place = static_cast<Integer>(value.natural);
    return true;
  }
  if (value.kind == JsonValue::Kind::negative && std::in_range<Integer>(value.negative)) {
    place = static_cast<Integer>(value.negative);
    return true;
  }
  return false;
}

// Writes {"key":value,…}; the keys need no escaping.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) { out_ += '{'; }

  void member(std::string_view key, bool value);
  void member(std::string_view key, std::string_view value);
  void member(std::string_view key, const std::vector<std::string>& values);
  template <class Integer>
    requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
  void member(std::string_view key, Integer value) {
    name(key);
    out_ += std::to_string(value);
  }
  void finish() { out_ += '}'; }

 private:
  void name(std::string_view key);
  void quoted(std::string_view text);

  std::string& out_;
  bool first_ = true;
};

}  // namespace hawser::wire
