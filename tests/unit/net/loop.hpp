// What the tests of this room share: a reactor turned by hand until a condition holds, recording owners of streams, raw
// sockets as scripted peers, and certificates.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "net/address.hpp"
#include "net/fd.hpp"
#include "net/reactor.hpp"
#include "net/stream.hpp"
#include "tls/authority.hpp"
#include "tls/context.hpp"
#include "tls/material.hpp"

namespace hawser::net::test {

using namespace std::chrono_literals;

template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().message();
    std::abort();  // a fixture that is not there leaves nothing to test
  }
  return std::move(*result);
}

// Turns until the condition holds; false when it does not come true in a time that only a defect needs.
inline bool until(Reactor& reactor, const std::function<bool()>& condition, Duration limit = 20s) {
  const Time end = hawser::now() + limit;
  while (!condition()) {
    if (hawser::now() > end) {
      return false;
    }
    reactor.turn(5ms);
  }
  return true;
}

// A fixed number of turns that wait for nothing: to see that something does not happen.
inline void spin(Reactor& reactor, int turns = 5) {
  for (int i = 0; i < turns; ++i) {
    reactor.turn(0ms);
  }
}

// The two ends of a connection, both non-blocking.
inline std::pair<Fd, Fd> socket_pair() {
  int fds[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  return {Fd(fds[0]), Fd(fds[1])};
}

// A TCP connection on loopback.
inline std::pair<Fd, Fd> tcp_pair() {
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address any = must(Address::parse("127.0.0.1:0"));
  EXPECT_EQ(::bind(listener.value(), any.raw(), any.size()), 0);
  EXPECT_EQ(::listen(listener.value(), 1), 0);
  const Address address = Address::local_of(listener.value());
  Fd near(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(near.value(), address.raw(), address.size()), 0);
  Fd far(::accept4(listener.value(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  ::fcntl(near.value(), F_SETFL, O_NONBLOCK);
  return {std::move(near), std::move(far)};
}

inline void set_buffers(int fd, int bytes) {
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

// Closing it resets the connection.
inline void reset_on_close(int fd) {
  const linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

// What can be written or read right now.
inline std::size_t send_some(int fd, std::string_view bytes) {
  const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return n < 0 ? 0 : static_cast<std::size_t>(n);
}

struct Received {
  std::string bytes;
  bool ended = false;
  int error = 0;
};
inline Received receive_some(int fd, std::size_t at_most = 1UL << 20U) {
  Received received;
  received.bytes.resize(at_most);
  const auto n = ::recv(fd, received.bytes.data(), at_most, MSG_DONTWAIT);
  received.ended = n == 0;
  received.error = n < 0 && errno != EAGAIN ? errno : 0;
  received.bytes.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return received;
}

// An owner that records, consumes everything unless told otherwise, and retires its stream with itself.
class End final : public StreamOwner, public Retirable {
 public:
  explicit End(Reactor& reactor) : stream(reactor, *this) {}

  std::size_t on_data(Stream& /*stream*/, std::string_view bytes) override {
    ++shown;
    if (consume) {
      return consume(bytes);
    }
    received += bytes;
    return bytes.size();
  }
  void on_secured(Stream& /*stream*/) override {
    ++secured;
    if (when_secured) {
      when_secured();
    }
  }
  void on_written(Stream& /*stream*/) override {
    ++written;
    if (when_written) {
      when_written();
    }
  }
  void on_closed(Stream& /*stream*/, const Error& error) override {
    EXPECT_FALSE(closed) << "closed twice";
    closed = error;
    if (when_closed) {
      when_closed();
    }
  }

  Stream stream;
  std::string received;
  std::function<std::size_t(std::string_view)> consume;
  std::function<void()> when_secured;
  std::function<void()> when_written;
  std::function<void()> when_closed;
  std::optional<Error> closed;
  int shown = 0;
  int secured = 0;
  int written = 0;
};

// Owns an End and gives it to the reactor at the end, as owners must.
class HeldEnd {
 public:
  HeldEnd(Reactor& reactor, Fd fd) : reactor_(reactor), end_(std::make_unique<End>(reactor)) {
    EXPECT_TRUE(end_->stream.adopt(std::move(fd)).has_value());
  }
  HeldEnd(HeldEnd&&) = default;
  ~HeldEnd() {
    if (end_) {
      retire();
    }
  }
  End* operator->() const { return end_.get(); }
  void retire() {
    end_->stream.close();
    reactor_.retire(std::move(end_));
  }

 private:
  Reactor& reactor_;
  std::unique_ptr<End> end_;
};

// One authority, a server that is "localhost" and a client, as contexts.
class Pki {
 public:
  Pki()
      : authority(must(tls::Authority::create({.name = "Test CA"}))),
        server_cert(issue("localhost", tls::CertUsage::server)),
        client_cert(issue("agent", tls::CertUsage::client)) {}

  [[nodiscard]] tls::MaterialPtr material(tls::Usage usage, const tls::Issued& own) const {
    tls::SourceBytes bytes;
    bytes.cert = own.chain_pem;
    bytes.key = own.key_pem.copy();
    bytes.ca = authority.certificate_pem();
    return must(tls::load(tls::Source{.usage = usage}, bytes, wall_now()));
  }
  [[nodiscard]] tls::ContextPtr server() const {
    return must(tls::Context::server(material(tls::Usage::server, server_cert), {}));
  }
  [[nodiscard]] tls::ContextPtr client() const {
    return must(tls::Context::client(material(tls::Usage::client, client_cert), {}));
  }
  [[nodiscard]] tls::Issued issue(const std::string& name, tls::CertUsage usage) const {
    return must(authority.issue({.common_name = name,
                                 .dns_names = {"localhost"},
                                 .ip_addresses = {"127.0.0.1"},
                                 .usage = usage}));
  }

  tls::Authority authority;
  tls::Issued server_cert;
  tls::Issued client_cert;
};

inline const Pki& pki() {
  static const Pki one;
  return one;
}

inline std::string random_bytes(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& c : bytes) {
    c = static_cast<char>(random());
  }
  return bytes;
}

}  // namespace hawser::net::test
