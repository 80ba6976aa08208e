// A NATS server that does what a test tells it, on the same reactor as the session under test: it greets, takes CONNECT,
// answers PING, and records; or does none of that, or says and closes what it is told to.
//
//   ScriptedServer server(*reactor);
//   server.info.server_id = "A";
//   … until(*reactor, [&] { return server.newest() != nullptr && server.newest()->subs.size() == 2; });
//   server.newest()->say("MSG orders 1 2\r\nhi\r\n");
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/listener.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"
#include "wire/connect.hpp"
#include "wire/info.hpp"
#include "wire/parser.hpp"
#include "wire/writer.hpp"

namespace hawser::session::test {

class ScriptedServer {
 public:
  class Connection final : public net::Retirable, private net::StreamOwner {
   public:
    Connection(ScriptedServer& server, net::Reactor& reactor, net::Fd fd)
        : server_(server), stream_(reactor, *this), parser_(wire::Peer::client) {
      EXPECT_TRUE(stream_.adopt(std::move(fd)).has_value());
      if (server_.tls && server_.handshake_first) {
        stream_.start_tls(net::test::must(server_.tls->accept()));
      } else {
        greet();
      }
    }

    void say(std::string_view bytes) { stream_.write(bytes); }
    void message(std::string_view subject, std::string_view sid, std::string_view payload) {
      std::string frame;
      wire::append_msg(frame, subject, sid, {}, payload);
      say(frame);
    }
    void say_info() {
      std::string line;
      wire::append_info(line, wire::to_json(server_.info));
      say(line);
    }
    // PONGs that were kept back, in order.
    void answer_pings(std::size_t at_most = SIZE_MAX) {
      for (; unanswered > 0 && at_most > 0; --unanswered, --at_most) {
        say(wire::kPong);
      }
    }
    void end() { stream_.close_when_written(); }
    void drop() {
      stream_.close();
      over = true;
    }
    void stop_reading() { stream_.pause(); }
    void read_on() { stream_.resume(); }
    [[nodiscard]] bool secured() const { return stream_.secured(); }

    std::optional<wire::ConnectOptions> connect;
    std::vector<std::string> subs;     // "SUB orders.> 1"
    std::vector<std::string> unsubs;   // "UNSUB 1 5"
    std::vector<std::string> pubs;     // payloads, in order
    std::vector<std::string> heard;    // every frame's verb, in order; PUB with its payload
    std::size_t pings = 0;
    std::size_t unanswered = 0;
    bool keep_pongs = false;
    bool over = false;
    std::optional<Error> broken;  // the session wrote rubbish

   private:
    void greet() {
      if (server_.greeting) {
        say(*server_.greeting);
      } else {
        say_info();
      }
    }

    std::size_t on_data(net::Stream& /*stream*/, std::string_view bytes) override {
      if (server_.tls && !stream_.secured() && !server_.never_secures) {
        stream_.start_tls(net::test::must(server_.tls->accept()));
        return 0;
      }
      std::size_t used = 0;
      wire::Frame frame;
      while (used < bytes.size() && !over) {
        const auto status = parser_.next(bytes.substr(used), frame);
        if (status == wire::Parser::Status::more) {
          break;
        }
        if (status == wire::Parser::Status::error) {
          broken = parser_.error();
          ADD_FAILURE() << "rubbish from the session: " << broken->message();
          return bytes.size();
        }
        used += frame.raw.size();
        on_frame(frame);
      }
      return used;
    }

    void on_frame(const wire::Frame& frame) {
      std::string line(frame.raw.substr(0, frame.raw.find("\r\n")));
      switch (frame.op) {
        case wire::Op::connect:
          connect = net::test::must(wire::parse_connect(frame.payload));
          heard.emplace_back("CONNECT");
          break;
        case wire::Op::sub:
          heard.push_back(line);
          subs.push_back(std::move(line));
          break;
        case wire::Op::unsub:
          heard.push_back(line);
          unsubs.push_back(std::move(line));
          break;
        case wire::Op::pub:
        case wire::Op::hpub:
          pubs.emplace_back(frame.payload);
          heard.push_back("PUB " + std::string(frame.payload));
          server_.published.emplace_back(frame.payload);
          break;
        case wire::Op::ping:
          ++pings;
          heard.emplace_back("PING");
          if (server_.on_ping && server_.on_ping(*this)) {
            break;
          }
          ++unanswered;
          if (!keep_pongs && server_.answers) {
            answer_pings();
          }
          break;
        default: break;
      }
    }

    void on_secured(net::Stream& /*stream*/) override {
      if (server_.handshake_first) {
        greet();
      }
    }
    void on_closed(net::Stream& /*stream*/, const Error& /*error*/) override { over = true; }

    friend class ScriptedServer;
    ScriptedServer& server_;
    net::Stream stream_;
    wire::Parser parser_;
  };

  explicit ScriptedServer(net::Reactor& reactor, const net::Address& at = *net::Address::parse("127.0.0.1:0"))
      : reactor_(reactor) {
    info.server_id = "SERVER-A";
    info.server_name = "a";
    info.version = "2.9.10";
    info.headers = true;
    info.proto = 1;
    listen(at);
  }
  ~ScriptedServer() {
    close();
    for (auto& connection : connections) {
      connection->stream_.close();
      reactor_.retire(std::move(connection));
    }
  }

  void listen(const net::Address& at) {
    listener_ = net::test::must(net::Listener::open(reactor_, at, [this](net::Fd fd, const net::Address&) {
      connections.push_back(std::make_unique<Connection>(*this, reactor_, std::move(fd)));
    }));
    address = listener_->address();
  }
  // Nobody gets in any more.
  void close() {
    if (listener_) {
      listener_->close();
      reactor_.retire(std::move(listener_));
    }
  }
  void reopen() { listen(address); }
  void require_tls(tls::ContextPtr context) {
    tls = std::move(context);
    info.tls_required = true;
  }

  [[nodiscard]] Connection* newest() const { return connections.empty() ? nullptr : connections.back().get(); }
  [[nodiscard]] std::size_t count() const { return connections.size(); }
  [[nodiscard]] std::uint16_t port() const { return address.port(); }

  wire::ServerInfo info;
  std::optional<std::string> greeting;  // instead of INFO
  tls::ContextPtr tls;
  bool handshake_first = false;
  bool never_secures = false;  // says tls_required and then does nothing
  bool answers = true;         // PING with PONG
  std::function<bool(Connection&)> on_ping;  // true: it has dealt with it
  std::vector<std::unique_ptr<Connection>> connections;
  std::vector<std::string> published;  // payloads of all connections, as they came
  net::Address address;

 private:
  net::Reactor& reactor_;
  std::unique_ptr<net::Listener> listener_;
};

}  // namespace hawser::session::test
