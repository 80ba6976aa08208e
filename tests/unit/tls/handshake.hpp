// Two SSL objects and the bytes between them, moved by hand: a handshake without a socket.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "tls/context.hpp"
#include "tls/openssl.hpp"

namespace hawser::tls::test {

// One end: an SSL on two memory BIOs.
class End {
 public:
  explicit End(SslPtr ssl) : ssl_(std::move(ssl)) {
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in_, -1);
    SSL_set_bio(ssl_.get(), in_, out_);
  }

  // One step of the handshake, then of reading (where TLS 1.3 brings tickets and late alerts).
  void step() {
    if (error) {
      return;
    }
    ERR_clear_error();
    const bool done = SSL_is_init_finished(ssl_.get()) == 1;
    char byte = 0;
    const int got = done ? SSL_read(ssl_.get(), &byte, 1) : SSL_do_handshake(ssl_.get());
    const int reason = SSL_get_error(ssl_.get(), got);
    if (got <= 0 && reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) {
      error = handshake_error(ssl_.get());
    }
  }

  std::string take_output() {
    std::string bytes(BIO_ctrl_pending(out_), '\0');
    if (!bytes.empty()) {
      BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
    }
    return bytes;
  }

  void give_input(const std::string& bytes) {
    if (!bytes.empty()) {
      BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    }
  }

  void end_of_input() { BIO_set_mem_eof_return(in_, 0); }

  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] bool done() const { return SSL_is_init_finished(ssl_.get()) == 1; }

  std::optional<Error> error;

 private:
  SslPtr ssl_;
  BIO* in_ = nullptr;  // owned by ssl_
  BIO* out_ = nullptr;
};

struct Handshake {
  End client;
  End server;

  Handshake(SslPtr client_ssl, SslPtr server_ssl) : client(std::move(client_ssl)), server(std::move(server_ssl)) {
    for (int i = 0; i < 8; ++i) {  // the longest handshake needs four turns
      client.step();
      server.give_input(client.take_output());
      server.step();
      client.give_input(server.take_output());
    }
  }

  [[nodiscard]] bool ok() const { return client.done() && server.done() && !client.error && !server.error; }
};

}  // namespace hawser::tls::test
