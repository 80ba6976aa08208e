// The splice: moving a session from link O (old) to link N (new) without losing, duplicating or reordering a message.
//
// A pure state machine of the protocol in docs/splice.md: events in, actions out, time as an argument. The driver owns
// the links and performs the actions in their order. Not thread-safe; one object a splice, at most one a session at a
// time.
//
//   Splice splice(options, subscriptions);
//   splice.start(now, actions);                      // N has answered PING: its credentials are accepted
//   switch (splice.on_message(side, frame, now, actions)) { … }
//
// Every call appends to `actions`. They are performed in order, and before the frame of a `deliver` verdict is given to
// the user. Everything that a link had received is shown to the machine (on_message, on_pong, in the order of that
// link) before on_closed for it. After Finished the object wants no more calls, and ignores them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "session/fingerprint.hpp"
#include "session/splice_actions.hpp"
#include "session/splice_hold.hpp"
#include "session/splice_ledger.hpp"
#include "session/subscriptions.hpp"
#include "wire/frame.hpp"

namespace hawser::session {

struct SpliceOptions {
  Duration settle = std::chrono::milliseconds(20);       // D: a server has finished what it had matched
  Duration settle_far = std::chrono::milliseconds(100);  // D when N is on another server
  Duration linger = std::chrono::milliseconds(50);       // how long O stays after the cut; at least D
  Duration step_timeout = std::chrono::seconds(5);       // for one PONG; before the cut the splice is given up
  std::size_t hold_limit_bytes = std::size_t{8} << 20U;
  std::size_t ledger_limit = std::size_t{1} << 18U;  // distinct messages that are remembered
  bool same_server = true;                           // INFO server_id of O and N are equal
  bool echo = true;                                  // CONNECT's echo
  FingerprintKey key{};                              // random, not known to publishers
};

// The rules of the protocol, to be switched off one at a time by the tests that show what each is for. Production
// never touches them.
struct SpliceRules {
  bool count_before_subscribing = true;  // far: O is counted for a settle before SUB on N
  bool settle_after_subscribing = true;  // step 3, first
  bool settle_far_twice = true;          // and its second half, for another server
  bool settle_before_marking = true;     // step 3, after PONG o1
  bool settle_before_cut = true;         // step 5
  bool settle_before_end = true;         // step 8
  bool settle_own_publishes = true;      // step 6, for another server
  bool credits = true;                   // step 4
  bool early = true;                     // step 2: otherwise early ones are dropped at once
  bool hold = true;                      // otherwise late ones are delivered at once
  bool tail = true;                      // step 7: otherwise O's last ones are delivered at once
  bool cross_off = true;                 // step 7: x
  bool keep_subscribed = true;           // otherwise O leaves with UNSUB at step 5
  bool queue_overlap = true;             // otherwise O leaves its queue groups before N has joined
  bool hold_publishes = true;            // step 5
  bool hold_own_subscribes = true;       // a SUB in the middle waits for the cut
  bool own_notes = true;                 // echo: false
  bool drain_own_publishes = true;       // echo: false, PING o0
};

struct SpliceCounters {
  std::uint64_t held = 0;  // messages that were held
  std::uint64_t held_bytes_peak = 0;
  std::uint64_t copies_dropped = 0;       // second copies that the user did not see
  std::uint64_t duplicates_possible = 0;  // delivered, though they may be a repeat
  std::uint64_t losses_possible = 0;      // events after which a loss cannot be excluded
  std::uint64_t unsettled = 0;            // messages that show that D was too short: double it for the next splice
};

class Splice {
 public:
  enum class Verdict : std::uint8_t {
    deliver,  // give it to the user now, after the actions; count it with Subscriptions::count
    drop,     // the user has it, or will get it from the other link
    hold,     // the machine has copied it
  };
  // Where a SUB of the user goes.
  enum class Route : std::uint8_t { old_link, new_link, wait };

  // What happens next; the drawing is in docs/splice.md.
  enum class Phase : std::uint8_t {
    idle,
    draining,
    foreseeing,
    subscribing,
    spreading,
    settling,
    marking_old,
    catching_up,
    marking_new,
    merging,
    cutting,
    lingering,
    closing,
    trailing,
    finishing,  // after the cut
    returning,
    returned,  // N died after the cut: back to O
    rejoining,
    retreating,
    retreated,  // given up before the cut, queue groups to be handed back
    done,
  };

  // `subscriptions` outlives this object.
  Splice(const SpliceOptions& options, Subscriptions& subscriptions, const SpliceRules& rules = {});

  // N has been accepted by its server.
  void start(Time now, SpliceActions& out);

  // A MSG or HMSG. The frame is not needed after the call.
  [[nodiscard]] Verdict on_message(Side side, const wire::Frame& frame, Time now, SpliceActions& out);
  void on_pong(Side side, std::uint32_t tag, Time now, SpliceActions& out);
  void on_closed(Side side, Time now, SpliceActions& out);
  void on_timer(Time now, SpliceActions& out);

  // Before the user's SUB enters the registry. `wait`: HoldPublishes was asked for, so keep it and what follows it
  // until ReleasePublishes. Otherwise add it to the registry and send it on that link.
  [[nodiscard]] Route on_subscribe(Time now, SpliceActions& out);
  // After the user's UNSUB changed the registry, or a count reached its max. The machine asks for the UNSUBs, so the
  // driver sends none itself. A subscription that stays, with a limit, is looked up in the registry.
  void on_unsubscribe(std::string_view sid, SpliceActions& out);
  // Every PUB and HPUB that is sent, as it is sent, when echo is false; otherwise it does nothing.
  void on_own_publish(const wire::Frame& frame);

  // Gives up, when that is still possible (before the cut); later ends in order, without the linger. For a session that
  // is closing, close both links.
  void give_up(std::string_view reason, Time now, SpliceActions& out);

  [[nodiscard]] Side live() const { return live_; }
  [[nodiscard]] bool finished() const { return phase_ == Phase::done; }
  [[nodiscard]] bool past_cut() const { return cut_; }
  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] const SpliceCounters& counters() const { return counters_; }
  // The whole state as text, for logs and for tests that tell states apart.
  [[nodiscard]] std::string snapshot() const;

 private:
  using How = splice_action::Finished::How;

  [[nodiscard]] Duration settle() const { return options_.same_server ? options_.settle : options_.settle_far; }
  void ping(Side side, Phase phase, Time now, SpliceActions& out);
  void wait(Duration delay, Phase phase, Time now, SpliceActions& out);
  void arm(SpliceActions& out);
  void hold_publishes(SpliceActions& out);
  void release_publishes(Side side, SpliceActions& out);

  void subscribe(Time now, SpliceActions& out);
  void mark_old(Time now, SpliceActions& out);
  void mark_new(Time now, SpliceActions& out);
  void grant_credits();
  void begin_cut(Time now, SpliceActions& out);
  void cut(Time now, SpliceActions& out);
  void finish(How how, std::string reason, SpliceActions& out);

  [[nodiscard]] Verdict from_old(Ledger::Index entry, const Subscription& subscription, const wire::Frame& frame,
                                 Time now, SpliceActions& out);
  [[nodiscard]] Verdict from_old_after_cut(Ledger::Index entry, const Subscription& subscription,
                                           const wire::Frame& frame);
  [[nodiscard]] Verdict from_new(Ledger::Index entry, const Subscription& subscription, const wire::Frame& frame,
                                 Time now, SpliceActions& out);
  [[nodiscard]] Verdict keep(HoldBuffer& buffer, Ledger::Index entry, bool early, const Subscription& subscription,
                             const wire::Frame& frame, Time now, SpliceActions& out);

  void release_held(SpliceActions& out);
  void release(HoldBuffer& buffer, bool cross_off, SpliceActions& out);
  void old_died(Time now, SpliceActions& out);
  void new_died(Time now, SpliceActions& out);
  void timed_out(Time now, SpliceActions& out);
  void carry_limits(SpliceActions& out);

  SpliceOptions options_;
  SpliceRules rules_;
  Subscriptions& subscriptions_;
  Ledger ledger_;
  HoldBuffer held_;  // before the cut: what N delivered and O has not
  HoldBuffer tail_;  // after the cut: what O delivered and N has not
  SpliceCounters counters_;

  Phase phase_ = Phase::idle;
  Side live_ = Side::old_link;
  bool old_open_ = true;
  bool new_open_ = true;
  bool subscribed_ = false;    // N has the plain subscriptions
  bool queue_on_new_ = false;  // N is in the queue groups
  bool queue_on_old_ = true;   // O is
  bool marked_old_ = false;    // PONG o1
  bool credited_ = false;      // PONG n2
  bool cut_ = false;
  bool publishes_held_ = false;
  bool late_release_ = false;             // own publishes wait for one more settle after the cut
  Subscription::Serial last_shared_ = 0;  // of the subscriptions that both links have
  std::uint32_t tag_ = 0;
  Side awaited_ = Side::old_link;
  bool awaiting_ = false;  // a PONG of tag_; otherwise the deadline is a settle
  Time deadline_{};
  Time release_at_{};
  How how_ = How::spliced;
  std::string reason_;
};

[[nodiscard]] std::string_view to_string(Splice::Phase phase);

}  // namespace hawser::session
