#include "identity/member_reader.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace hawser::identity {
namespace {

namespace json = boost::json;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_but_for_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

MemberReader::MemberReader(const json::object& object, std::string path, std::string& fault)
    : object_(object), path_(std::move(path)), fault_(fault) {}

std::string MemberReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + '.' + std::string(key);
}

std::string MemberReader::path_of(std::string_view key, std::size_t index) const {
  return path_of(key) + '[' + std::to_string(index) + ']';
}

void MemberReader::refuse(std::string_view key, std::string_view why) {
  if (fault_.empty()) {
    fault_ = '`' + path_of(key) + "` " + std::string(why);
  }
}

const json::value* MemberReader::value(std::string_view key) {
  known_.push_back(key);
  const json::value* value = object_.if_contains(json::string_view(key));
  return value == nullptr || value->is_null() ? nullptr : value;
}

const json::object* MemberReader::object(std::string_view key) {
  const json::value* found = value(key);
  if (found != nullptr && !found->is_object()) {
    refuse(key, "is not an object");
    return nullptr;
  }
  return found == nullptr ? nullptr : &found->get_object();
}

const json::array* MemberReader::array(std::string_view key) {
  const json::value* found = value(key);
  if (found != nullptr && !found->is_array()) {
    refuse(key, "is not an array");
    return nullptr;
  }
  return found == nullptr ? nullptr : &found->get_array();
}

void MemberReader::take(std::string_view key, std::string& place, std::size_t max_bytes) {
  const json::value* found = value(key);
  if (found == nullptr) {
    return;
  }
  if (!found->is_string()) {
    refuse(key, "is not a string");
  } else if (found->get_string().size() > max_bytes) {
    refuse(key, "is over " + std::to_string(max_bytes) + " bytes");
  } else {
    place.assign(found->get_string().data(), found->get_string().size());
  }
}

void MemberReader::take(std::string_view key, bool& place) {
  const json::value* found = value(key);
  if (found != nullptr && !found->is_bool()) {
    refuse(key, "is neither true nor false");
  } else if (found != nullptr) {
    place = found->get_bool();
  }
}

void MemberReader::take(std::string_view key, std::int64_t& place) {
  const json::value* found = value(key);
  if (found != nullptr && !found->is_int64()) {  // what fits neither is uint64 or a double
    refuse(key, "is not a whole number of 64 bits");
  } else if (found != nullptr) {
    place = found->get_int64();
  }
}

void MemberReader::take(std::string_view key, std::uint32_t& place, std::uint32_t max) {
  std::int64_t number = place;
  take(key, number);
  if (number < 0 || number > max) {
    refuse(key, "is not between 0 and " + std::to_string(max));
  } else {
    place = static_cast<std::uint32_t>(number);
  }
}

void MemberReader::take(std::string_view key, Duration& place) {
  std::int64_t nanoseconds = std::chrono::nanoseconds(place).count();
  take(key, nanoseconds);
  place = std::chrono::nanoseconds(nanoseconds);
}

void MemberReader::take(std::string_view key, std::optional<std::chrono::sys_seconds>& place) {
  std::int64_t seconds = 0;
  take(key, seconds);
  if (seconds < 0) {
    refuse(key, "is negative");
  } else if (seconds > 0) {
    place = std::chrono::sys_seconds(std::chrono::seconds(std::min(seconds, kLatestSecond)));
  }
}

void MemberReader::take(std::string_view key, std::vector<std::string>& place) {
  const json::array* elements = array(key);
  if (elements == nullptr) {
    return;
  }
  place.clear();
  place.reserve(elements->size());
  for (const json::value& element : *elements) {
    if (!read_text(element, place.emplace_back())) {
      refuse(key, "holds what is no string, or one that is too long");
      return;
    }
  }
}

std::string MemberReader::rest() {
  json::object unknown;
  for (const json::key_value_pair& member : object_) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::ranges::find(known_, name) != known_.end()) {
      continue;
    }
    const auto alike = std::ranges::find_if(known_, [&](std::string_view key) { return same_but_for_case(key, name); });
    if (alike != known_.end()) {
      refuse(*alike, "is written with other capitals");
    }
    unknown.emplace(member.key(), member.value());
  }
  return unknown.empty() ? std::string() : json::serialize(unknown);
}

const json::object* object_at(const json::array& array, std::size_t index, std::string_view path, std::string& fault) {
  if (array[index].is_object()) {
    return &array[index].get_object();
  }
  if (fault.empty()) {
    fault = '`' + std::string(path) + "` is not an object";
  }
  return nullptr;
}

bool read_text(const json::value& value, std::string& place) {
  if (!value.is_string() || value.get_string().size() > kNameBytes) {
    return false;
  }
  place.assign(value.get_string().data(), value.get_string().size());
  return true;
}

}  // namespace hawser::identity
