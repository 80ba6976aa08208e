// A session on a reactor of its own, with a user who records, and access to scripted servers.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/loop.hpp"
#include "posture/evaluate.hpp"
#include "session/access.hpp"
#include "session/scripted_server.hpp"
#include "session/session.hpp"

namespace hawser::session::test {

using namespace std::chrono_literals;
using net::test::must;
using net::test::pki;
using net::test::spin;

class RecordingUser final : public SessionUser {
 public:
  void on_messages(std::string_view bytes, std::size_t count) override {
    frames += bytes;
    wire::Parser parser(wire::Peer::server);
    wire::Frame frame;
    std::size_t seen = 0;
    while (!bytes.empty() && parser.next(bytes, frame) == wire::Parser::Status::frame) {
      payloads.emplace_back(frame.payload);
      bytes.remove_prefix(frame.raw.size());
      ++seen;
    }
    EXPECT_TRUE(bytes.empty()) << "not whole frames: " << bytes;
    EXPECT_EQ(seen, count);
  }
  void on_flushed(std::uint64_t token) override {
    EXPECT_TRUE(flushed.empty() || flushed.back() < token);
    flushed.push_back(token);
  }
  void on_client_error(std::string_view text) override { errors.emplace_back(text); }
  void on_up(const wire::ServerInfo& info) override { ups.push_back(info); }
  void on_down(const Error& error) override { downs.push_back(error); }
  void on_relieved() override { ++relieved; }

  [[nodiscard]] bool was_flushed(std::uint64_t token) const { return !flushed.empty() && flushed.back() >= token; }

  std::string frames;
  std::vector<std::string> payloads;
  std::vector<std::uint64_t> flushed;
  std::vector<std::string> errors;
  std::vector<wire::ServerInfo> ups;
  std::vector<Error> downs;
  int relieved = 0;
};

// What a link needs; with TLS, `authority` is trusted and the certificate is the shared client's.
inline AccessPtr make_access(const std::vector<std::uint16_t>& ports, bool with_tls, std::uint64_t generation = 1,
                             const net::test::Pki& trusted = pki(), bool handshake_first = false) {
  auto decision = std::make_shared<posture::Decision>();
  decision->environment = posture::Environment::development;
  decision->transport = with_tls ? posture::Transport::tls : posture::Transport::plaintext;
  decision->auth_mode = posture::AuthMode::none;
  decision->tls.handshake_first = handshake_first;
  for (const std::uint16_t port : ports) {
    posture::ServerUrl url;
    url.scheme = with_tls ? posture::Scheme::tls : posture::Scheme::nats;
    url.host = "127.0.0.1";
    url.port = port;
    decision->servers.push_back(std::move(url));
  }
  tls::SourceBytes bytes;
  bytes.cert = pki().client_cert.chain_pem;
  bytes.key = pki().client_cert.key_pem.copy();
  bytes.ca = trusted.authority.certificate_pem();
  const auto material = must(tls::load(tls::Source{.usage = tls::Usage::client}, bytes, wall_now()));
  return must(session::make_access(std::move(decision), material, generation));
}

// Times that make a test short and that no busy machine outruns where a time-out would be the wrong end.
inline SessionOptions quick_options() {
  SessionOptions options;
  options.link.connect_timeout = 10s;
  options.pool.backoff.wait = 2ms;
  options.pool.backoff.max_wait = 10ms;
  options.pool.backoff.denied_wait = 2ms;
  options.pool.backoff.denied_max_wait = 10ms;
  options.pool.randomize = false;
  options.splice.settle = 2ms;
  options.splice.settle_far = 4ms;
  options.splice.linger = 4ms;
  options.outage_after = 20ms;
  return options;
}

struct Driven : ::testing::Test {
  std::unique_ptr<net::Reactor> reactor = must(net::Reactor::create());
  net::Resolver resolver;
  metrics::Registry registry;
  Metrics metrics{registry};
  SessionOptions options = quick_options();
  ConnectProfile profile;
  RecordingUser user;
  ScriptedServer server{*reactor};
  std::unique_ptr<Session> session;

  Driven() { profile.name = "tester"; }
  void open(AccessPtr access) {
    session = must(Session::make(*reactor, resolver, user, std::move(access), profile, options, metrics));
    reactor->turn(0ms);  // making access took time, and timers count from the last turn
    session->start();
  }
  void open() { open(make_access({server.port()}, false)); }
  bool until(const std::function<bool()>& condition, Duration limit = 20s) {
    return net::test::until(*reactor, condition, limit);
  }
  // Connected, and the server has seen all of it.
  ScriptedServer::Connection* connected() {
    EXPECT_TRUE(until([&] { return session->up(); })) << (user.downs.empty() ? "" : user.downs.back().message());
    return server.newest();
  }
  void publish(std::string_view payload) {
    std::string frame;
    wire::append_pub(frame, "orders", {}, payload);
    session->publish(frame, 1);
  }
  bool spliced(std::size_t times = 1) {
    return until([&] { return metrics.splice_seconds.count_in_bucket(0) + late_splices() >= times && !session->splicing(); });
  }
  std::uint64_t late_splices() const {
    std::uint64_t count = 0;
    for (std::size_t i = 1; i <= metrics.splice_seconds.bounds().size(); ++i) {
      count += metrics.splice_seconds.count_in_bucket(i);
    }
    return count;
  }
  ~Driven() override {
    if (session) {
      session->stop();
      reactor->retire(std::move(session));
    }
    resolver.stop();
  }
};

}  // namespace hawser::session::test
