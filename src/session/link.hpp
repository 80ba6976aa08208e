// One physical connection to a server: dial, INFO, posture, TLS, CONNECT, PING, PONG; then frames both ways.
//
//   dialling -> greeting -> securing -> proving -> live -> closing -> closed
//               (INFO)      (TLS)       (CONNECT+PING)
//   With handshake_first, securing comes before greeting. Any failure ends in closed, with its reason.
//
// Only PONG is acceptance: with TLS 1.3 a client's handshake ends before the server has judged its certificate.
// Belongs to one reactor and one owner, who gives it to Reactor::retire().
//
//   auto link = std::make_unique<Link>(reactor, resolver, owner, access, server, profile, history, options);
//   link->start();   // then owner.on_live(*link) or owner.on_down(*link, error)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "net/dial.hpp"
#include "net/reactor.hpp"
#include "net/stream.hpp"
#include "posture/runtime.hpp"
#include "session/access.hpp"
#include "session/connect_profile.hpp"
#include "session/publish_window.hpp"
#include "session/server_error.hpp"
#include "session/server_pool.hpp"
#include "wire/info.hpp"
#include "wire/parser.hpp"

namespace hawser::session {

struct LinkOptions {
  Duration connect_timeout = std::chrono::seconds(5);  // from dialling to the first PONG
  Duration ping_interval = std::chrono::seconds(30);   // on a silent link
  Duration pong_timeout = std::chrono::seconds(10);    // then the link is stale
  Duration confirm_after = std::chrono::milliseconds(10);  // unconfirmed publishes ask for a PONG of their own
  std::size_t confirm_bytes = 256UL << 10U;
};

// Why a PING was sent: told again with its PONG.
enum class PingPurpose : std::uint8_t { keep_alive, confirm, flush, splice };

class Link;

class LinkOwner {
 public:
  virtual void on_live(Link& link) = 0;
  // A MSG or HMSG. Views live until on_batch_end.
  virtual void on_message(Link& link, const wire::Frame& frame) = 0;
  // The bytes that messages were shown of are about to go.
  virtual void on_batch_end(Link& link) = 0;
  // Everything written before that PING has been processed by the server.
  virtual void on_pong(Link& link, PingPurpose purpose, std::uint64_t tag) = 0;
  // A later INFO: topology, max_payload, lame duck.
  virtual void on_info(Link& link, const wire::ServerInfo& info) = 0;
  // -ERR that is the user's business, and that the link survives.
  virtual void on_client_error(Link& link, std::string_view text) = 0;
  virtual void on_down(Link& link, const Error& error) = 0;

 protected:
  ~LinkOwner() = default;
};

class Link final : public net::Retirable, private net::StreamOwner {
 public:
  enum class Phase : std::uint8_t { dialling, greeting, securing, proving, live, closing, closed };

  Link(net::Reactor& reactor, net::Resolver& resolver, LinkOwner& owner, AccessPtr access, const Server& server,
       const ConnectProfile& profile, posture::History history, const LinkOptions& options);
  ~Link() override;

  void start();

  // Appends whole frames; publishes are kept until confirmed, other frames are not sent again on another link.
  void publish(std::string_view frames);
  void send(std::string_view frames) { stream_.write(frames); }
  void ping(PingPurpose purpose, std::uint64_t tag = 0);
  // How many PINGs went out, and how many were answered.
  [[nodiscard]] std::uint64_t pings() const noexcept { return pings_sent_; }
  [[nodiscard]] std::uint64_t pongs() const noexcept { return pongs_heard_; }
  // Asks for a PONG behind everything that was sent, if none is under way.
  void ask();

  // The publishes that no PONG has confirmed, oldest first: f(std::string_view piece).
  template <class F>
  void unconfirmed(F&& f) const {
    for (const PublishWindow::Run& run : window_.runs()) {
      stream_.output().read(run.begin, run.end, f);
    }
  }
  [[nodiscard]] std::size_t unconfirmed_bytes() const noexcept { return window_.bytes(); }
  [[nodiscard]] std::size_t unsent_bytes() const noexcept { return stream_.output().unsent_bytes(); }

  void pause() noexcept { stream_.pause(); }
  void resume() { stream_.resume(); }

  // Sends what is queued, then closes; bounded. on_down follows.
  void close_when_written();
  // At once; no callback any more.
  void abandon();

  [[nodiscard]] Phase phase() const noexcept { return phase_; }
  [[nodiscard]] bool live() const noexcept { return phase_ == Phase::live; }
  [[nodiscard]] bool told_to_close() const noexcept { return told_to_close_; }  // its end is no news
  [[nodiscard]] bool secured() const noexcept { return stream_.secured(); }
  [[nodiscard]] const posture::ServerUrl& server() const noexcept { return server_; }
  [[nodiscard]] const wire::ServerInfo& info() const noexcept { return info_; }
  [[nodiscard]] const AccessPtr& access() const noexcept { return access_; }
  [[nodiscard]] SSL* ssl() const noexcept { return stream_.ssl(); }

 private:
  struct PendingPing {
    std::uint64_t tag;
    std::uint64_t position;  // of the output: what lies before it is confirmed by its PONG
    Time sent_at;
    PingPurpose purpose;
  };

  std::size_t on_data(net::Stream& stream, std::string_view bytes) override;
  void on_secured(net::Stream& stream) override;
  void on_written(net::Stream& stream) override;
  void on_closed(net::Stream& stream, const Error& error) override;

  void on_dialled(Result<net::Fd> connected);
  void on_frame(const wire::Frame& frame);
  void on_info_frame(const wire::Frame& frame);
  void on_greeting();
  void on_pong_frame();
  [[nodiscard]] bool waits_for_pong() const noexcept { return answered_ < pings_.size(); }
  PendingPing take_ping();
  void on_err_frame(const wire::Frame& frame);
  void start_tls(tls::Roots roots);
  void send_connect();
  void check_pulse();
  void fail_with(Error error);
  [[nodiscard]] Error parse_failure() const;

  net::Reactor& reactor_;
  net::Resolver& resolver_;
  LinkOwner& owner_;
  AccessPtr access_;
  posture::ServerUrl server_;
  std::string tls_name_;  // what its certificate must carry
  const ConnectProfile& profile_;  // the session's
  LinkOptions options_;
  posture::History history_;
  Phase phase_ = Phase::dialling;
  std::optional<Error> refused_;  // by posture, before anything was dialled
  std::unique_ptr<net::Dial> dial_;
  net::Stream stream_;
  wire::Parser parser_;
  wire::ServerInfo info_;
  PublishWindow window_;
  std::vector<PendingPing> pings_;  // oldest first, from answered_ on
  std::size_t answered_ = 0;
  std::uint64_t pings_sent_ = 0;
  std::uint64_t pongs_heard_ = 0;
  std::uint64_t asked_position_ = 0;  // of the last PING
  std::uint64_t connect_begin_ = 0;   // where CONNECT stands in the output, until it is wiped
  bool told_to_close_ = false;
  Time last_heard_{};
  net::Timer deadline_;  // of connecting, then of closing; while live: the next look at the pulse
  net::Timer confirm_;
};

}  // namespace hawser::session
