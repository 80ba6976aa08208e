#include "wire/parser.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include "wire/line.hpp"

namespace hawser::wire {
namespace {

// What the verb is followed by decides how its line is read.
struct Verb {
  std::string_view name;  // lower case
  Op op;
};

constexpr std::array<Verb, 12> kVerbs = {{{"pub", Op::pub},
                                          {"hpub", Op::hpub},
                                          {"sub", Op::sub},
                                          {"unsub", Op::unsub},
                                          {"msg", Op::msg},
                                          {"hmsg", Op::hmsg},
                                          {"ping", Op::ping},
                                          {"pong", Op::pong},
                                          {"+ok", Op::ok},
                                          {"-err", Op::err},
                                          {"info", Op::info},
                                          {"connect", Op::connect}}};

constexpr std::size_t verb_bytes(Op op) {
  for (const Verb& verb : kVerbs) {
    if (verb.op == op) {
      return verb.name.size();
    }
  }
  return 0;
}

constexpr std::string_view kUnknownOperation = "Unknown Protocol Operation";

constexpr std::string_view kNoLineEnd = "no CRLF after the payload";

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Four bytes as one number, letters in lower case. Of other bytes two may become the same: check those.
std::uint32_t lower_word(const char* at) noexcept {
  std::uint32_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word | 0x20202020U;
}

constexpr std::uint32_t word_of(const char (&text)[5]) {
  return std::bit_cast<std::uint32_t>(std::array<char, 4>{text[0], text[1], text[2], text[3]});
}
constexpr char kTabInLowerCase = '\t' | 0x20;

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// Whether the start of `bytes` is the verb, as far as it goes.
bool starts_like(std::string_view bytes, std::string_view verb) {
  const std::size_t n = std::min(bytes.size(), verb.size());
  return std::equal(verb.begin(), verb.begin() + static_cast<std::ptrdiff_t>(n), bytes.begin(),
                    [](char v, char b) { return v == lower(b); });
}

// Whether nats-server, and client libraries, take the verb when this byte follows it.
bool may_follow(Op op, char c) {
  switch (op) {
    case Op::info:
    case Op::connect:  // the JSON may follow at once
    case Op::ping:
    case Op::pong:
    case Op::ok: return true;  // anything up to the line's end is ignored
    case Op::err: return is_blank(c) || c == '\r' || c == '\n';
    default: return is_blank(c);
  }
}

bool may_say(Peer peer, Op op) {
  switch (op) {
    case Op::ping:
    case Op::pong:
    case Op::info: return true;
    case Op::connect:
    case Op::pub:
    case Op::hpub:
    case Op::sub:
    case Op::unsub: return peer == Peer::client;
    case Op::msg:
    case Op::hmsg:
    case Op::ok:
    case Op::err: return peer == Peer::server;
  }
  return false;
}

// nats-server's limit: nine digits, and nothing but digits. -1: not a size.
constexpr std::int64_t parse_size(std::string_view digits) {
  if (digits.empty() || digits.size() > 9) {
    return -1;
  }
  std::int64_t size = 0;
  for (const char c : digits) {
    const unsigned digit = static_cast<unsigned char>(c) - unsigned{'0'};
    if (digit > 9) {
      return -1;
    }
    size = size * 10 + digit;
  }
  return size;
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

// The first word, printable and bounded: enough to know a TLS or HTTP peer by, and nothing of what follows CONNECT.
std::string first_word(std::string_view bytes) {
  constexpr std::size_t kShown = 12;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size() && i < kShown; ++i) {
    const auto c = static_cast<unsigned char>(bytes[i]);
    if (c == ' ' || c == '{' || (i > 0 && (c == '\t' || c == '\r' || c == '\n'))) {
      break;
    }
    if (c > 0x20 && c < 0x7f) {
      text += bytes[i];
    } else {
      text += "\\x";
      text += kHex[c >> 4U];
      text += kHex[c & 15U];
    }
  }
  return text;
}

}  // namespace

Parser::Status Parser::next(std::string_view bytes, Frame& frame) {
  if (wanted_ != 0 || scanned_ != 0 || failed_) [[unlikely]] {
    if (failed_) {
      return Status::error;
    }
    if (wanted_ != 0 && bytes.size() + 1 < wanted_) {
      return Status::more;
    }
    if (scanned_ != 0) {
      const std::size_t from = std::min(scanned_, bytes.size());
      if (bytes.substr(from).find('\n') == std::string_view::npos) {
        return wait_for_line(longest_line_, bytes);
      }
    }
    wanted_ = 0;
    scanned_ = 0;
  }
  const char* at = bytes.data();
  if (bytes.size() > 5) [[likely]] {
    switch (lower_word(at)) {
      case word_of("pub "):
      case word_of({'p', 'u', 'b', kTabInLowerCase, 0}):
        if (is_blank(at[3]) && peer_ == Peer::client) {
          return message<Op::pub>(bytes, frame);
        }
        break;
      case word_of("msg "):
      case word_of({'m', 's', 'g', kTabInLowerCase, 0}):
        if (is_blank(at[3]) && peer_ == Peer::server) {
          return message<Op::msg>(bytes, frame);
        }
        break;
      case word_of("hpub"):
        if (is_blank(at[4]) && peer_ == Peer::client) {
          return message<Op::hpub>(bytes, frame);
        }
        break;
      case word_of("hmsg"):
        if (is_blank(at[4]) && peer_ == Peer::server) {
          return message<Op::hmsg>(bytes, frame);
        }
        break;
      case word_of("ping"):
      case word_of("pong"):
        if (at[4] == '\r' && at[5] == '\n') {
          frame = Frame{};
          frame.op = lower(at[1]) == 'i' ? Op::ping : Op::pong;
          frame.raw = bytes.substr(0, 6);
          return Status::frame;
        }
        break;
      default: break;
    }
  }
  return identify(bytes, frame);
}

void Parser::reset() noexcept {
  wanted_ = scanned_ = longest_line_ = 0;
  failed_ = false;
  error_ = Error{};
  server_text_ = {};
}

// Any verb, whole or not yet.
Parser::Status Parser::identify(std::string_view bytes, Frame& frame) {
  bool possible = false;
  for (const Verb& verb : kVerbs) {
    if (!starts_like(bytes, verb.name)) {
      continue;
    }
    if (bytes.size() <= verb.name.size()) {
      possible = true;
      continue;
    }
    if (!may_follow(verb.op, bytes[verb.name.size()])) {
      continue;
    }
    if (!may_say(peer_, verb.op)) {
      // At a client's -ERR nats-server closes without a word; +OK it passes over, but no client sends one.
      const bool reply = verb.op == Op::ok || verb.op == Op::err;
      return refuse(Errc::wire_unexpected_operation, bytes, "not for this side",
                    reply ? std::string_view{} : kUnknownOperation);
    }
    switch (verb.op) {
      case Op::pub: return message<Op::pub>(bytes, frame);
      case Op::hpub: return message<Op::hpub>(bytes, frame);
      case Op::msg: return message<Op::msg>(bytes, frame);
      case Op::hmsg: return message<Op::hmsg>(bytes, frame);
      case Op::sub: return interest<Op::sub>(bytes, frame);
      case Op::unsub: return interest<Op::unsub>(bytes, frame);
      default: return with_text(verb.op, verb.name.size(), bytes, frame);
    }
  }
  if (possible) {
    return Status::more;
  }
  return refuse(Errc::wire_unknown_operation, bytes, "no operation of the protocol", kUnknownOperation);
}

// Cuts the line after the verb. False: `otherwise` is the answer.
template <Op kOp>
[[gnu::always_inline]] inline bool Parser::read_line(std::string_view bytes, Line& line, Status& otherwise) {
  constexpr std::size_t kVerb = verb_bytes(kOp) + 1;
  const char* first = bytes.data();
  const std::size_t longest = kVerb + line_limit(kOp);
  if constexpr (kOp == Op::pub) {
    const bool cut = line.split_short(first + kVerb, first + bytes.size());
    if (cut && static_cast<std::size_t>(line.end - first) <= longest) [[likely]] {
      return true;
    }
    line.count = 0;
    line.end = nullptr;
  }
  line.split(first + kVerb, first, first + bytes.size());
  if (line.end == nullptr) [[unlikely]] {
    otherwise = wait_for_line(longest, bytes);
    return false;
  }
  const auto length = static_cast<std::size_t>(line.end - first);
  if (length > longest && length - (line.end[-2] == '\r' ? 2 : 1) > longest) [[unlikely]] {
    otherwise = refuse_long_line(bytes);
    return false;
  }
  if (line.stray_cr) [[unlikely]] {
    otherwise = refuse(Errc::wire_bad_arguments, bytes, "a carriage return inside the line");
    return false;
  }
  return true;
}

// PUB subject [reply] total; HPUB … headers total; MSG subject sid [reply] total; HMSG … headers total.
template <Op kOp>
Parser::Status Parser::message(std::string_view bytes, Frame& frame) {
  constexpr bool kHasHeaders = kOp == Op::hpub || kOp == Op::hmsg;
  constexpr bool kHasSid = kOp == Op::msg || kOp == Op::hmsg;
  constexpr std::size_t kSizes = kHasHeaders ? 2 : 1;
  constexpr std::size_t kFixed = (kHasSid ? 2 : 1) + kSizes;
  Line line;
  Status otherwise{};
  if (!read_line<kOp>(bytes, line, otherwise)) [[unlikely]] {
    return otherwise;
  }
  if (line.count != kFixed && line.count != kFixed + 1) [[unlikely]] {
    return refuse(Errc::wire_bad_arguments, bytes, "a wrong number of arguments");
  }
  const std::int64_t total = parse_size(line.arguments[line.count - 1].text());
  const std::int64_t headers = kHasHeaders ? parse_size(line.arguments[line.count - 2].text()) : 0;
  if (total < 0 || headers < 0 || headers > total) [[unlikely]] {
    return refuse(Errc::wire_bad_size, bytes, total < 0 || headers < 0 ? "no size" : "headers longer than the whole");
  }
  const auto total_bytes = static_cast<std::size_t>(total);
  const auto header_bytes = static_cast<std::size_t>(headers);
  if (total_bytes > limits_.payload_bytes) [[unlikely]] {
    return refuse(Errc::wire_payload_too_large, bytes,
                  std::to_string(total) + " bytes, of at most " + std::to_string(limits_.payload_bytes),
                  "Maximum Payload Violation");
  }
  const char* first = bytes.data();
  const std::size_t whole = static_cast<std::size_t>(line.end - first) + total_bytes + 2;
  if (bytes.size() < whole) {
    if (bytes.size() + 1 == whole && first[whole - 2] != '\r') {
      return refuse(Errc::wire_payload_unterminated, bytes, kNoLineEnd, kUnknownOperation);
    }
    wanted_ = whole;
    return Status::more;
  }
  if (first[whole - 2] != '\r' || first[whole - 1] != '\n') [[unlikely]] {
    return refuse(Errc::wire_payload_unterminated, bytes, kNoLineEnd, kUnknownOperation);
  }
  frame.op = kOp;
  frame.raw = {first, whole};
  frame.subject = line.arguments[0].text();
  frame.sid = kHasSid ? line.arguments[1].text() : std::string_view{};
  frame.reply = line.count > kFixed ? line.arguments[kFixed - kSizes].text() : std::string_view{};
  frame.queue = {};
  frame.headers = {line.end, header_bytes};
  frame.payload = {line.end + header_bytes, total_bytes - header_bytes};
  frame.max = 0;
  return Status::frame;
}

// SUB subject [queue] sid; UNSUB sid [max].
template <Op kOp>
Parser::Status Parser::interest(std::string_view bytes, Frame& frame) {
  constexpr std::size_t kLeast = kOp == Op::sub ? 2 : 1;
  Line line;
  Status otherwise{};
  if (!read_line<kOp>(bytes, line, otherwise)) {
    return otherwise;
  }
  if (line.count < kLeast || line.count > kLeast + 1) {
    return refuse(Errc::wire_bad_arguments, bytes, "a wrong number of arguments");
  }
  frame = Frame{};
  frame.op = kOp;
  frame.raw = bytes.substr(0, static_cast<std::size_t>(line.end - bytes.data()));
  if constexpr (kOp == Op::sub) {
    frame.subject = line.arguments[0].text();
    frame.queue = line.count == 3 ? line.arguments[1].text() : std::string_view{};
    frame.sid = line.arguments[line.count - 1].text();
  } else {
    frame.sid = line.arguments[0].text();
    // nats-server takes what is no size, or a longer one, as "at once".
    const std::int64_t max = line.count == 2 ? parse_size(line.arguments[1].text()) : 0;
    frame.max = max > 0 ? static_cast<std::uint64_t>(max) : 0;
  }
  return Status::frame;
}

// CONNECT and INFO {json}, -ERR 'text'; and PING, PONG and +OK, whose text is ignored.
Parser::Status Parser::with_text(Op op, std::size_t verb, std::string_view bytes, Frame& frame) {
  const std::size_t longest = verb + 1 + line_limit(op);
  const std::size_t end = bytes.find('\n');
  if (end == std::string_view::npos) {
    return wait_for_line(longest, bytes);
  }
  std::string_view line = bytes.substr(0, end);
  if (line.back() == '\r') {
    line.remove_suffix(1);
  }
  if (line.size() > longest) {
    return refuse_long_line(bytes);
  }
  frame = Frame{};
  frame.op = op;
  frame.raw = bytes.substr(0, end + 1);
  if (op == Op::info || op == Op::connect || op == Op::err) {
    std::string_view text = trim_blanks(line.substr(verb));
    if (op == Op::err && text.size() >= 2 && text.front() == '\'' && text.back() == '\'') {
      text = text.substr(1, text.size() - 2);
    }
    frame.payload = text;
  }
  return Status::frame;
}

// The line's end is not there. `longest`: what the line may have without it, verb included.
Parser::Status Parser::wait_for_line(std::size_t longest, std::string_view bytes) {
  const std::size_t ending = !bytes.empty() && bytes.back() == '\r' ? 1 : 0;
  if (bytes.size() - ending > longest) {
    return refuse_long_line(bytes);
  }
  scanned_ = bytes.size();
  longest_line_ = longest;
  return Status::more;
}

Parser::Status Parser::refuse_long_line(std::string_view bytes) {
  return refuse(Errc::wire_control_line_too_long, bytes, "the line does not end within its limit",
                "maximum control line exceeded");
}

Parser::Status Parser::refuse(Errc code, std::string_view bytes, std::string_view what, std::string_view server_text) {
  failed_ = true;
  wanted_ = 0;
  error_.code = code;
  error_.doing = peer_ == Peer::client ? "reading from a client: " : "reading from the server: ";
  error_.doing += what;
  error_.doing += ", in \"";
  error_.doing += first_word(bytes);
  error_.doing += "…\"";
  server_text_ = peer_ == Peer::client ? server_text : std::string_view{};
  return Status::error;
}

}  // namespace hawser::wire
