// A listening TCP socket. Accepted sockets are non-blocking, with TCP_NODELAY.
// 0.0.0.0 and :: mean every address of both families, as they do to nats-server; any other address means itself.
// When descriptors run out it waits and tries again rather than spin, and says so now and then. Belongs to one reactor; its
// owner gives it to Reactor::retire().
//
//   auto listener = Listener::open(reactor, *Address::parse("127.0.0.1:4222"), [](Fd fd, const Address& peer) { … });
#pragma once

#include <functional>
#include <memory>

#include "net/address.hpp"
#include "net/reactor.hpp"

namespace hawser::net {

class Listener final : public Watched {
 public:
  using Accepted = std::function<void(Fd, const Address& peer)>;

  // Binds and listens; port 0 takes a free one (see address()).
  [[nodiscard]] static Result<std::unique_ptr<Listener>> open(Reactor& reactor, const Address& address,
                                                              Accepted accepted);

  // As asked for, with the port that was taken.
  [[nodiscard]] Address address() const { return asked_.with_port(Address::local_of(fd_.value()).port()); }
  void close() noexcept { fd_.reset(); }
  void on_ready(std::uint32_t events) override;

 private:
  Listener(Reactor& reactor, Fd fd, const Address& asked, Accepted accepted);
  void complain(int number);

  Reactor& reactor_;
  Fd fd_;
  Address asked_;
  Accepted accepted_;
  Timer retry_;
  Time complained_at_{};
};

}  // namespace hawser::net
