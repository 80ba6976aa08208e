#include "cli/doctor_second_look.hpp"

#include "cli/command.hpp"

namespace hawser::cli {
namespace {

// Does it say INFO in clear?
bool says_info(ProbeLoop& loop, const net::Address& address, Duration patience) {
  auto fd = loop.dial(address, patience);
  Probe probe(loop, patience);
  return fd && probe.open(std::move(*fd), nullptr, {}) && probe.wait_for_info();
}

// Errors that only somebody who speaks TLS can cause.
bool proves_tls(Errc code) {
  return (code >= Errc::tls_unknown_authority && code <= Errc::tls_protocol_version) ||
         (code >= Errc::tls_no_common_cipher && code <= Errc::tls_refused) || code == Errc::tls_peer_unverified ||
         code == Errc::tls_refused_name;
}

// Nothing: it does not react to TLS, as far as can be seen.
std::optional<Answers> begins_with_tls(ProbeLoop& loop, const net::Address& address, const tls::Context& context,
                                       const tls::Peer& peer, Duration patience) {
  auto fd = loop.dial(address, patience);
  auto ssl = context.connect(peer);
  Probe probe(loop, patience);
  if (!fd || !ssl || !probe.open(std::move(*fd), std::move(*ssl), {})) {
    return std::nullopt;
  }
  if (const auto secured = probe.wait_for_tls(); !secured) {
    const Errc code = secured.error().code;
    return code == Errc::tls_peer_not_tls ? std::optional(Answers::something)
           : proves_tls(code)             ? std::optional(Answers::tls)
                                          : std::nullopt;
  }
  const auto info = probe.wait_for_info();
  if (info) {
    return Answers::nats_within_tls;
  }
  return tls::is_certificate_refusal(info.error().code) ? Answers::tls : Answers::tls_without_nats;
}

bool answers_http(ProbeLoop& loop, const net::Address& address, Duration patience) {
  auto fd = loop.dial(address, patience);
  Probe probe(loop, patience);
  if (!fd || !probe.open(std::move(*fd), nullptr, {})) {
    return false;
  }
  probe.say("GET / HTTP/1.0\r\n\r\n");
  const auto heard = probe.listen(patience);
  return heard && heard->starts_with("HTTP/");
}

Answers look(ProbeLoop& loop, const net::Address& address, const tls::Context& context, const tls::Peer& peer,
             Duration patience) {
  if (says_info(loop, address, patience)) {
    return Answers::nats;
  }
  const auto secure = begins_with_tls(loop, address, context, peer, patience);
  if (secure && *secure != Answers::something) {
    return *secure;
  }
  return answers_http(loop, address, patience) ? Answers::http : secure.value_or(Answers::nobody);
}

}  // namespace

Result<Answers> look_again(ProbeLoop& loop, const net::Address& address, const tls::Context& context,
                           const tls::Peer& peer, Duration patience) {
  const Answers answers = look(loop, address, context, peer, patience);
  if (stop_signal() != 0) {
    return fail(Errc::interrupted, "by signal " + std::to_string(stop_signal()));
  }
  return answers;
}

}  // namespace hawser::cli
