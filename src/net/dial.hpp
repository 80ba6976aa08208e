// One attempt to connect to HOST:PORT: resolve, then try the addresses in turn, within one time limit.
// Giving it to Reactor::retire() gives up. Belongs to one reactor; the callback is called once, in a turn after start().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/address.hpp"
#include "net/reactor.hpp"
#include "net/resolver.hpp"

namespace hawser::net {

class Dial final : public Retirable {
 public:
  // A connected non-blocking socket with TCP_NODELAY, or why not (NET-3xx, the last address's reason).
  using Done = std::function<void(Result<Fd>)>;

  Dial(Reactor& reactor, Resolver& resolver, Done done);
  ~Dial() override;

  void start(const std::string& host, std::uint16_t port, Duration timeout);
  // No callback from here on.
  void cancel();

 private:
  class Attempt;

  void on_attempt_ready(std::uint32_t events);
  void try_next();
  void finish(Result<Fd> result);

  Reactor& reactor_;
  Resolver& resolver_;
  Done done_;
  Timer deadline_;
  Timer next_;  // the time that one address may take while others wait
  Resolver::Query query_;
  std::string target_;
  std::vector<Address> addresses_;  // those not tried yet, last first
  Duration share_{};
  std::string reason_;
  Errc code_ = Errc::connect_failed;
  std::unique_ptr<Attempt> attempt_;
};

}  // namespace hawser::net
