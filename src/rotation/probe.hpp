// Does a broker take this certificate, or this credential? A connection by NATS's rules (INFO, then TLS), until the
// broker has judged it.
//
// With TLS 1.3 a server judges the client's certificate after the client's handshake has ended, so silence is not
// acceptance: PONG, or any -ERR of the NATS protocol, is. Only an alert about the certificate is a refusal; a
// connection that breaks is neither. A credential is accepted by PONG alone, and refused by the words of NATS for it;
// it is never sent without TLS. Blocking; thread-safe.
//
//   Result<Verdict> verdict = probe(broker, *old_certificate, until, stop);
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "identity/credential.hpp"
#include "rotation/plan.hpp"
#include "tls/context.hpp"

namespace hawser::rotation {

struct Verdict {
  bool accepted = false;
  std::string server_certificate{};  // SHA-256 of what the broker presented itself, lowercase hex
  std::string seen{};                // "PONG", "-ERR 'Authorization Violation'", "tlsv1 alert unknown ca"
};

// `identity`: a client's context with the certificate, and with what the broker itself is verified by. Errors: what
// kept the broker from judging: those of Conversation, info_timeout, not_a_nats_server, tls_*.
[[nodiscard]] Result<Verdict> probe(const Broker& broker, const tls::Context& identity, Time until,
                                    const std::stop_token& stop);

// Pure: whether a line of the broker, "-ERR 'Authorization Violation'", says that it does not take the credential, and
// nothing else: that it is full, for one, says nothing of it.
[[nodiscard]] bool is_refusal_of_credential(std::string_view answer);

// What is presented: a credential, and a token beside it, if there is one.
struct Presented {
  const identity::Credential& credential;
  const Secret* token = nullptr;
};

// The same of these; `caller`: with the certificate that mutual TLS needs besides, if it does. A refusal of that one is
// an error here.
[[nodiscard]] Result<Verdict> probe_credential(const Broker& broker, const tls::Context& caller,
                                               const Presented& presented, Time until, const std::stop_token& stop);

}  // namespace hawser::rotation
