#include "net/listener.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/log.hpp"

namespace hawser::net {
namespace {
constexpr int kBacklog = 4096;  // thousands may come back at once; the kernel takes it down to its own limit
constexpr int kFewAccepts = 64;                                       // in a turn, however long they take
constexpr Duration kAcceptsPerTurn = std::chrono::milliseconds(5);  // for more than those
constexpr Duration kComplainEvery = std::chrono::seconds(10);

// An invalid descriptor, with errno and the step that failed.
Fd bound(const Address& address, bool only_its_family, const char*& step) {
  step = "socket";
  Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) {
    return fd;
  }
  const int on = 1;
  ::setsockopt(fd.value(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.family() == AF_INET6) {
    const int only = only_its_family ? 1 : 0;
    ::setsockopt(fd.value(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  }
  step = "bind";
  if (::bind(fd.value(), address.raw(), address.size()) != 0) {
    const int why = errno;
    fd.reset();
    errno = why;
  }
  return fd;
}

}  // namespace

Listener::Listener(Reactor& reactor, Fd fd, const Address& asked, Accepted accepted)
    : reactor_(reactor),
      fd_(std::move(fd)),
      asked_(asked),
      accepted_(std::move(accepted)),
      retry_(reactor, [this] { on_ready(0); }) {}

Result<std::unique_ptr<Listener>> Listener::open(Reactor& reactor, const Address& address, Accepted accepted) {
  const char* step = "";
  const auto failed = [&] { return fail(Errc::listen_failed, address.text() + ", " + step + ": " + std::strerror(errno)); };
  Fd fd;
  if (address.is_any()) {
    fd = bound(Address::any_v6(address.port()), false, step);
  }
  // Without IPv6, 0.0.0.0 is IPv4's alone. A port that somebody has is a failure, not a reason to take half of it.
  const bool no_ipv6 = address.is_any() && !fd && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL);
  if (!address.is_any() || no_ipv6) {
    fd = bound(address, true, step);
  }
  if (!fd) {
    return failed();
  }
  step = "listen";
  if (::listen(fd.value(), kBacklog) != 0) {
    return failed();
  }
  const int raw = fd.value();
  std::unique_ptr<Listener> listener(new Listener(reactor, std::move(fd), address, std::move(accepted)));
  if (auto watched = reactor.watch(raw, *listener); !watched) {
    return std::unexpected(watched.error());
  }
  return listener;
}

void Listener::on_ready(std::uint32_t /*events*/) {
  const Time enough = hawser::now() + kAcceptsPerTurn;
  for (int i = 0; i < kFewAccepts || hawser::now() < enough; ++i) {
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
