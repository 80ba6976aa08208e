// The trust that a broker's TLS block states: a context for new handshakes, and the judgement over live connections.
//
// Immutable, shared between threads; one configuration (and one reading of its files), one policy. A new policy has a
// context of its own, so no session ticket outlives the trust that it was given under.
//
//   Result<std::shared_ptr<const TlsPolicy>> policy = TlsPolicy::make(*settings.tls, wall_now());
//   Result<tls::SslPtr> ssl = (*policy)->context().accept();
//   … the handshake fails: log(tls::handshake_error(ssl->get()))   // names the subject and the verifier's reason
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "broker/settings.hpp"
#include "tls/context.hpp"
#include "tls/material.hpp"

namespace hawser::broker {

// What the names of a TLS block mean to OpenSSL.
struct TlsNames {
  std::string tls12_ciphers;  // empty: the defaults
  std::string tls13_suites;   // empty: the defaults
  std::string groups;         // empty: the defaults
  bool tls13_only = false;    // every cipher suite that was named is one of TLS 1.3
};
// Go's names, as nats-server reads them. Errors: broker_bad_tls_option, with the names that there are.
[[nodiscard]] Result<TlsNames> translate_names(const TlsSettings& settings);

class TlsPolicy {
 public:
  // Reads and validates the files: blocking. Errors: TLS-201 … TLS-229, broker_tls_incomplete, broker_bad_tls_option.
  [[nodiscard]] static Result<std::shared_ptr<const TlsPolicy>> make(const TlsSettings& settings, WallTime now);
  // Of material that was loaded before.
  [[nodiscard]] static Result<std::shared_ptr<const TlsPolicy>> make(const TlsSettings& settings,
                                                                     tls::MaterialPtr material);

  // Every handshake under it, resumed ones too, verifies the client's certificate: chain, CRLs, dates and pins.
  [[nodiscard]] const tls::Context& context() const noexcept { return *context_; }

  // After a reload, asked of the new policy: would this client, whose handshake was under an older one, be let in now?
  // Always, when `recheck` is off. Errors: as of the handshake (TLS-230 …), tls_peer_without_certificate,
  // broker_pin_mismatch.
  [[nodiscard]] Result<void> recheck(ssl_st* live, WallTime now) const;
  // Whether this connection's handshake is, or was, under this very policy.
  [[nodiscard]] bool accepted(const ssl_st* ssl) const noexcept;
  // Whether anything that recheck() looks at differs: if not, no connection needs a second look.
  [[nodiscard]] bool same_trust(const TlsPolicy& other) const noexcept;

  [[nodiscard]] const tls::Material& material() const noexcept { return *context_->material(); }
  // When the certificate in use ends, for monitoring.
  [[nodiscard]] WallTime not_after() const noexcept;
  // INFO's tls_verify.
  [[nodiscard]] bool verifies_clients() const noexcept { return verifies_; }

 private:
  TlsPolicy() = default;
  tls::ContextPtr context_;
  std::string trust_id_;
  bool verifies_ = false;
  bool recheck_ = true;
};

}  // namespace hawser::broker
