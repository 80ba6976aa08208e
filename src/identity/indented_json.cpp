#include "identity/indented_json.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace hawser::identity {
namespace {

namespace json = boost::json;

void write(const json::value& value, std::size_t level, std::string& out);

void new_line(std::size_t level, std::string& out) {
  out += '\n';
  out.append(2 * level, ' ');
}

// The depth is bounded by the parser that the value came from.
void write(const json::object& object, std::size_t level, std::string& out) {
  out += '{';
  bool first = true;
  for (const json::key_value_pair& member : object) {
    out += first ? "" : ",";
    first = false;
    new_line(level + 1, out);
    out += json::serialize(member.key());
    out += ": ";
    write(member.value(), level + 1, out);
  }
  new_line(level, out);
  out += '}';
}

void write(const json::array& array, std::size_t level, std::string& out) {
  out += '[';
  bool first = true;
  for (const json::value& element : array) {
    out += first ? "" : ",";
    first = false;
    new_line(level + 1, out);
    write(element, level + 1, out);
  }
  new_line(level, out);
  out += ']';
}

void write(const json::value& value, std::size_t level, std::string& out) {
  if (value.is_object() && !value.get_object().empty()) {
    write(value.get_object(), level, out);
  } else if (value.is_array() && !value.get_array().empty()) {
    write(value.get_array(), level, out);
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string indented_json(const json::object& object) {
  std::string out;
  if (object.empty()) {
    return "{}";
  }
  write(object, 0, out);
  return out;
}

}  // namespace hawser::identity
