// A session: the logical connection that a user holds while links come, go and are spliced underneath it.
//
// It connects, reconnects for ever, keeps what no server has confirmed, and moves to a new link when material or credentials
// change or the server is a lame duck (splice.hpp). Belongs to one reactor; its user gives it to Reactor::retire().
//
//   Session session(reactor, resolver, user, access, profile, options, metrics);
//   session.start();
//   session.subscribe("1", "orders.>", "");
//   session.publish("PUB orders.new 2\r\nhi\r\n");
//   session.flush(7);   // user.on_flushed(7): the server has processed everything before
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "net/reactor.hpp"
#include "net/resolver.hpp"
#include "session/access.hpp"
#include "session/backlog.hpp"
#include "session/connect_profile.hpp"
#include "session/link.hpp"
#include "session/metrics.hpp"
#include "session/server_pool.hpp"
#include "session/spool.hpp"
#include "session/splice.hpp"
#include "session/subscriptions.hpp"

namespace hawser::session {

struct SessionOptions {
  LinkOptions link;
  ServerPoolOptions pool;
  SpliceOptions splice;
  std::size_t window_bytes = 8UL << 20U;                 // of unconfirmed publishes; then accepts() is false
  Duration outage_after = std::chrono::milliseconds(1500);  // without a link: what needs none is answered without one
};

// Called on the reactor's thread, never from within a call of the session's own interface except where said.
class SessionUser {
 public:
  // Whole MSG and HMSG frames, one after the other, with the sids of subscribe().
  virtual void on_messages(std::string_view frames, std::size_t count) = 0;
  // The server has processed everything that was published and subscribed before flush(token). Without a link, and with
  // nothing published that is unconfirmed, it is said too: then there is nothing that could be lost. May be called from
  // within flush().
  virtual void on_flushed(std::uint64_t token) = 0;
  // The server's words about something that the user did.
  virtual void on_client_error(std::string_view text) = 0;
  virtual void on_up(const wire::ServerInfo& info) = 0;  // also after a splice, with what the new server says
  virtual void on_down(const Error& error) = 0;          // no link; it reconnects by itself
  virtual void on_probe() {}                             // without a link: it tries to connect now
  // It had its max.
  virtual void on_subscription_ended(std::string_view /*sid*/) {}
  // Whether a message with headers that a server sent is one the user was given already.
  [[nodiscard]] virtual bool had_before(const wire::Frame& /*frame*/) { return false; }
  // accepts() is true again.
  virtual void on_relieved() = 0;

 protected:
  ~SessionUser() = default;
};

class Session final : public net::Retirable, private LinkOwner {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Session>> make(net::Reactor& reactor, net::Resolver& resolver,
                                                             SessionUser& user, AccessPtr access,
                                                             ConnectProfile profile, const SessionOptions& options,
                                                             Metrics& metrics);
  ~Session() override;

  // Publishes that wait for a link go there. Before start(); outlives the session.
  void use(Spool& spool) noexcept { spool_ = &spool; }
  void start();

  // Whole PUB and HPUB frames. Kept until confirmed. Whoever minds the bound asks accepts() before.
  void publish(std::string_view frames, std::size_t count);
  // False: the window is full, the server does not read, too many flushes wait, or a splice is at the point where the user's
  // stream waits. on_relieved follows.
  [[nodiscard]] bool accepts();
  [[nodiscard]] bool flushes_full() const noexcept { return flushes_.size() >= kMaxFlushes; }
  void subscribe(std::string_view sid, std::string_view subject, std::string_view queue);
  void unsubscribe(std::string_view sid, std::uint64_t max);
  // Tokens grow from call to call.
  void flush(std::uint64_t token);
  [[nodiscard]] bool flushes_wait() const noexcept { return !flushes_.empty(); }
  // What the spool answers may have changed.
  void spool_progressed();
  // Drops the publishes that neither a link nor the spool has taken, because the user is told that they are not.
  struct Dropped {
    std::size_t count = 0;
    std::string subject;  // of the first
  };
  Dropped drop_waiting();
  // A message of this session's own, given to the user past the server. False: there is no such subscription, or it had its max.
  [[nodiscard]] bool count_local(std::string_view sid);

  // Back-pressure towards the server, while the user cannot take more messages.
  void pause();
  void resume();

  // New access: moves there with a splice after `delay`; at once if there is no link, or if the peer no longer verifies.
  void take_up(AccessPtr access, Duration delay);
  // Moves to a new link with the same access.
  void splice_now(std::string_view reason);
  // Looks again at what posture allows (the override's deadline).
  void check_posture();

  // Takes back every subscription, so that nothing is sent to a user who is gone. What was published stays until confirmed.
  void unsubscribe_all();
  // Drops the links, and gives what no server has confirmed to the spool. The session is over.
  void put_away();
  // Drops the links at once.
  void stop();

  [[nodiscard]] bool up() const noexcept { return live_ != nullptr && live_->live(); }
  // Publishes go to the spool.
  [[nodiscard]] bool spooling() const noexcept { return spooling_; }
  [[nodiscard]] bool splicing() const noexcept { return splice_ != nullptr; }
  [[nodiscard]] std::size_t unconfirmed_bytes() const noexcept;
  [[nodiscard]] const Link* live() const noexcept { return live_.get(); }
  [[nodiscard]] const Subscriptions& subscriptions() const noexcept { return subscriptions_; }

 private:
  static constexpr std::size_t kMaxFlushes = 65536;  // not yet answered
  enum class Aim : std::uint8_t { none, connect, splice };  // of next_

  Session(net::Reactor& reactor, net::Resolver& resolver, SessionUser& user, AccessPtr access, ConnectProfile profile,
          const SessionOptions& options, Metrics& metrics, ServerPool pool);

  // LinkOwner
  void on_live(Link& link) override;
  void on_message(Link& link, const wire::Frame& frame) override;
  void on_batch_end(Link& link) override;
  void on_pong(Link& link, PingPurpose purpose, std::uint64_t tag) override;
  void on_info(Link& link, const wire::ServerInfo& info) override;
  void on_client_error(Link& link, std::string_view text) override;
  void on_down(Link& link, const Error& error) override;

  // session.cpp
  void connect();
  void dial(ServerPool::Id id, Aim aim);
  void take_over();
  void link_failed(const Error& error);
  void live_lost(const Error& error);
  void declare_outage();
  void answer_flushes();
  void spill(Spool::Why why);
  void spool(std::string_view frames);
  void go_live_when_clear();
  void go_live();
  void send_subscription(Link& link, const Subscription& subscription);
  void rescue_publishes(const Link& link);
  void pump();
  void relieve();
  [[nodiscard]] std::size_t unsent_bytes() const noexcept;
  void deliver(const wire::Frame& frame);
  void extend_run(const wire::Frame& frame);
  void end_run();

  // session_splice.cpp
  void begin_splice_dial();
  void begin_splice();
  void splice_failed(const Error& error);
  void perform(SpliceActions actions);
  void perform(const splice_action::SendSubscriptions& action);
  void perform(const splice_action::SendQueueSubscriptions& action);
  void perform(const splice_action::RemoveQueueSubscriptions& action);
  void perform(const splice_action::Subscribe& action);
  void perform(const splice_action::Unsubscribe& action);
  void perform(const splice_action::Ping& action);
  void perform(const splice_action::HoldPublishes& action);
  void perform(const splice_action::ReleasePublishes& action);
  void perform(const splice_action::Deliver& action);
  void perform(const splice_action::Live& action);
  void perform(const splice_action::Close& action);
  void perform(const splice_action::Timer& action);
  void perform(const splice_action::Finished& action);
  [[nodiscard]] Link* link_of(Side side) const noexcept;
  [[nodiscard]] Side side_of(const Link& link) const noexcept;
  void note_own_publishes(std::string_view frames);
  void leave(std::unique_ptr<Link> link);
  bool leave_if_distrusted();

  net::Reactor& reactor_;
  net::Resolver& resolver_;
  SessionUser& user_;
  Metrics& metrics_;
  AccessPtr access_;
  ConnectProfile profile_;
  const SessionOptions& options_;
  ServerPool pool_;
  Subscriptions subscriptions_;

  std::unique_ptr<Link> live_;  // O while a splice lasts
  std::unique_ptr<Link> next_;  // being dialled; N while a splice lasts
  std::vector<std::unique_ptr<Link>> leaving_;
  ServerPool::Id live_id_ = 0;
  ServerPool::Id next_id_ = 0;
  Aim aim_ = Aim::none;

  std::unique_ptr<Splice> splice_;
  Time splice_started_{};
  Side publish_side_ = Side::old_link;
  bool held_ = false;            // by the splice
  bool splice_wanted_ = false;   // once the one that runs, or the dialling, is over
  std::string splice_reason_;
  std::uint32_t dial_failures_ = 0;    // in a row
  std::uint32_t splice_failures_ = 0;  // in a row
  std::uint32_t settle_doublings_ = 0;

  Backlog backlog_;
  Spool* spool_ = nullptr;
  bool spooling_ = false;
  struct Flush {
    std::uint64_t token;
    std::uint64_t mark;  // of the spool
  };
  std::vector<Flush> flushes_;  // not yet answered, in order
  std::uint64_t ponged_ = 0;    // the live link has processed what came before the flush with this token
  struct Deferred {
    std::string sid, subject, queue;
    std::uint64_t max;
    bool subscribe;
  };
  // Sids that the user gave up, and how many PINGs of the live link came before: until the PONG behind its UNSUB, the server
  // may still send for it.
  static constexpr std::size_t kAskAtUnsubscribed = 256;
  std::unordered_map<std::string, std::uint64_t> unsubscribed_;
  std::vector<Deferred> deferred_;  // while a splice holds the user's stream
  std::string_view run_;            // messages to be given to the user in one piece
  std::size_t run_count_ = 0;

  bool paused_ = false;
  bool refused_more_ = false;  // accepts() said no
  bool outage_ = false;
  bool once_on_tls_ = false;
  bool was_up_ = false;
  bool stopped_ = false;
  net::Timer retry_;        // of connecting
  net::Timer splice_timer_;  // of the splice; before it: when to begin
  net::Timer outage_timer_;
  net::Timer live_timer_;  // until two servers of a cluster agree on what the queue brought
};

}  // namespace hawser::session
