// Says in time that the certificate or the creds in use end: in the log at each stage (lifetime.hpp), and as metrics.
//
// Belongs to a reactor's thread.
//
//   Expiry expiry(reactor, metrics);
//   expiry.watch(access, material);   // again whenever new ones were taken up
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/lifetime.hpp"
#include "agent/metrics.hpp"
#include "net/reactor.hpp"
#include "session/access.hpp"
#include "tls/material.hpp"

namespace hawser::agent {

class Expiry {
 public:
  Expiry(net::Reactor& reactor, Metrics& metrics);

  void watch(const session::AccessPtr& access, const tls::MaterialPtr& material);

 private:
  struct Watched {
    std::string what;  // "client certificate CN=agent", "creds of kate (UABC…)"
    Errc ends_soon = Errc::internal_error;
    Errc has_ended = Errc::internal_error;
    Lifetime lifetime;
    Stage told = Stage::fine;
  };
  void look();
  static void tell(const Watched& watched);

  Metrics& metrics_;
  std::vector<Watched> watched_;
  net::Timer timer_;
};

}  // namespace hawser::agent
