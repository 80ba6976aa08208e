#include "broker/monitor_json.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <fmt/format.h>

namespace hawser::broker {
namespace {

namespace json = boost::json;

// The length of the UTF-8 character at the start of `text`; 0: it is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || length > text.size()) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) {
      return 0;
    }
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool no_character = (first == 0xed && byte(1) >= 0xa0) || (first == 0xf4 && byte(1) >= 0x90);
  return overlong || no_character ? 0 : length;
}

// Subjects may hold any bytes; what is not UTF-8 shows as the replacement character, as Go does it.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (length > 1) {
      out += text.substr(0, length);
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '<' || c == '>' || c == '&') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

void append_line(std::string& out, Form form, std::size_t depth) {
  if (form == Form::pretty) {
    out += '\n';
    out.append(2 * depth, ' ');
  }
}

void append_number(std::string& out, double number) { out += std::isfinite(number) ? fmt::format("{}", number) : "0"; }

}  // namespace

void append_json(std::string& out, const json::value& value, Form form, std::size_t depth) {
  switch (value.kind()) {
    case json::kind::null: out += "null"; return;
    case json::kind::bool_: out += value.get_bool() ? "true" : "false"; return;
    case json::kind::int64: out += fmt::format("{}", value.get_int64()); return;
    case json::kind::uint64: out += fmt::format("{}", value.get_uint64()); return;
    case json::kind::double_: append_number(out, value.get_double()); return;
    case json::kind::string: append_quoted(out, {value.get_string().data(), value.get_string().size()}); return;
    case json::kind::array: {
      out += '[';
      bool first = true;
      for (const json::value& item : value.get_array()) {
        out += first ? "" : ",";
        first = false;
        append_line(out, form, depth + 1);
        append_json(out, item, form, depth + 1);
      }
      if (!first) {
        append_line(out, form, depth);
      }
      out += ']';
      return;
    }
    case json::kind::object: {
      out += '{';
      bool first = true;
      for (const auto& [key, item] : value.get_object()) {
        out += first ? "" : ",";
        first = false;
        append_line(out, form, depth + 1);
        append_quoted(out, {key.data(), key.size()});
        out += form == Form::pretty ? ": " : ":";
        append_json(out, item, form, depth + 1);
      }
      if (!first) {
        append_line(out, form, depth);
      }
      out += '}';
      return;
    }
  }
}

std::string json_text(const json::object& object, Form form) {
  std::string out;
  append_json(out, object, form);
  return out;
}

Document::Document(Form form, const json::object& head, std::string_view list)
    : form_(form), text_(json_text(head, form)) {
  text_.resize(text_.size() - (form == Form::pretty ? 2 : 1));  // the brace and its line
  text_ += ',';
  line(1);
  append_quoted(text_, list);
  text_ += form == Form::pretty ? ": [" : ":[";
}

void Document::line(std::size_t depth) { append_line(text_, form_, depth); }

bool Document::add(const json::value& item) {
  if (text_.size() > kMostBytes) {
    return false;
  }
  if (!empty_) {
    text_ += ',';
  }
  empty_ = false;
  line(2);
  append_json(text_, item, form_, 2);
  return true;
}

std::string Document::finish() && {
  if (!empty_) {
    line(1);
  }
  text_ += ']';
  line(0);
  text_ += '}';
  return std::move(text_);
}

}  // namespace hawser::broker
