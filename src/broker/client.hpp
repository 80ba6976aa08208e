// One client's connection, from accept to close.
//
//   arriving --first byte or time--> greeted --TLS--> secured --CONNECT--> serving --end()--> leaving --closed-->
//   removed
//                                        \________________(plain)__________/  \--bcrypt: proving--/
//
// Belongs to one worker's thread. Its subscriptions are in the tables of accounts, where other threads see them; they
// hold `client`, which is cleared when the connection ends, so nothing reaches a client that has ended. Frames are
// parsed where they were read; what is delivered to it is appended to its stream's output and sent once a turn.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "broker/facts.hpp"
#include "broker/hub.hpp"
#include "broker/message.hpp"
#include "broker/rights.hpp"
#include "broker/subscription.hpp"
#include "net/address.hpp"
#include "net/stream.hpp"
#include "wire/connect.hpp"
#include "wire/parser.hpp"

namespace hawser::broker {

class Worker;
struct AccountView;

enum class Door : std::uint8_t { listener, trusted };

class Client final : public net::Retirable, private net::StreamOwner {
 public:
  Client(Worker& worker, std::uint64_t id, const net::Address& peer, Door door);
  ~Client() override;

  Result<void> adopt(net::Fd fd);

  // Writes it to the client; false: it does not go there (closed, its own message, denied, at its end).
  bool deliver(Subscription& to, Fanout& fanout);

  // Those it published to, on another thread, fall behind.
  void rest_for_others(Duration time);
  // Looks at everything again under a new configuration; may end the client.
  void take_up(const Configuration& configuration);
  // PING when it is time; ends a client that is stale or does not read. Called every now and then.
  void look_after(Time now);
  // INFO again, if it understands that: something in it has changed.
  void tell_info();
  // Ends it: says `error` (when not empty), and closes when that is written.
  void end(CloseReason reason, std::string_view error = {});
  // Without a word and at once: the broker stops.
  void cut(CloseReason reason);

  // Takes some of its subscriptions out of the tables; true: that was the last.
  bool forget_some(std::size_t most);

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] bool ended() const noexcept { return phase_ == Phase::leaving; }
  // Its input is paused.
  [[nodiscard]] bool held() const noexcept { return holds_ != 0; }
  [[nodiscard]] const Grant& grant() const noexcept { return grant_; }
  [[nodiscard]] AccountView* view() const noexcept { return view_; }
  [[nodiscard]] ConnectionFacts facts() const;        // without the list of subscriptions
  [[nodiscard]] ConnectionFacts basic_facts() const;  // without what is slow to tell
  // About as many subscriptions as `left` says, which it counts down, from a position on; returns the position to go on
  // at, 0 at the end.
  std::size_t visit_subscriptions(std::size_t from, std::size_t& left,
                                  const std::function<void(const Subscription&)>& visit) const;

 private:
  // Why its input is paused.
  enum class Hold : std::uint8_t {
    proof = 1,   // its password is being compared
    rest = 2,    // those it publishes to fall behind
    unread = 4,  // it asks for more answers than it reads
  };
  enum class Phase : std::uint8_t { arriving, greeted, securing, connecting, proving, serving, leaving };

  struct SidHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view sid) const noexcept { return std::hash<std::string_view>{}(sid); }
  };
  using Subscriptions = std::unordered_map<std::string, SubscriptionPtr, SidHash, std::equal_to<>>;

  // client.cpp: the connection
  std::size_t on_data(net::Stream& stream, std::string_view bytes) override;
  void on_secured(net::Stream& stream) override;
  void on_written(net::Stream& stream) override;
  void on_closed(net::Stream& stream, const Error& error) override;
  std::size_t work_off(std::string_view bytes);
  void start_tls();
  void greet();
  void await_connect();
  void ping_soon();
  void set_deadline(Duration after, void (Client::*then)());
  void rested();
  void tls_too_late();
  void connect_too_late();
  void first_byte_too_late();
  void goodbye_too_late();
  [[nodiscard]] bool must_connect_first(char first) const;
  [[nodiscard]] bool worked_enough(unsigned frames, Time& until);
  [[nodiscard]] bool leaves_unread() const;
  void pause_if_needed();
  void rest(Duration time);
  void hold(Hold why);
  void let_go(Hold why);
  void refuse_bytes();
  void depart(CloseReason reason);
  [[nodiscard]] std::string info_json() const;
  [[nodiscard]] const Settings& settings() const noexcept;

  // client_login.cpp: who it is
  void on_connect(std::string_view json);
  void on_other_before_connect();
  void judge(Verdict verdict);
  void let_in(Grant grant);
  void deny(const Denial& denial);
  void turn_out(const Denial& denial);
  void watch_its_time();
  void its_time_is_over();
  void password_compared(BcryptAnswer answer, Grant granted, Denial denied);
  bool join(std::string_view account);
  void leave_account();
  void take_limits();
  void judge_again(const Configuration& configuration);
  void take_rights(const Grant& grant);
  void drop_forbidden_subscriptions();

  // client_imports.cpp: what it hears of other accounts
  void listen_abroad(const SubscriptionPtr& subscription, const std::vector<StreamImportPtr>& but_not = {});
  static void stop_listening_abroad(Subscription& subscription);
  void renew_imports();
  bool deliver_import(const Imported& import, Fanout& fanout);

  // client_frames.cpp: what it says
  void on_frame(const wire::Frame& frame);
  void on_publish(const wire::Frame& frame);
  void publish(const wire::Frame& frame, std::string_view subject);
  void on_subscribe(const wire::Frame& frame);
  void on_unsubscribe(const wire::Frame& frame);
  void on_pong();
  bool may_publish(std::string_view subject);
  void refuse_publish(std::string_view subject, std::string_view text);
  void refuse_subscribe(const wire::Frame& frame, std::string_view more);
  void answer_no_responders(const Message& message);
  void remember_reply(std::string_view reply);
  void unsubscribe(const SubscriptionPtr& subscription);
  void fall_behind();
  [[nodiscard]] bool account_is_full() const;
  [[nodiscard]] bool has_all_it_may() const;
  void say_error(std::string_view text);
  void confirm();
  void answer(std::string_view frame);
  void trace(std::string_view what) const;
  void trace_heard(const wire::Frame& frame) const;
  void trace_delivered(const Message& message, std::string_view sid) const;

  Worker& worker_;
  const std::uint64_t id_;
  const net::Address peer_;
  net::Stream stream_;
  wire::Parser parser_;
  Phase phase_ = Phase::arriving;
  Door door_;
  CloseReason reason_ = CloseReason::none;
  bool verbose_ = true;  // nats-server's, until CONNECT says otherwise
  bool pedantic_ = true;
  bool echo_ = true;
  bool headers_ = false;
  bool no_responders_ = false;
  bool tls_first_ = false;
  bool heavy_ = false;  // its frames take long
  std::uint8_t holds_ = 0;
  bool connected_ = false;  // it said CONNECT
  std::uint8_t protocol_ = 0;
  std::uint8_t pings_out_ = 0;
  std::uint32_t max_payload_ = 0;  // what INFO said last
  AccountView* view_ = nullptr;
  Grant grant_;
  RightsPtr rights_;  // null: everything
  std::unique_ptr<routing::PermissionMemo> memo_;
  std::unique_ptr<ReplyTable> replies_;
  Subscriptions subscriptions_;
  Traffic traffic_;
  WallTime start_;
  Time last_heard_;
  Time next_ping_;
  Time ping_sent_{};
  Duration rtt_{};
  std::uint64_t answered_ = 0;         // where in the output the last answer to what it said ends
  std::size_t unread_ = 0;             // bytes of such answers since all of them were sent
  const Worker* rests_for_ = nullptr;  // until that one has caught up
  std::uint64_t sent_at_last_look_ = 0;
  Time stuck_since_{};
  std::string nonce_;
  std::string name_;
  std::string lang_;
  std::string version_;
  mutable std::unique_ptr<const std::vector<PeerCertificateFacts>> certificates_;
  std::shared_ptr<std::atomic<bool>> gone_;  // while its password is being compared
  std::unique_ptr<net::Timer> its_time_;     // until which its JWT lets it stay
  std::unique_ptr<net::Timer> deadline_;
  void (Client::*then_)() = nullptr;
};

}  // namespace hawser::broker
