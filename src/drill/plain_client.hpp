// A plain NATS client of the traffic: to a port of this machine, without TLS or credentials, as agents want it. It
// comes back whenever it is lost.
//
// Belongs to its reactor's thread.
//
//   PlainClient client(reactor, resolver, {.port = 4222, .name = "drill-sub-1", .hello = "SUB a 1\r\n"}, user);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/dial.hpp"
#include "net/reactor.hpp"
#include "net/resolver.hpp"
#include "net/stream.hpp"
#include "wire/parser.hpp"

namespace hawser::drill {

class PlainClient;

class PlainClientUser {
 public:
  // The other side has answered a PING behind CONNECT and `hello`.
  virtual void on_ready(PlainClient& client) = 0;
  virtual void on_pong(PlainClient& client) { static_cast<void>(client); }
  virtual void on_message(std::string_view sid, std::string_view payload) {
    static_cast<void>(sid);
    static_cast<void>(payload);
  }
  virtual void on_down(PlainClient& client) = 0;

 protected:
  ~PlainClientUser() = default;
};

struct PlainClientOptions {
  std::uint16_t port = 0;
  std::string name;
  std::string hello;  // frames behind CONNECT, each time
};

class PlainClient final : private net::StreamOwner {
 public:
  // `user` outlives this object.
  PlainClient(net::Reactor& reactor, net::Resolver& resolver, PlainClientOptions options, PlainClientUser& user);
  ~PlainClient();
  PlainClient(const PlainClient&) = delete;
  PlainClient& operator=(const PlainClient&) = delete;

  [[nodiscard]] bool ready() const noexcept { return ready_; }
  // Whole frames; only when ready.
  void write(std::string_view frames) { stream_->write(frames); }
  // Bytes that the socket has not taken.
  [[nodiscard]] std::size_t unsent() const noexcept { return stream_ ? stream_->output().bytes() : 0; }

 private:
  std::size_t on_data(net::Stream& stream, std::string_view bytes) override;
  void on_closed(net::Stream& stream, const Error& error) override;

  void connect();
  void greet();
  void take(const wire::Frame& frame);
  void lose();

  net::Reactor& reactor_;
  net::Resolver& resolver_;
  const PlainClientOptions options_;
  PlainClientUser& user_;
  wire::Parser parser_{wire::Peer::server};
  std::unique_ptr<net::Dial> dial_;
  std::unique_ptr<net::Stream> stream_;
  net::Timer again_;
  bool greeted_ = false;
  bool ready_ = false;
};

}  // namespace hawser::drill
