// One NATS connection by hand, plain or TLS with a client certificate: for opening many, and for holding them, where a
// client library's threads and buffers would be all that is seen. Blocking; one thread.
//
//   TlsContext tls = open_tls("ca.pem", "cert.pem", "key.pem");
//   auto link = RawLink::open("tls://127.0.0.1:4222", tls.get());   // or why not
#pragma once

#include <openssl/ssl.h>

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace hawser::bench {

struct SslFree {
  void operator()(SSL* ssl) const noexcept;
  void operator()(SSL_CTX* context) const noexcept;
  void operator()(SSL_SESSION* session) const noexcept;
};
using TlsContext = std::unique_ptr<SSL_CTX, SslFree>;
using TlsSession = std::unique_ptr<SSL_SESSION, SslFree>;

// TLS 1.3 only, as clients do by themselves. Null: a file cannot be used.
[[nodiscard]] TlsContext open_tls(const std::string& ca, const std::string& cert, const std::string& key);

class RawLink {
 public:
  // As far as the PONG that follows CONNECT. TLS when `tls` is given; a `session` is offered for resumption.
  static std::expected<RawLink, std::string> open(const std::string& url, SSL_CTX* tls, SSL_SESSION* session = nullptr);
  RawLink(RawLink&& other) noexcept;
  RawLink& operator=(RawLink&&) = delete;
  ~RawLink();

  // False: the connection is gone.
  bool subscribe(std::string_view subject);

  [[nodiscard]] bool resumed() const;
  // For the next connection; null without TLS.
  [[nodiscard]] TlsSession session() const;

 private:
  RawLink() = default;
  bool send(std::string_view bytes);
  // Reads up to and with this text; false: the connection ended first, or said something else at length.
  bool read_until(std::string_view text);

  int fd_ = -1;
  std::unique_ptr<SSL, SslFree> ssl_;
};

}  // namespace hawser::bench
