// A splice on the bench: events by hand, actions as text.
//
//   Bench bench;
//   EXPECT_EQ(bench.start(), "sub N, ping N, timer 5000");
//   EXPECT_EQ(bench.from_old("m1"), "deliver");
#pragma once

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "session/splice.hpp"
#include "wire/parser.hpp"

namespace hawser::session {

class Bench {
 public:
  explicit Bench(SpliceOptions options = {}) : options_(options) {
    options_.settle = std::chrono::milliseconds(20);  // the texts below have these
    options_.settle_far = std::chrono::milliseconds(100);
    subscriptions.add("1", "a.*", "");
  }

  std::string start() {
    splice_ = std::make_unique<Splice>(options_, subscriptions);
    SpliceActions actions;
    splice_->start(now_, actions);
    return text_of(actions);
  }

  // Answers PINGs and lets timers run out until this phase, and keeps what was asked for in `log`.
  void go_to(Splice::Phase phase) {
    if (!splice_) start();
    for (int i = 0; i < 100 && splice_->phase() != phase; ++i) next();
  }
  // The next PONG or timer.
  std::string next() { return waits_for_pong_ ? pong() : timer(); }
  std::string pong() {
    SpliceActions actions;
    splice_->on_pong(ping_side_, tag_, now_, actions);
    return text_of(actions);
  }
  std::string pong_after(Duration time) {
    now_ += time;
    return pong();
  }
  std::string timer() {
    now_ = std::max(now_, timer_);
    SpliceActions actions;
    splice_->on_timer(now_, actions);
    return text_of(actions);
  }
  std::string closed(Side side) {
    SpliceActions actions;
    splice_->on_closed(side, now_, actions);
    return text_of(actions);
  }
  std::string give_up() {
    SpliceActions actions;
    splice_->give_up("asked", now_, actions);
    return text_of(actions);
  }
  std::string unsubscribed(std::string_view sid) {
    SpliceActions actions;
    splice_->on_unsubscribe(sid, actions);
    return text_of(actions);
  }
  std::string wants_to_subscribe() {
    SpliceActions actions;
    const Splice::Route route = splice_->on_subscribe(actions);
    const std::string_view names[] = {"O", "N", "wait"};
    std::string text = text_of(actions);
    return std::string(names[static_cast<std::size_t>(route)]) + (text.empty() ? "" : ": " + text);
  }
  void publish(std::string_view subject, std::string_view payload) {
    wire::Frame frame;
    frame.op = wire::Op::pub;
    frame.subject = subject;
    frame.payload = payload;
    splice_->on_own_publish(frame);
  }

  std::string from_old(std::string_view payload, std::string_view sid = "1") {
    return message(Side::old_link, payload, sid);
  }
  std::string from_new(std::string_view payload, std::string_view sid = "1") {
    return message(Side::new_link, payload, sid);
  }

  [[nodiscard]] Splice& splice() { return *splice_; }
  [[nodiscard]] const SpliceCounters& counters() const { return splice_->counters(); }

  Subscriptions subscriptions;
  std::string user;  // payloads that the user was given, each followed by a blank
  std::string log;   // every action so far

 private:
  static char letter(Side side) { return side == Side::old_link ? 'O' : 'N'; }

  std::string message(Side side, std::string_view payload, std::string_view sid) {
    const std::string raw = fmt::format("MSG a.b {} {}\r\n{}\r\n", sid, payload.size(), payload);
    wire::Parser parser(wire::Peer::server);
    wire::Frame frame;
    if (parser.next(raw, frame) != wire::Parser::Status::frame) return "not a frame";
    SpliceActions actions;
    const Splice::Verdict verdict = splice_->on_message(side, frame, now_, actions);
    const std::string_view names[] = {"deliver", "drop", "hold"};
    std::string text{names[static_cast<std::size_t>(verdict)]};
    if (const std::string more = text_of(actions); !more.empty()) text += ": " + more;
    if (verdict == Splice::Verdict::deliver) give(payload, sid);
    return text;
  }
  void give(std::string_view payload, std::string_view sid) {
    user.append(payload).append(" ");
    if (subscriptions.count(sid) == Subscriptions::Counted::last) unsubscribed(sid);
  }

  std::string text_of(const SpliceActions& actions) {
    std::string all;
    for (const SpliceAction& action : actions) {
      if (!all.empty()) all += ", ";
      all += std::visit([this](const auto& a) { return describe(a); }, action);
    }
    if (!all.empty()) log += all + "; ";
    return all;
  }
  std::string describe(const splice_action::SendSubscriptions& a) { return fmt::format("sub {}", letter(a.side)); }
  std::string describe(const splice_action::SendQueueSubscriptions& a) {
    return fmt::format("join {}", letter(a.side));
  }
  std::string describe(const splice_action::RemoveQueueSubscriptions& a) {
    return fmt::format("leave {}", letter(a.side));
  }
  std::string describe(const splice_action::Subscribe& a) { return fmt::format("sub {} {}", letter(a.side), a.sid); }
  std::string describe(const splice_action::Unsubscribe& a) {
    return a.max == 0 ? fmt::format("unsub {} {}", letter(a.side), a.sid)
                      : fmt::format("unsub {} {} {}", letter(a.side), a.sid, a.max);
  }
  std::string describe(const splice_action::Ping& a) {
    ping_side_ = a.side;
    tag_ = a.tag;
    waits_for_pong_ = true;
    pinged_ = true;
    return fmt::format("ping {}", letter(a.side));
  }
  std::string describe(const splice_action::HoldPublishes& /*a*/) { return "wait"; }
  std::string describe(const splice_action::ReleasePublishes& a) { return fmt::format("go on {}", letter(a.side)); }
  std::string describe(const splice_action::Deliver& a) {
    std::string text = "give";
    wire::Parser parser(wire::Peer::server);
    wire::Frame frame;
    for (std::string_view rest = a.frames; parser.next(rest, frame) == wire::Parser::Status::frame;) {
      text.append(" ").append(frame.payload);
      user.append(frame.payload).append(" ");
      rest.remove_prefix(frame.raw.size());
    }
    return text;
  }
  std::string describe(const splice_action::Live& a) { return fmt::format("live {}", letter(a.side)); }
  std::string describe(const splice_action::Close& a) { return fmt::format("close {}", letter(a.side)); }
  std::string describe(const splice_action::Timer& a) {
    timer_ = a.at;
    if (!pinged_) waits_for_pong_ = false;
    pinged_ = false;
    return fmt::format("{}", std::chrono::duration_cast<std::chrono::milliseconds>(a.at - now_).count());
  }
  std::string describe(const splice_action::Finished& a) {
    const std::string_view names[] = {"spliced", "abandoned", "old died", "new died", "both died"};
    return std::string(names[static_cast<std::size_t>(a.how)]);
  }

  SpliceOptions options_;
  std::unique_ptr<Splice> splice_;
  Time now_{};
  Time timer_{};
  Side ping_side_{};
  std::uint32_t tag_ = 0;
  bool waits_for_pong_ = false;
  bool pinged_ = false;
};

}  // namespace hawser::session
