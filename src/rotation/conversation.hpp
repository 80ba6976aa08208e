// One connection, used by a thread that waits: for monitoring, admin endpoints and probes.
//
// Every wait ends at `until`, and when `stop` is requested. One thread. TLS by the same contexts as everywhere.
//
//   auto line = Conversation::dial(broker.monitor, until, stop);
//   (*line)->write("GET / HTTP/1.0\r\n\r\n");   (*line)->read(buffer);
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "net/fd.hpp"
#include "rotation/endpoint.hpp"
#include "tls/context.hpp"

namespace hawser::rotation {

class Conversation {
 public:
  // The first address of the name that answers. Errors: resolve_failed, connect_failed, connect_timeout, interrupted.
  [[nodiscard]] static Result<std::unique_ptr<Conversation>> dial(const Endpoint& to, Time until, std::stop_token stop);

  // From here on, TLS. Errors: those of a handshake (TLS-230 …), handshake_timeout, interrupted.
  [[nodiscard]] Result<void> secure(tls::SslPtr ssl);
  // Errors: connection_lost; those of TLS, so a server's late refusal of our certificate; connect_timeout; interrupted.
  [[nodiscard]] Result<void> write(std::string_view bytes);
  // At least one byte, or 0 at the end.
  [[nodiscard]] Result<std::size_t> read(std::span<char> into);
  // The same, for a while: nothing (a retryable error, accept_timeout) is fine.
  [[nodiscard]] Result<std::size_t> read_until(std::span<char> into, Time until);

  [[nodiscard]] ssl_st* ssl() const noexcept { return ssl_.get(); }

 private:
  Conversation(net::Fd fd, Time until, std::stop_token stop)
      : fd_(std::move(fd)), until_(until), stop_(std::move(stop)) {}
  // Until the socket is ready for these events. Errors: `late`, interrupted.
  [[nodiscard]] Result<void> wait(short events, Time until, Errc late) const;
  // Until what the SSL wants; an error when it wants nothing.
  [[nodiscard]] Result<void> wait_for_ssl(int result, Time until, Errc late);

  net::Fd fd_;
  Time until_;
  std::stop_token stop_;
  tls::SslPtr ssl_;
};

}  // namespace hawser::rotation
