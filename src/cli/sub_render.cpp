#include "cli/sub_render.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>

#include "wire/headers.hpp"

namespace hawser::cli {
namespace {

// The length of the UTF-8 sequence at the start of `text`, or 0.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length == 0 || text.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return 0;
    }
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool outside = (first == 0xED && byte(1) > 0x9F) || (first == 0xF4 && byte(1) > 0x8F);
  return overlong || outside ? 0 : length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

bool is_c1(std::string_view sequence) {
  return sequence.size() == 2 && static_cast<unsigned char>(sequence[0]) == 0xC2 &&
         static_cast<unsigned char>(sequence[1]) < 0xA0;
}

std::string shown(std::string_view text, const MessageStyle& style) {
  return style.terminal ? safe_for_terminal(text) : std::string(text);
}

// JSON is text whatever a publisher sent: what is not UTF-8 has its bytes replaced. DEL and C1 are legal in JSON, and a
// terminal would obey them.
std::string json_text(const boost::json::value& value) {
  const std::string text = boost::json::serialize(value);
  std::string out;
  out.reserve(text.size() + 1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x7f') {
      out += "\\u007f";
    } else if (is_c1(std::string_view(text).substr(i, 2))) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[++i]));
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string as_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    out += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string base64(std::string_view data) {
  std::string text((data.size() + 2) / 3 * 4 + 1, '\0');  // the last byte is OpenSSL's own end
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(data.data()), static_cast<int>(data.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string render_json(const wire::Frame& message, const MessageFacts& facts, const MessageStyle& style) {
  boost::json::object object;
  object["number"] = facts.number;
  object["subject"] = as_utf8(message.subject);
  if (!message.reply.empty()) {
    object["reply"] = as_utf8(message.reply);
  }
  if (const auto headers = wire::Headers::parse(message.headers); headers && !message.headers.empty()) {
    if (headers->status() != 0) {
      object["status"] = headers->status();
      object["description"] = as_utf8(headers->description());
    }
    boost::json::object fields;
    for (const wire::Header& header : headers->all()) {
      auto& values = fields[as_utf8(header.name)];
      if (values.is_null()) {
        values = boost::json::array();
      }
      values.as_array().emplace_back(as_utf8(header.value));
    }
    object["headers"] = std::move(fields);
  }
  object["size"] = message.payload.size();
  if (!style.headers_only) {
    const bool text = is_utf8(message.payload);
    object[text ? "data" : "data_base64"] = text ? std::string(message.payload) : base64(message.payload);
  }
  std::string line = json_text(object);
  return (facts.rtt ? with_number(std::move(line), "rtt_us", in_microseconds(*facts.rtt)) : line) + '\n';
}

std::string header_lines(const wire::Frame& message, const MessageStyle& style) {
  std::string out;
  const auto headers = wire::Headers::parse(message.headers);
  if (message.headers.empty()) {
    return out;
  }
  if (!headers) {
    return "(headers that are not valid)\n";
  }
  if (headers->status() != 0) {
    out += fmt::format("Status: {} {}\n", headers->status(), shown(headers->description(), style));
  }
  for (const wire::Header& header : headers->all()) {
    out += shown(header.name, style) + ": " + shown(header.value, style) + '\n';
  }
  return out;
}

}  // namespace

std::string safe_for_terminal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    const bool control = length == 1 && (first == 0x7F || (first < 0x20 && first != '\n' && first != '\t'));
    if (length == 0 || control) {
      out += fmt::format("\\x{:02x}", first);
    } else if (is_c1(text.substr(0, length))) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[1]));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string json_string(std::string_view text) { return json_text(boost::json::string(as_utf8(text))); }

std::string with_number(std::string object, std::string_view key, double value) {
  object.pop_back();  // its brace
  return fmt::format("{}{}\"{}\":{}}}", object, object.size() == 1 ? "" : ",", key, value);
}

double in_microseconds(Duration duration) {
  return static_cast<double>(std::chrono::nanoseconds(duration).count() / 100) / 10;
}

std::string short_duration(Duration duration) {
  const auto us = static_cast<double>(std::chrono::nanoseconds(duration).count()) / 1000;
  if (us < 1000) {
    return fmt::format("{:.0f}µs", us);
  }
  return us < 1'000'000 ? fmt::format("{:.2f}ms", us / 1000) : fmt::format("{:.2f}s", us / 1'000'000);
}

std::string render(const wire::Frame& message, const MessageFacts& facts, const MessageStyle& style) {
  if (style.form == MessageForm::json) {
    return render_json(message, facts, style);
  }
  if (style.form == MessageForm::raw) {
    return (style.headers_only ? header_lines(message, style) : shown(message.payload, style)) + '\n';
  }
  std::string out = fmt::format("[#{}] ", facts.number);
  out += facts.rtt ? fmt::format("Received with rtt {}", short_duration(*facts.rtt))
                   : fmt::format("Received on \"{}\"", shown(message.subject, style));
  if (!message.reply.empty()) {
    out += fmt::format(" with reply \"{}\"", shown(message.reply, style));
  }
  out += '\n';
  out += header_lines(message, style);
  if (!style.headers_only) {
    out += (message.headers.empty() ? "" : "\n") + shown(message.payload, style) + '\n';
  }
  return out + '\n';
}

}  // namespace hawser::cli
