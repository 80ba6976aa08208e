#include "wire/writer.hpp"

#include <charconv>
#include <cstring>

namespace hawser::wire {
namespace {

char* put(char* at, std::string_view text) noexcept {
  if (!text.empty()) {
    std::memcpy(at, text.data(), text.size());
  }
  return at + text.size();
}

char* put_word(char* at, std::string_view text) noexcept {
  at = put(at, text);
  *at = ' ';
  return at + 1;
}

char* put_line_end(char* at) noexcept { return put(at, "\r\n"); }

// "subject [sid ][reply ][headers ]total\r\n"
char* put_message_line(char* at, std::string_view verb, std::string_view subject, std::string_view sid,
                       std::string_view reply, std::size_t headers_bytes, std::size_t payload_bytes) noexcept {
  at = put_word(at, verb);
  at = put_word(at, subject);
  if (!sid.empty()) {
    at = put_word(at, sid);
  }
  if (!reply.empty()) {
    at = put_word(at, reply);
  }
  if (headers_bytes != 0) {
    at = write_decimal(at, headers_bytes);
    *at++ = ' ';
  }
  at = write_decimal(at, headers_bytes + payload_bytes);
  return put_line_end(at);
}

// Grows `out` once, by at most `bound`, to what `fill` writes.
template <class Fill>
void append_filled(std::string& out, std::size_t bound, Fill fill) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + bound, [&](char* data, std::size_t) noexcept {
    return static_cast<std::size_t>(fill(data + before) - data);
  });
}

void append_message(std::string& out, std::string_view verb, std::string_view subject, std::string_view sid,
                    std::string_view reply, std::string_view headers, std::string_view payload) {
  const std::size_t arguments = subject.size() + sid.size() + reply.size();
  append_filled(out, line_bound(arguments) + headers.size() + payload.size() + 2, [&](char* at) noexcept {
    at = put_message_line(at, verb, subject, sid, reply, headers.size(), payload.size());
    return put_line_end(put(put(at, headers), payload));
  });
}

void append_line(std::string& out, std::string_view verb, std::string_view text) {
  append_filled(out, verb.size() + text.size() + 3,
                [&](char* at) noexcept { return put_line_end(put(put_word(at, verb), text)); });
}

}  // namespace

char* write_long_decimal(char* at, std::uint64_t value) noexcept { return std::to_chars(at, at + 20, value).ptr; }

void append_pub(std::string& out, std::string_view subject, std::string_view reply, std::string_view payload) {
  append_message(out, "PUB", subject, {}, reply, {}, payload);
}

void append_hpub(std::string& out, std::string_view subject, std::string_view reply, std::string_view headers,
                 std::string_view payload) {
  append_message(out, "HPUB", subject, {}, reply, headers, payload);
}

void append_msg(std::string& out, std::string_view subject, std::string_view sid, std::string_view reply,
                std::string_view payload) {
  append_message(out, "MSG", subject, sid, reply, {}, payload);
}

void append_hmsg(std::string& out, std::string_view subject, std::string_view sid, std::string_view reply,
                 std::string_view headers, std::string_view payload) {
  append_message(out, "HMSG", subject, sid, reply, headers, payload);
}

void append_sub(std::string& out, std::string_view subject, std::string_view queue, std::string_view sid) {
  append_filled(out, line_bound(subject.size() + queue.size() + sid.size()), [&](char* at) noexcept {
    at = put_word(put_word(at, "SUB"), subject);
    if (!queue.empty()) {
      at = put_word(at, queue);
    }
    return put_line_end(put(at, sid));
  });
}

void append_unsub(std::string& out, std::string_view sid, std::uint64_t max) {
  append_filled(out, line_bound(sid.size()), [&](char* at) noexcept {
    at = put(put_word(at, "UNSUB"), sid);
    if (max != 0) {
      *at++ = ' ';
      at = write_decimal(at, max);
    }
    return put_line_end(at);
  });
}

void append_connect(std::string& out, std::string_view json) { append_line(out, "CONNECT", json); }

// nats-server has a blank before the line's end here, and some clients have come to expect it.
void append_info(std::string& out, std::string_view json) {
  append_filled(out, json.size() + 8,
                [&](char* at) noexcept { return put_line_end(put_word(put_word(at, "INFO"), json)); });
}

void append_err(std::string& out, std::string_view text) {
  append_filled(out, text.size() + 9, [&](char* at) noexcept {
    at = put(at, "-ERR '");
    for (const char c : text) {
      *at++ = c == '\r' || c == '\n' ? ' ' : c;
    }
    return put(at, "'\r\n");
  });
}

std::string_view write_msg_line(std::span<char> room, std::string_view subject, std::string_view sid,
                                std::string_view reply, std::size_t headers_bytes, std::size_t payload_bytes) noexcept {
  if (room.size() < line_bound(subject.size() + sid.size() + reply.size())) {
    return {};
  }
  const char* end = put_message_line(room.data(), headers_bytes != 0 ? "HMSG" : "MSG", subject, sid, reply,
                                     headers_bytes, payload_bytes);
  return {room.data(), static_cast<std::size_t>(end - room.data())};
}

std::string_view write_pub_line(std::span<char> room, std::string_view subject, std::string_view reply,
                                std::size_t headers_bytes, std::size_t payload_bytes) noexcept {
  if (room.size() < line_bound(subject.size() + reply.size())) {
    return {};
  }
  const char* end = put_message_line(room.data(), headers_bytes != 0 ? "HPUB" : "PUB", subject, {}, reply,
                                     headers_bytes, payload_bytes);
  return {room.data(), static_cast<std::size_t>(end - room.data())};
}

}  // namespace hawser::wire
