// Writes one object of a JWT's JSON member by member, leaving out what is empty as Go's `omitempty` does. Inside this
// room only.
//
// What cannot be written (members kept as text that are no JSON object) goes into a fault that all writers of a token
// share.
//
//   MemberWriter members(object, fault);  members.put("name", claims.name);
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace boost::json {
class object;
class value;
}  // namespace boost::json

namespace hawser::identity {

class MemberWriter {
 public:
  MemberWriter(boost::json::object& object, std::string& fault) : object_(object), fault_(fault) {}

  void put(std::string_view key, std::string_view text);
  void put(std::string_view key, const std::string& text) { put(key, std::string_view(text)); }
  void put(std::string_view key, const char* text) { put(key, std::string_view(text)); }
  void put(std::string_view key, bool flag);
  void put(std::string_view key, std::int64_t number);
  void put(std::string_view key, Duration duration) {
    put(key, std::int64_t(std::chrono::nanoseconds(duration).count()));
  }
  void put(std::string_view key, std::optional<std::chrono::sys_seconds> time);
  void put(std::string_view key, const std::vector<std::string>& texts);
  // Even if it is empty.
  void put_always(std::string_view key, boost::json::value value);
  // The members of a JSON object as text, but not those that are there already.
  void put_rest(std::string_view unknown);

  [[nodiscard]] std::string& fault() { return fault_; }

 private:
  boost::json::object& object_;
  std::string& fault_;
};

}  // namespace hawser::identity
