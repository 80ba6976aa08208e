// TLS contexts: what an SSL_CTX is made of, and the SSL objects of single connections. No sockets here: the net room
// moves the bytes.
//
// A Context is immutable but for its bounded caches of sessions (locked), and shared by the connections made from
// it. One material, one context: new material means a new context, so that no ticket outlives the trust that it was
// given under. An SSL object belongs to one thread.
//
//   Result<ContextPtr> context = Context::client(material, {});
//   Result<SslPtr> ssl = (*context)->connect({.host = "nats.example.com", .session_key = "nats.example.com:4222"});
//   … SSL_do_handshake fails with SSL_ERROR_SSL: log(handshake_error(ssl->get()));
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "tls/certificate.hpp"
#include "tls/material.hpp"

struct ssl_st;      // OpenSSL's SSL
struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace hawser::tls {

class Context;
class ServerSessions;
class SessionCache;
using ContextPtr = std::shared_ptr<const Context>;

struct SslFree {
  void operator()(ssl_st* ssl) const noexcept;
};
// Keeps its context alive.
using SslPtr = std::unique_ptr<ssl_st, SslFree>;

enum class Version : std::uint8_t { tls12, tls13 };

// Which roots a peer's chain may end in.
enum class Roots : std::uint8_t {
  material,             // the material's CA set; the system's when the material has none (clients only)
  material_and_system,  // both: for a `nats://` URL that was upgraded
};

struct ClientOptions {
  Version min_version = Version::tls12;
  Roots roots = Roots::material;
  bool dangerous_skip_verify = false;  // accepts any server; posture allows it in development only
};

// SHA-256 of a leaf's public key (CertificateInfo::spki_sha256), lowercase hex.
using Pins = std::set<std::string>;
using PinsPtr = std::shared_ptr<const Pins>;

enum class ClientCertificate : std::uint8_t { none, optional, required };

struct ServerOptions {
  Version min_version = Version::tls12;
  ClientCertificate client_certificate = ClientCertificate::required;
  // Tickets a handshake (with TLS 1.2, one at most) that a client may resume by; 0: none. What they stand for is kept
  // in this context, and no longer than what was verified of the client holds (server_sessions.hpp).
  std::size_t tickets = 0;
  std::string cipher_suites{};  // OpenSSL's list for TLS 1.2; empty: forward secrecy and AEAD only
  std::string tls13_suites{};   // OpenSSL's list for TLS 1.3; empty: all
  std::string groups{};         // "X25519:P-256:P-384" when empty
  Pins pins{};                  // which clients alone may come in, besides what the CAs say; empty: no such list
};

// The server that a client connection goes to.
struct Peer {
  std::string host{};         // name or IP address that was dialled; checked against the certificate, and SNI if a name
  std::string session_key{};  // connections with the same key may resume each other's sessions; empty: never
};

class Context {
 public:
  // Errors: tls_context_failed, tls_no_trust.
  [[nodiscard]] static Result<ContextPtr> client(MaterialPtr material, const ClientOptions& options);
  [[nodiscard]] static Result<ContextPtr> server(MaterialPtr material, const ServerOptions& options);

  // A new connection's SSL, in connect state: SNI and name checking set (the material's server_name before peer.host),
  // and a kept session when there is one. The caller attaches a BIO. Errors: tls_bad_name, tls_context_failed.
  [[nodiscard]] Result<SslPtr> connect(const Peer& peer) const;
  // The same in accept state.
  [[nodiscard]] Result<SslPtr> accept() const;

  // Whether a live peer (its handshake done under an older context) would still be let in under this one: its chain,
  // its name, the CRLs, the time, the pins. Errors: as of handshake_error.
  [[nodiscard]] Result<void> verify_again(ssl_st* live, WallTime now) const;

  [[nodiscard]] const MaterialPtr& material() const noexcept { return material_; }
  [[nodiscard]] ssl_ctx_st* native() const noexcept { return native_.get(); }
  [[nodiscard]] std::size_t kept_sessions() const;  // of either side

  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

 private:
  struct CtxFree {
    void operator()(ssl_ctx_st* ctx) const noexcept;
  };
  explicit Context(MaterialPtr material);
  Result<void> apply(const ClientOptions& options);
  Result<void> apply(const ServerOptions& options);
  Result<void> use_identity();
  Result<void> use_trust(Roots roots);
  Result<SslPtr> open(std::string session_key, std::string expected_name) const;

  MaterialPtr material_;
  PinsPtr pins_;
  bool verifies_ = true;              // the peer must verify, if it has a certificate
  bool requires_certificate_ = true;  // and must have one
  std::shared_ptr<SessionCache> sessions_;
  std::shared_ptr<ServerSessions> server_sessions_;
  std::unique_ptr<ssl_ctx_st, CtxFree> native_;
};

// Why the handshake (or a later SSL_read, SSL_write) failed, from OpenSSL's error queue, the verifier and the peer's
// alert. To be called on the same thread right after the failure; empties the queue. With an empty queue: the peer
// closed in mid-handshake. `doing` names the server name expected, the peer's subject and fingerprint. With TLS 1.3 a
// server judges the client's certificate after the client's handshake has ended: its alert comes out of SSL_read, so
// use this there as well. Errors: TLS-230 … TLS-259.
[[nodiscard]] Error handshake_error(ssl_st* ssl);

// Whether the failure (or alert) says that the peer did not like our certificate.
[[nodiscard]] bool is_certificate_refusal(Errc code);

// What the peer presented, the leaf first; empty when nothing. Before the handshake's end: empty.
[[nodiscard]] std::vector<CertificateInfo> peer_chain(ssl_st* ssl);
// "1.3", "1.2"; and "TLS_AES_128_GCM_SHA256".
[[nodiscard]] std::string_view version_name(const ssl_st* ssl);
[[nodiscard]] std::string_view cipher_name(const ssl_st* ssl);

}  // namespace hawser::tls
