#include "wire/json_fields.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <optional>

namespace hawser::wire {
namespace {

namespace json = boost::json;
using json::error_code;

// Receives Boost.JSON's events and passes on those of the outermost object.
class Events {
 public:
  static constexpr std::size_t max_object_size = 4096;
  static constexpr std::size_t max_array_size = 65536;
  static constexpr std::size_t max_key_size = 4096;
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);  // the text itself is bounded

  Events(JsonFields& fields, std::size_t text_bytes) : fields_(fields), text_bytes_(text_bytes) {}
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  ~Events() { wipe(parts_); }

  [[nodiscard]] const std::string& fault() const { return fault_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& ec) {
    return (depth_ == 0 || pass({.kind = JsonValue::Kind::object}, ec)) && enter();
  }
  bool on_object_end(std::size_t, error_code&) { return leave(); }
  bool on_array_begin(error_code& ec) {
    const bool outer = depth_ == 1;
    if (!pass({.kind = JsonValue::Kind::array}, ec)) {
      return false;
    }
    in_array_ = in_array_ || outer;
    return enter();
  }
  bool on_array_end(std::size_t, error_code&) {
    in_array_ = in_array_ && depth_ != 2;
    return leave();
  }
  bool on_key_part(json::string_view part, std::size_t, error_code&) { return keep(part); }
  bool on_key(json::string_view part, std::size_t, error_code&) {
    if (depth_ == 1) {
      key_ = parts_;
      key_.append(part.data(), part.size());
    }
    parts_.clear();
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, error_code&) { return keep(part); }
  bool on_string(json::string_view part, std::size_t, error_code& ec) {
    if (parts_.empty()) {
      return pass({.kind = JsonValue::Kind::string, .text = {part.data(), part.size()}}, ec);
    }
    keep(part);
    const bool ok = pass({.kind = JsonValue::Kind::string, .text = parts_}, ec);
    parts_.clear();
    return ok;
  }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, error_code& ec) {
    return value < 0 ? pass({.kind = JsonValue::Kind::negative, .negative = value}, ec)
                     : pass({.kind = JsonValue::Kind::natural, .natural = static_cast<std::uint64_t>(value)}, ec);
  }
  bool on_uint64(std::uint64_t value, json::string_view, error_code& ec) {
    return pass({.kind = JsonValue::Kind::natural, .natural = value}, ec);
  }
  bool on_double(double, json::string_view, error_code& ec) { return pass({.kind = JsonValue::Kind::real}, ec); }
  bool on_bool(bool value, error_code& ec) { return pass({.kind = JsonValue::Kind::boolean, .boolean = value}, ec); }
  bool on_null(error_code& ec) { return pass({.kind = JsonValue::Kind::null}, ec); }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

 private:
  bool enter() {
    ++depth_;
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }
  bool keep(json::string_view part) {
    if (parts_.capacity() < text_bytes_) {
      parts_.reserve(text_bytes_);  // once, so that growing leaves no copies behind
    }
    parts_.append(part.data(), part.size());
    return true;
  }
  bool pass(JsonValue value, error_code& ec) {
    value.element = in_array_ && depth_ == 2;
    if (depth_ == 0) {
      fault_ = "it is no object";
    } else if (depth_ > 1 && !value.element) {
      return true;
    } else if (fields_.field(key_, value)) {
      return true;
    } else {
      fault_ = "\"" + key_ + "\" has a wrong type";
    }
    ec = json::error::incomplete;  // any will do: fault_ is what is said
    return false;
  }

  JsonFields& fields_;
  std::size_t text_bytes_;
  std::size_t depth_ = 0;
  bool in_array_ = false;
  std::string key_;
  std::string parts_;
  std::string fault_;
};

}  // namespace

Result<void> read_json_object(std::string_view text, Errc code, std::string_view what, JsonFields& into) {
  json::parse_options options;
  options.max_depth = kJsonDepth;
  json::basic_parser<Events> parser(options, into, text.size());
  error_code ec;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && read < text.size()) {
    ec = json::error::extra_data;
  }
  if (!ec) {
    return {};
  }
  const std::string& fault = parser.handler().fault();
  std::string doing = "reading " + std::string(what) + ": ";
  doing += fault.empty() ? ec.message() + " at byte " + std::to_string(read) : fault;
  return fail(code, std::move(doing));
}

bool same_key(std::string_view a, std::string_view b) noexcept {
  constexpr auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

bool store(bool& place, const JsonValue& value) {
  if (value.kind == JsonValue::Kind::boolean) {
    place = value.boolean;
    return true;
  }
  return value.kind == JsonValue::Kind::null;
}

bool store(std::string& place, const JsonValue& value) {
  if (value.kind == JsonValue::Kind::string) {
    place = value.text;
    return true;
  }
  return value.kind == JsonValue::Kind::null;
}

bool store(Secret& place, const JsonValue& value) {
  if (value.kind == JsonValue::Kind::string) {
    place = Secret(value.text);
    return true;
  }
  return value.kind == JsonValue::Kind::null;
}

bool store(std::vector<std::string>& place, const JsonValue& value) {
  if (value.kind == JsonValue::Kind::array && !value.element) {
    place.clear();
    return true;
  }
  if (value.kind == JsonValue::Kind::string && value.element) {
    place.emplace_back(value.text);
    return true;
  }
  return value.kind == JsonValue::Kind::null;
}

void JsonWriter::name(std::string_view key) {
  if (!std::exchange(first_, false)) {
    out_ += ',';
  }
  out_.append("\"").append(key).append("\":");
}

void JsonWriter::quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out_ += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (byte < 0x20) {  // CR and LF among them: the object stays one line
      out_.append("\\u00") += kHex[byte >> 4U];
      out_ += kHex[byte & 15U];
    } else {
      out_ += c;
    }
  }
  out_ += '"';
}

void JsonWriter::member(std::string_view key, bool value) {
  name(key);
  out_ += value ? "true" : "false";
}

void JsonWriter::member(std::string_view key, std::string_view value) {
  name(key);
  quoted(value);
}

void JsonWriter::member(std::string_view key, const std::vector<std::string>& values) {
  name(key);
  out_ += '[';
  bool first = true;
  for (const std::string& value : values) {
    if (!std::exchange(first, false)) {
      out_ += ',';
    }
    quoted(value);
  }
  out_ += ']';
}

}  // namespace hawser::wire
