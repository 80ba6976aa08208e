#include "rotation/conversation.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

namespace hawser::rotation {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLook = 50ms;  // how late a request to stop may be seen

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<Addresses> resolve(const Endpoint& to) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(to.host.c_str(), std::to_string(to.port).c_str(), &hints, &found);
  if (failed != 0) {
    return fail(Errc::resolve_failed, fmt::format("{}: {}", to.host, ::gai_strerror(failed)));
  }
  return Addresses(found, &::freeaddrinfo);
}

std::unexpected<Error> not_connected(const Endpoint& to, int reason) {
  return fail(Errc::connect_failed, fmt::format("{}: {}", to.authority(), std::strerror(reason)));
}

}  // namespace

Result<std::unique_ptr<Conversation>> Conversation::dial(const Endpoint& to, Time until, std::stop_token stop) {
  const Result<Addresses> addresses = resolve(to);
  if (!addresses) {
    return std::unexpected(addresses.error());
  }
  Result<std::unique_ptr<Conversation>> last = not_connected(to, EADDRNOTAVAIL);
  for (const addrinfo* one = addresses->get(); one != nullptr; one = one->ai_next) {
    net::Fd fd(::socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd || (::connect(fd.value(), one->ai_addr, one->ai_addrlen) != 0 && errno != EINPROGRESS)) {
      last = not_connected(to, errno);
      continue;
    }
    const int raw = fd.value();
    std::unique_ptr<Conversation> line(new Conversation(std::move(fd), until, stop));
    // Each address that is left has its share of the time.
    const Time share = one->ai_next == nullptr ? until : now() + (until - now()) / 2;
    if (Result<void> ready = line->wait(POLLOUT, share, Errc::connect_timeout); !ready) {
      last = fail(ready.error().code, to.authority());
      continue;
    }
    int reason = 0;
    socklen_t size = sizeof reason;
    ::getsockopt(raw, SOL_SOCKET, SO_ERROR, &reason, &size);
    if (reason != 0) {
      last = not_connected(to, reason);
      continue;
    }
    const int on = 1;
    ::setsockopt(raw, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return line;
  }
  return last;
}

Result<void> Conversation::wait(short events, Time until, Errc late) const {
  for (;;) {
    if (stop_.stop_requested()) {
      return fail(Errc::interrupted, "waiting for the other side");
    }
    const Duration left = until - now();
    if (left <= 0ns) {
      return fail(late, "no answer in time");
    }
    pollfd waiting{.fd = fd_.value(), .events = events, .revents = 0};
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(std::min(left, kLook)).count();
    if (::poll(&waiting, 1, static_cast<int>(ms)) > 0) {
      return {};
    }
  }
}

Result<void> Conversation::wait_for_ssl(int result, Time until, Errc late) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return wait(POLLIN, until, late);
    case SSL_ERROR_WANT_WRITE: return wait(POLLOUT, until, late);
    default: return std::unexpected(tls::handshake_error(ssl_.get()));
  }
}

Result<void> Conversation::secure(tls::SslPtr ssl) {
  ssl_ = std::move(ssl);
  if (SSL_set_fd(ssl_.get(), fd_.value()) != 1) {
    return fail(Errc::tls_context_failed, "attaching a socket");
  }
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) {
      return {};
    }
    if (Result<void> waited = wait_for_ssl(result, until_, Errc::handshake_timeout); !waited) {
      return waited;
    }
  }
}

Result<void> Conversation::write(std::string_view bytes) {
  while (!bytes.empty()) {
    ERR_clear_error();
    const auto most = static_cast<int>(std::min<std::size_t>(bytes.size(), 16384));
    const ssize_t sent = ssl_ ? SSL_write(ssl_.get(), bytes.data(), most)
                              : ::send(fd_.value(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (!ssl_ && errno != EAGAIN && errno != EINTR) {
      return fail(Errc::connection_lost, std::strerror(errno));
    }
    Result<void> waited = ssl_ ? wait_for_ssl(static_cast<int>(sent), until_, Errc::accept_timeout)
                               : wait(POLLOUT, until_, Errc::accept_timeout);
    if (!waited) {
      return waited;
    }
  }
  return {};
}

Result<std::size_t> Conversation::read(std::span<char> into) { return read_until(into, until_); }

Result<std::size_t> Conversation::read_until(std::span<char> into, Time until) {
  for (;;) {
    ERR_clear_error();
    const auto most = static_cast<int>(std::min<std::size_t>(into.size(), 16384));
    const ssize_t got =
        ssl_ ? SSL_read(ssl_.get(), into.data(), most) : ::recv(fd_.value(), into.data(), into.size(), 0);
    if (got > 0) {
      return static_cast<std::size_t>(got);
    }
    if (ssl_ ? SSL_get_error(ssl_.get(), static_cast<int>(got)) == SSL_ERROR_ZERO_RETURN : got == 0) {
      return 0;
    }
    if (!ssl_ && errno != EAGAIN && errno != EINTR) {
      return fail(Errc::connection_lost, std::strerror(errno));
    }
    Result<void> waited = ssl_ ? wait_for_ssl(static_cast<int>(got), until, Errc::accept_timeout)
                               : wait(POLLIN, until, Errc::accept_timeout);
    if (!waited) {
      return std::unexpected(waited.error());
    }
  }
}

}  // namespace hawser::rotation
