#include "broker/message.hpp"

namespace hawser::broker {

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
    form.verb = with_headers ? "HMSG " : "MSG ";
  }
  return form;
}

std::size_t Fanout::write(net::ByteQueue& out, std::string_view sid, bool with_headers) {
  using namespace std::string_view_literals;
  with_headers = with_headers && !message_.headers.empty();
  const Form& made = form(with_headers);
  const std::string_view end(made.end.data(), made.end_bytes);
  const std::string_view body = with_headers ? message_.body : message_.body.substr(message_.headers.size());
  const std::string_view gap = message_.reply.empty() ? ""sv : " "sv;
  if (body.size() >= kShareFrom && recipients_ > 1) {
    out.append_all(made.verb, message_.subject, " "sv, sid, gap, message_.reply, " "sv, end);
    write_body(out, with_headers);
  } else {
    out.append_all(made.verb, message_.subject, " "sv, sid, gap, message_.reply, " "sv, end, body);
  }
  return body.size() - 2;
}

void Fanout::write_body(net::ByteQueue& out, bool with_headers) {
  if (shared_ == nullptr) {
    shared_ = std::make_shared<const std::string>(message_.body);
  }
  out.append_shared(shared_, with_headers ? 0 : message_.headers.size());
}

}  // namespace hawser::broker
