// One blocking connection to the broker, plain or TLS, with a bound on every wait. Throws std::runtime_error.
//
//   Link link({.port = 4222, .ca = "ca.crt"}); link.login("good"); link.send("PING\r\n"); link.expect("PONG\r\n");
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <openssl/ssl.h>
#include <string>
#include <string_view>

namespace abuse {

struct LinkOptions {
  std::uint16_t port = 0;
  std::string ca = {};    // empty: plain
  std::string cert = {};  // the client's own; empty: none
  std::string key = {};
  int tls_version = TLS1_3_VERSION;
};

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

class Link {
 public:
  // Connects, reads INFO, and has a handshake if it is to be TLS.
  explicit Link(const LinkOptions& options);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // CONNECT and PING, until the PONG.
  void login(std::string_view user);
  void send(std::string_view bytes);
  // What there is, or what comes within the time; empty: nothing.
  std::string receive(std::chrono::milliseconds within);
  void expect(std::string_view what);
  // False: the socket took nothing in time.
  [[nodiscard]] bool try_send(std::string_view bytes);

  [[nodiscard]] SSL* ssl() const noexcept { return ssl_.get(); }
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  void handshake(const LinkOptions& options);
  int fd_ = -1;
  std::unique_ptr<SSL_CTX, SslFree> context_;
  std::unique_ptr<SSL, SslFree> ssl_;
  std::string kept_;
};

}  // namespace abuse
