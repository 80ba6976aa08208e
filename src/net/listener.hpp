// A listening TCP socket. Accepted sockets are non-blocking, with TCP_NODELAY.
// When descriptors run out it waits and tries again rather than spin. Belongs to one reactor.
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

  [[nodiscard]] Address address() const { return Address::local_of(fd_.value()); }
  void close() noexcept { fd_.reset(); }
  void on_ready(std::uint32_t events) override;

 private:
  Listener(Reactor& reactor, Fd fd, Accepted accepted);

  Fd fd_;
  Accepted accepted_;
  Timer retry_;
};

}  // namespace hawser::net
