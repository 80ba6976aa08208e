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

#include <algorithm>
#include <chrono>
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
  Duration settle = std::chrono::milliseconds(50);       // D: a server has finished what it had matched
  Duration settle_far = std::chrono::milliseconds(150);  // D when N is on another server
  // D is at least this many times the slowest PONG of the splice (up to a second): a server that is short of CPU answers
  // late, and routes late.
  int settle_per_pong = 4;
  Duration linger = std::chrono::milliseconds(50);       // how long O stays after the cut; at least D
  Duration step_timeout = std::chrono::seconds(5);       // for one PONG; then it is given up, if before the cut
  std::size_t hold_limit_bytes = std::size_t{8} << 20U;
  std::size_t ledger_limit = std::size_t{1} << 18U;  // distinct messages that are remembered
  bool same_server = true;                           // INFO server_id of O and N are equal
  bool echo = true;                                  // CONNECT's echo
  FingerprintKey key{};                              // random, not known to publishers
};

// The rules of the protocol, to be switched off one at a time by the tests that show what each is for. Production
// never touches them.
struct SpliceRules {
  bool count_before_subscribing = true;  // step 2: for another server, O is counted for a settle before SUB on N
  bool settle_after_subscribing = true;  // step 3
  bool settle_far_twice = true;          // step 3: and once more for another server
  bool settle_before_marking = true;     // step 3: after PONG o1
  bool settle_before_cut = true;         // step 5
  bool settle_own_publishes = true;      // step 6: for another server
  bool settle_before_end = true;         // step 8
  bool early = true;                     // step 2: otherwise what N delivers early is dropped
  bool credits = true;                   // step 4
  bool hold = true;                      // step 4: otherwise what N delivers late is delivered at once
  bool tail = true;                      // step 7: otherwise what O delivers at last is delivered at once
  bool cross_off = true;                 // step 7: x
  bool keep_subscribed = true;           // step 5: otherwise O leaves by UNSUB before N's copies are counted
  bool hold_publishes = true;            // step 5
  bool queue_overlap = true;             // otherwise O leaves its queue groups before N joins
  bool queue_linger = true;              // otherwise O is closed right after the cut
  bool hold_own_subscribes = true;       // otherwise a SUB in the middle goes to N at once, alone
  bool drain_own_publishes = true;       // echo: false: PING o0
  bool hold_for_queues = true;           // echo: false: own publishes wait before N joins queue groups
  bool own_notes = true;                 // echo: false
  bool own_notes_after_cut = true;       // echo: false: also for what O receives of N's
};

struct SpliceCounters {
  std::uint64_t held = 0;  // messages that were held
  std::uint64_t held_bytes_peak = 0;
  std::uint64_t copies_dropped = 0;       // second copies that the user did not see
  std::uint64_t duplicates_possible = 0;  // messages delivered that may be repeats
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

  // What is being waited for. O and N: the links. See the drawing in docs/splice.md.
  enum class Phase : std::uint8_t {
    idle,
    draining,     // PONG o0 (echo: false)
    foreseeing,   // a settle in which O is counted (another server)
    subscribing,  // PONG n1
    spreading,    // a settle (another server: its interest reaches all of the cluster)
    settling,     // a settle
    marking_old,  // PONG o1
    catching_up,  // a settle
    marking_new,  // PONG n2
    merging,      // a settle
    cutting,      // PONG oc; then the cut
    lingering,    // the linger
    closing,      // PONG oz; then O is closed
    trailing,     // a settle
    finishing,    // PONG nz
    returning,    // N died after the cut: a settle
    returned,     // and a PONG of O
    rejoining,    // given up before the cut: PONG of O that it is in the queue groups again
    rejoined,     // a settle
    retreating,   // a settle after N left them
    retreated,    // PONG of N; then N is closed
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
  // until ReleasePublishes, and ask again. Otherwise add it to the registry and send it on that link.
  [[nodiscard]] Route on_subscribe(SpliceActions& out);
  // After the user's UNSUB changed the registry, or a count reached its max. The machine asks for the UNSUBs, so the
  // driver sends none itself.
  void on_unsubscribe(std::string_view sid, SpliceActions& out);
  // Every PUB and HPUB as it is sent, when echo is false; otherwise it does nothing.
  void on_own_publish(const wire::Frame& frame);

  // Gives up while that is possible, before the cut; afterwards it only ends the linger. A session that is itself
  // closing needs none of this: it closes both links.
  void give_up(std::string_view reason, Time now, SpliceActions& out);

  [[nodiscard]] Side live() const { return live_; }
  [[nodiscard]] bool finished() const { return phase_ == Phase::done; }
  [[nodiscard]] bool past_cut() const { return cut_; }
  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] const SpliceCounters& counters() const { return counters_; }
  // Of the whole state but the times: machines that will behave alike have equal digests. For searches over states.
  [[nodiscard]] std::uint64_t digest() const;

 private:
  using How = splice_action::Finished::How;

  // splice.cpp: the steps
  [[nodiscard]] Duration settle() const {
    return std::max(options_.same_server ? options_.settle : options_.settle_far,
                    std::min<Duration>(slowest_pong_ * options_.settle_per_pong, std::chrono::seconds(1)));
  }
  void ping(Side side, Phase phase, Time now, SpliceActions& out);
  void wait(Duration delay, Phase phase, Time now, SpliceActions& out);
  void arm(SpliceActions& out) const;
  void on_settled(Time now, SpliceActions& out);
  void drained(Time now, SpliceActions& out);
  void subscribe(Time now, SpliceActions& out);
  void spread(SpliceActions& out);
  void subscribed(Time now, SpliceActions& out);
  void mark_old(Time now, SpliceActions& out);
  void mark_new(Time now, SpliceActions& out);
  void begin_cut(Time now, SpliceActions& out);
  void cut(Time now, SpliceActions& out);
  void close_old(Time now, SpliceActions& out);
  void finish(How how, SpliceActions& out);
  void hold_publishes(SpliceActions& out);
  void release_publishes(Side side, SpliceActions& out);
  void release_later(Time now, SpliceActions& out);
  void carry_limits(SpliceActions& out);
  void leave_queues(Side side, SpliceActions& out);

  // splice_messages.cpp: what becomes of each message
  [[nodiscard]] Verdict on_plain(Side side, Counts& counts, Ledger::Index entry, const wire::Frame& frame, Time now,
                                 SpliceActions& out);
  [[nodiscard]] Verdict from_old(Counts& counts);
  [[nodiscard]] Verdict from_old_after_cut(Counts& counts, Ledger::Index entry, const wire::Frame& frame);
  [[nodiscard]] Verdict from_new(Counts& counts, Ledger::Index entry, const wire::Frame& frame, Time now,
                                 SpliceActions& out);
  [[nodiscard]] Verdict from_new_after_cut(Counts& counts);
  [[nodiscard]] Verdict hold(Counts& counts, Ledger::Index entry, const wire::Frame& frame, Time now,
                             SpliceActions& out);
  [[nodiscard]] Verdict drop_copy();
  void grant_credits();
  void release_held(SpliceActions& out);
  void release_tail(SpliceActions& out);
  [[nodiscard]] bool wanted(const HoldBuffer::Item& item) const;
  void deliver(const HoldBuffer& buffer, SpliceActions& out);

  // splice_endings.cpp: when it does not go as planned
  void old_died(Time now, SpliceActions& out);
  void new_died(Time now, SpliceActions& out);
  void timed_out(Time now, SpliceActions& out);
  void retreat(Time now, SpliceActions& out);
  void rejoin_queues(SpliceActions& out);
  [[nodiscard]] bool leaving_new() const;
  [[nodiscard]] bool mistakable() const;

  SpliceOptions options_;
  SpliceRules rules_;
  Subscriptions& subscriptions_;
  Ledger ledger_;
  HoldBuffer held_;  // before the cut: what N delivered and O has not
  HoldBuffer tail_;  // after the cut: what O delivered and N has not
  SpliceCounters counters_;
  std::string reason_;
  Time deadline_{};
  Time asked_at_{};  // the PING that is awaited
  Duration slowest_pong_{};
  Time release_at_{};                     // of own publishes, when they wait for a settle after the cut
  Subscription::Serial last_shared_ = 0;  // of the subscriptions that both links have
  std::uint32_t tag_ = 0;
  Side awaited_ = Side::old_link;
  Side live_ = Side::old_link;
  Phase phase_ = Phase::idle;
  How how_ = How::spliced;
  bool awaiting_ = false;  // a PONG with tag_ on awaited_; otherwise the deadline is a settle
  bool old_open_ = true;
  bool new_open_ = true;
  bool subscribed_ = false;     // N has the plain subscriptions
  bool queues_on_old_ = true;   // O is in the queue groups
  bool queues_on_new_ = false;  // N is
  bool marked_old_ = false;     // PONG o1
  bool credited_ = false;       // PONG n2
  bool cut_ = false;
  bool blind_ = false;     // O died before PONG n2: repeats cannot be told
  bool overfull_ = false;  // the ledger
  bool publishes_held_ = false;
  bool subscribe_waits_ = false;  // a SUB of the user is among what is held
  bool release_later_ = false;    // at release_at_
};

[[nodiscard]] std::string_view to_string(Splice::Phase phase);

}  // namespace hawser::session
