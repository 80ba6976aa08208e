// A message on its way to subscriptions, and its frames as they are written to many of them.
//
// Views into where the message was read; they live until it is delivered. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "net/byte_queue.hpp"
#include "wire/writer.hpp"

namespace hawser::broker {

struct ServiceHop;

struct Message {
  std::string_view subject;
  std::string_view reply;
  std::string_view headers;
  std::string_view body;   // headers, payload and CRLF, together
  std::uint64_t from = 0;  // the client's id; 0: the broker itself
  const ServiceHop* hops = nullptr;  // how it came from another account, as a request or its answer

  [[nodiscard]] std::size_t payload_bytes() const noexcept { return body.size() - headers.size() - 2; }
  [[nodiscard]] std::size_t bytes() const noexcept { return body.size() - 2; }
};

// Writes MSG and HMSG: what all recipients share of the control line is made once, and a large body is copied once for
// all of them.
class Fanout {
 public:
  static constexpr std::size_t kShareFrom = 8192;  // bytes of a body; below, a copy is cheaper than counting holders

  // `recipients`: how many there are at most; `serial` tells one message from the next in a Batch.
  Fanout(const Message& message, std::size_t recipients, std::uint64_t serial = 1) noexcept
      : message_(message), recipients_(recipients), serial_(serial) {}
  Fanout(Message&&, std::size_t, std::uint64_t = 1) = delete;  // it is referred to

  // Returns the bytes of headers and payload that were written.
  std::size_t write(net::ByteQueue& out, std::string_view sid, bool with_headers);

  [[nodiscard]] const Message& message() const noexcept { return message_; }
  [[nodiscard]] std::uint64_t serial() const noexcept { return serial_; }

 private:
  static constexpr std::size_t kEndBytes = 48;  // two sizes and CRLF

  struct Form {
    std::string_view verb;
    std::array<char, kEndBytes> end;  // "5\r\n", after sid and reply
    std::uint8_t end_bytes = 0;       // 0: not made yet
  };

  const Form& form(bool with_headers);
  [[nodiscard]] std::size_t line_bytes(const Form& made, std::string_view sid) const noexcept;
  void write_body(net::ByteQueue& out, bool with_headers);

  const Message& message_;
  std::size_t recipients_;
  std::uint64_t serial_;
  Form plain_;
  Form headed_;
  net::SharedBytes shared_;
};

}  // namespace hawser::broker
