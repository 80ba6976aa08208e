// One connection, made and used step by step, each step a call that waits: what `hawser doctor` looks through.
//
// Main thread only; nothing happens between calls. Every wait is bounded, and ends at ^C (Errc::interrupted). The bytes
// are moved by the same classes as those of a real session (net), and TLS is set up by the same contexts.
//
//   auto loop = ProbeLoop::make();
//   Probe probe(**loop, timeout);
//   probe.open(std::move(fd), std::nullopt, [&](const wire::ServerInfo& info) { return decide(info); });
//   probe.wait_for_info();  probe.wait_for_tls();
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "net/dial.hpp"
#include "net/reactor.hpp"
#include "net/resolver.hpp"
#include "net/stream.hpp"
#include "tls/context.hpp"
#include "wire/info.hpp"
#include "wire/parser.hpp"

namespace hawser::cli {

// A reactor that is turned by whoever waits.
class ProbeLoop {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ProbeLoop>> make();
  ~ProbeLoop();
  ProbeLoop(const ProbeLoop&) = delete;
  ProbeLoop& operator=(const ProbeLoop&) = delete;

  // False when `at_most` passed before done(). Error: interrupted.
  [[nodiscard]] Result<bool> wait(const std::function<bool()>& done, Duration at_most);
  // Errors: resolve_failed, interrupted.
  [[nodiscard]] Result<std::vector<net::Address>> resolve(const std::string& host, std::uint16_t port,
                                                          Duration at_most);
  // Errors: those of net::Dial, interrupted.
  [[nodiscard]] Result<net::Fd> dial(const net::Address& address, Duration at_most);
  [[nodiscard]] net::Reactor& reactor() noexcept { return *reactor_; }

 private:
  class StopEvent;

  ProbeLoop();

  std::unique_ptr<net::Reactor> reactor_;
  std::unique_ptr<StopEvent> stop_event_;
  net::Resolver resolver_;
};

class Probe {
 public:
  // What becomes of the connection when the server has said INFO: an SSL for TLS, null to go on in clear.
  using OnInfo = std::function<Result<tls::SslPtr>(const wire::ServerInfo&)>;

  Probe(ProbeLoop& loop, Duration patience);
  ~Probe();
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  // Takes over a connected socket; with an SSL, TLS begins at once.
  [[nodiscard]] Result<void> open(net::Fd fd, tls::SslPtr tls_first, OnInfo on_info);
  // Errors: what ended the connection; info_timeout, handshake_timeout; what on_info answered; interrupted.
  [[nodiscard]] Result<wire::ServerInfo> wait_for_info();
  [[nodiscard]] Result<void> wait_for_tls();

  // Sends, and wipes it once it was sent.
  void say(const Secret& frames);
  void say(std::string_view frames);
  // Sends PING, and waits for its PONG. Errors: accept_timeout; what ended the connection, so the server's -ERR if it
  // was a last word; interrupted.
  [[nodiscard]] Result<Duration> round_trip();
  // The -ERR that the connection survived, since the last call.
  [[nodiscard]] std::vector<std::string> take_complaints();
  // Waits for any byte at all, which on_info never sees: for a peer that may not be NATS. Nothing: silence.
  [[nodiscard]] Result<std::string> listen(Duration at_most);

  [[nodiscard]] bool secured() const;
  [[nodiscard]] ssl_st* ssl() const;                   // null without TLS
  [[nodiscard]] const wire::ServerInfo& info() const;  // the last one
  // The server's last -ERR, when that is what ended the connection; empty otherwise.
  [[nodiscard]] const std::string& last_words() const;

 private:
  class Line;

  ProbeLoop& loop_;
  const Duration patience_;
  std::unique_ptr<Line> line_;
};

}  // namespace hawser::cli
