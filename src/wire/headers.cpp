#include "wire/headers.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace hawser::wire {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_name(std::string_view a, std::string_view b, NameCase name_case) noexcept {
  if (name_case == NameCase::exact || a.size() != b.size()) {
    return a == b;
  }
  return std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool valid_name(std::string_view name) noexcept {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f && c != ':'; });
}

bool valid_value(std::string_view value) noexcept { return value.find_first_of(kLineEnd) == std::string_view::npos; }

// Takes a line off `rest`, without its CRLF; nullopt when there is none, or when a lone CR or LF is in it.
std::optional<std::string_view> take_line(std::string_view& rest) noexcept {
  const std::size_t end = rest.find_first_of(kLineEnd);
  if (end == std::string_view::npos || rest.substr(end, 2) != kLineEnd) {
    return std::nullopt;
  }
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

// "NATS/1.0[ code[ description]]"; nullopt: not that.
std::optional<HeaderStatus> parse_first_line(std::string_view line) noexcept {
  if (!line.starts_with(kHeaderVersion)) {
    return std::nullopt;
  }
  line.remove_prefix(kHeaderVersion.size());
  if (!line.empty() && !is_blank(line.front())) {
    return std::nullopt;  // NATS/1.01
  }
  line = trim(line);
  if (line.empty()) {
    return HeaderStatus{};
  }
  HeaderStatus status;
  const char* end = line.data() + std::min<std::size_t>(line.size(), 3);
  const auto [after, error] = std::from_chars(line.data(), end, status.code);
  if (error != std::errc{} || after != line.data() + 3 || status.code < 100) {
    return std::nullopt;
  }
  line.remove_prefix(3);
  if (!line.empty() && !is_blank(line.front())) {
    return std::nullopt;
  }
  status.description = trim(line);
  return status;
}

std::optional<Header> parse_header(std::string_view line) noexcept {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !valid_name(line.substr(0, colon))) {
    return std::nullopt;
  }
  return Header{line.substr(0, colon), trim(line.substr(colon + 1))};
}

std::unexpected<Error> bad(std::string what) { return fail(Errc::wire_bad_headers, std::move(what)); }

}  // namespace

bool looks_like_headers(std::string_view block) noexcept {
  return block.starts_with(kHeaderVersion) && block.ends_with("\r\n\r\n");
}

HeaderStatus header_status(std::string_view block) noexcept {
  const auto line = take_line(block);
  return line ? parse_first_line(*line).value_or(HeaderStatus{}) : HeaderStatus{};
}

std::optional<std::string_view> find_header(std::string_view block, std::string_view name,
                                            NameCase name_case) noexcept {
  const auto first = take_line(block);
  if (!first || !parse_first_line(*first)) {
    return std::nullopt;
  }
  while (const auto line = take_line(block)) {
    const auto header = parse_header(*line);
    if (!header) {
      return std::nullopt;  // the empty line, or no header
    }
    if (same_name(header->name, name, name_case)) {
      return header->value;
    }
  }
  return std::nullopt;
}

Result<Headers> Headers::parse(std::string_view block) {
  const auto first = take_line(block);
  const auto status = first ? parse_first_line(*first) : std::nullopt;
  if (!status) {
    return bad("the first line is not NATS/1.0");
  }
  Headers headers;
  headers.status_ = *status;
  for (std::size_t number = 2;; ++number) {
    const auto line = take_line(block);
    if (!line) {
      return bad("line " + std::to_string(number) + " does not end in CRLF");
    }
    if (line->empty()) {
      break;
    }
    const auto header = parse_header(*line);
    if (!header) {
      return bad("line " + std::to_string(number) + " is not `Name: value`");
    }
    if (headers.headers_.size() == kMaxHeaders) {
      return bad("more than " + std::to_string(kMaxHeaders) + " headers");
    }
    headers.headers_.push_back(*header);
  }
  if (!block.empty()) {
    return bad("the block goes on after its empty line");
  }
  return headers;
}

std::optional<std::string_view> Headers::first(std::string_view name, NameCase name_case) const {
  for (const Header& header : headers_) {
    if (same_name(header.name, name, name_case)) {
      return header.value;
    }
  }
  return std::nullopt;
}

std::vector<std::string_view> Headers::values(std::string_view name, NameCase name_case) const {
  std::vector<std::string_view> found;
  for (const Header& header : headers_) {
    if (same_name(header.name, name, name_case)) {
      found.push_back(header.value);
    }
  }
  return found;
}

HeaderBuilder::HeaderBuilder() : text_(kHeaderVersion) { text_ += kLineEnd; }

Result<HeaderBuilder> HeaderBuilder::with_status(int code, std::string_view description) {
  if (code < 100 || code > 999 || !valid_value(description)) {
    return bad("a status is 100 to 999, with a description of one line");
  }
  HeaderBuilder builder;
  builder.text_ = std::string(kHeaderVersion) + ' ' + std::to_string(code);
  if (!description.empty()) {
    builder.text_ += ' ';
    builder.text_ += description;
  }
  builder.text_ += kLineEnd;
  return builder;
}

Result<HeaderBuilder> HeaderBuilder::from(std::string_view block) {
  const auto headers = Headers::parse(block);
  if (!headers) {
    return std::unexpected(headers.error());
  }
  HeaderBuilder builder;
  builder.text_ = block.substr(0, block.size() - kLineEnd.size());
  builder.count_ = headers->all().size();
  return builder;
}

Result<void> HeaderBuilder::add(std::string_view name, std::string_view value) {
  if (!valid_name(name)) {
    return bad("a name is printable ASCII without colon or blank");
  }
  if (!valid_value(value)) {
    return bad("a value has a line break");
  }
  if (count_ == kMaxHeaders) {
    return bad("more than " + std::to_string(kMaxHeaders) + " headers");
  }
  if (std::exchange(finished_, false)) {
    text_.resize(text_.size() - kLineEnd.size());
  }
  text_.append(name).append(": ").append(value).append(kLineEnd);
  ++count_;
  return {};
}

std::string_view HeaderBuilder::finish() {
  if (!std::exchange(finished_, true)) {
    text_ += kLineEnd;
  }
  return text_;
}

}  // namespace hawser::wire
