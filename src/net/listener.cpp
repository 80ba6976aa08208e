#include "net/listener.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/log.hpp"

namespace hawser::net {
namespace {
constexpr int kBacklog = 1024;
constexpr int kAcceptsPerTurn = 64;
constexpr Duration kComplainEvery = std::chrono::seconds(10);
}  // namespace

Listener::Listener(Reactor& reactor, Fd fd, Accepted accepted)
    : reactor_(reactor),
      fd_(std::move(fd)),
      accepted_(std::move(accepted)),
      retry_(reactor, [this] { on_ready(0); }) {}

Result<std::unique_ptr<Listener>> Listener::open(Reactor& reactor, const Address& address, Accepted accepted) {
  const auto failed = [&](const char* step) {
    return fail(Errc::listen_failed, address.text() + ", " + step + ": " + std::strerror(errno));
  };
  Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) {
    return failed("socket");
  }
  const int on = 1;
  ::setsockopt(fd.value(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.family() == AF_INET6) {
    ::setsockopt(fd.value(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (::bind(fd.value(), address.raw(), address.size()) != 0) {
    return failed("bind");
  }
  if (::listen(fd.value(), kBacklog) != 0) {
    return failed("listen");
  }
  const int raw = fd.value();
  std::unique_ptr<Listener> listener(new Listener(reactor, std::move(fd), std::move(accepted)));
  if (auto watched = reactor.watch(raw, *listener); !watched) {
    return std::unexpected(watched.error());
  }
  return listener;
}

void Listener::on_ready(std::uint32_t /*events*/) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    if (!fd_) {
      return;
    }
    sockaddr_in6 peer{};
    socklen_t size = sizeof peer;
    Fd fd(::accept4(fd_.value(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) {
        continue;  // that one connection
      }
      if (errno != EAGAIN) {
        complain(errno);
        retry_.start(std::chrono::milliseconds(100));
      }
      return;
    }
    const int on = 1;
    ::setsockopt(fd.value(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    accepted_(std::move(fd), Address::from(reinterpret_cast<const sockaddr*>(&peer), size));
  }
  retry_.start(std::chrono::nanoseconds(1));  // more may wait, and there will be no edge for them
}

// Seldom: each connection that waits is a new edge, and each retry fails as well.
void Listener::complain(int number) {
  if (complained_at_ == Time{} || reactor_.now() - complained_at_ >= kComplainEvery) {
    complained_at_ = reactor_.now();
    log::warn("cannot accept a connection",
              {{"id", error_id(Errc::out_of_descriptors)}, {"reason", std::strerror(number)}});
  }
}

}  // namespace hawser::net
