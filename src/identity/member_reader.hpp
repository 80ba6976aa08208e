// Reads one object of a JWT's JSON member by member; what nobody asked for is the rest, to be kept.
//
// The first mistake goes into a fault that all readers of a token share, as "`nats.exports[2].subject` is not a
// string"; reading goes on, and whoever began it asks at the end. As in Go's decoder, null is as if the member were
// absent. Lives while the object does.
//
//   MemberReader members(object, "nats", fault);  members.take("issuer_account", claims.issuer_account);
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace boost::json {
class array;
class object;
class value;
}  // namespace boost::json

namespace hawser::identity {

inline constexpr std::size_t kNameBytes = 4096;         // of a name, before it may reach a log line
inline constexpr std::size_t kTextBytes = 64UL << 10U;  // of a description
inline constexpr std::int64_t kLatestSecond =
    9'000'000'000;  // the year 2255: fits nanoseconds; later than any deadline

class MemberReader {
 public:
  MemberReader(const boost::json::object& object, std::string path, std::string& fault);

  // The value in its place; an absent member leaves the place as it is. Keys are literals.
  void take(std::string_view key, std::string& place, std::size_t max_bytes = kNameBytes);
  void take(std::string_view key, bool& place);
  void take(std::string_view key, std::int64_t& place);
  void take(std::string_view key, std::uint32_t& place, std::uint32_t max);
  void take(std::string_view key, Duration& place);  // nanoseconds
  // Seconds since 1970; 0 means "not set", as in NATS's own tools.
  void take(std::string_view key, std::optional<std::chrono::sys_seconds>& place);
  void take(std::string_view key, std::vector<std::string>& place);

  // For what is nested: the value, or nullptr if it is absent (or, of these kinds, another).
  [[nodiscard]] const boost::json::value* value(std::string_view key);
  [[nodiscard]] const boost::json::object* object(std::string_view key);
  [[nodiscard]] const boost::json::array* array(std::string_view key);

  // "nats.exports[2]".
  [[nodiscard]] std::string path_of(std::string_view key) const;
  [[nodiscard]] std::string path_of(std::string_view key, std::size_t index) const;
  [[nodiscard]] std::string& fault() { return fault_; }
  void refuse(std::string_view key, std::string_view why);

  // The members that were not asked for, as a JSON object; empty if there are none. One that differs from a known one
  // only in case is a fault, since Go's decoder takes it for that.
  [[nodiscard]] std::string rest();

 private:
  const boost::json::object& object_;
  std::string path_;
  std::string& fault_;
  std::vector<std::string_view> known_;
};

// The object of an element of an array; nullptr, and a fault, if it is something else.
[[nodiscard]] const boost::json::object* object_at(const boost::json::array& array, std::size_t index,
                                                   std::string_view path, std::string& fault);
// A string of at most kNameBytes; false if it is something else.
[[nodiscard]] bool read_text(const boost::json::value& value, std::string& place);

}  // namespace hawser::identity
