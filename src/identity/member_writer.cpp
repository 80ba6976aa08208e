#include "identity/member_writer.hpp"

#include <boost/json/value.hpp>

#include "identity/strict_json.hpp"

namespace hawser::identity {

namespace json = boost::json;

void MemberWriter::put_always(std::string_view key, json::value value) {
  object_.insert_or_assign(json::string_view(key), std::move(value));
}

void MemberWriter::put(std::string_view key, std::string_view text) {
  if (!text.empty()) {
    put_always(key, json::value(json::string_view(text)));
  }
}

void MemberWriter::put(std::string_view key, bool flag) {
  if (flag) {
    put_always(key, json::value(true));
  }
}

void MemberWriter::put(std::string_view key, std::int64_t number) {
  if (number != 0) {
    put_always(key, json::value(number));
  }
}

void MemberWriter::put(std::string_view key, std::optional<std::chrono::sys_seconds> time) {
  put(key, time ? std::int64_t(time->time_since_epoch().count()) : std::int64_t(0));
}

void MemberWriter::put(std::string_view key, const std::vector<std::string>& texts) {
  if (texts.empty()) {
    return;
  }
  json::array array;
  array.reserve(texts.size());
  for (const std::string& text : texts) {
    array.emplace_back(json::string_view(text));
  }
  put_always(key, std::move(array));
}

void MemberWriter::put_rest(std::string_view unknown) {
  if (unknown.empty()) {
    return;
  }
  auto members = parse_object(unknown, Errc::jwt_malformed, "writing a JWT: what is kept of another version");
  if (!members) {
    fault_ = members.error().doing;
    return;
  }
  for (json::key_value_pair& member : *members) {
    object_.emplace(member.key(), std::move(member.value()));  // of no effect if it is there
  }
}

}  // namespace hawser::identity
