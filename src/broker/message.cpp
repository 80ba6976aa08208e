#include "broker/message.hpp"

#include <cstring>

namespace hawser::broker {
namespace {
using namespace std::string_view_literals;
constexpr std::string_view kBlank = " ";
}

const Fanout::Form& Fanout::form(bool with_headers) {
  Form& form = with_headers ? headed_ : plain_;
  if (form.end_bytes == 0) {
    char* at = form.end.data();
    if (with_headers) {
      at = wire::write_decimal(at, message_.headers.size());
      *at++ = ' ';
    }
    at = wire::write_decimal(at, with_headers ? message_.bytes() : message_.payload_bytes());
    *at++ = '\r';
    *at++ = '\n';
    form.end_bytes = static_cast<std::uint8_t>(at - form.end.data());
    form.verb = with_headers ? "HMSG "sv : "MSG "sv;
  }
  return form;
}

std::size_t Fanout::write(net::ByteQueue& out, std::string_view sid, bool with_headers) {
  with_headers = with_headers && !message_.headers.empty();
  const Form& made = form(with_headers);
  const std::string_view end(made.end.data(), made.end_bytes);
  const std::string_view body = with_headers ? message_.body : message_.body.substr(message_.headers.size());
  const bool shares = body.size() >= kShareFrom && recipients_ > 1;
  const std::string_view copied = shares ? body.substr(0, 0) : body;
  const std::size_t size = line_bytes(made, sid) + copied.size();
  if (char* at = out.room_for(size)) {
    at = wire::write_short(at, made.verb);
    at = wire::write_short(at, message_.subject);
    *at++ = ' ';
    at = wire::write_short(at, sid);
    *at++ = ' ';
    if (!message_.reply.empty()) {
      at = wire::write_short(at, message_.reply);
      *at++ = ' ';
    }
    at = wire::write_short(at, end);
    std::memcpy(at, copied.data(), copied.size());
    out.grew(size);
  } else {
    for (const std::string_view piece : {made.verb, message_.subject, kBlank, sid, kBlank, message_.reply,
                                         message_.reply.empty() ? std::string_view{} : kBlank, end, copied}) {
      out.append(piece);
    }
  }
  if (shares) {
    write_body(out, with_headers);
  }
  return body.size() - 2;
}

// Verb, subject, sid, reply, sizes, and the blanks between them.
std::size_t Fanout::line_bytes(const Form& made, std::string_view sid) const noexcept {
  const std::size_t reply = message_.reply.empty() ? 0 : message_.reply.size() + 1;
  return made.verb.size() + message_.subject.size() + 1 + sid.size() + 1 + reply + made.end_bytes;
}

void Fanout::write_body(net::ByteQueue& out, bool with_headers) {
  if (shared_ == nullptr) {
    shared_ = std::make_shared<const std::string>(message_.body);
  }
  out.append_shared(shared_, with_headers ? 0 : message_.headers.size());
}

}  // namespace hawser::broker
