// What a splice asks its driver to do. Values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"

namespace hawser::session {

enum class Side : std::uint8_t { old_link, new_link };

// What the driver is to do, in the order given. An action for a link that is closed is ignored.
namespace splice_action {
// SUB every plain subscription of the registry, in its order, without a limit (the limits follow as Unsubscribe).
struct SendSubscriptions {
  Side side;
};
// SUB every queue subscription, without a limit.
struct SendQueueSubscriptions {
  Side side;
};
// UNSUB every queue subscription.
struct RemoveQueueSubscriptions {
  Side side;
};
// SUB this one, if the registry still has it, without a limit.
struct Subscribe {
  Side side;
  std::string sid;
};
// UNSUB sid, with `max` as that link's server counts it; 0: at once. Also for a sid that the registry no longer has.
struct Unsubscribe {
  Side side;
  std::string sid;
  std::uint64_t max = 0;
};
// PING behind everything that was sent on the link so far; its PONG comes back as on_pong(side, tag).
struct Ping {
  Side side;
  std::uint32_t tag;
};
// The session's own stream waits: no PUB, SUB or UNSUB of the user is sent until ReleasePublishes. Back-pressure.
struct HoldPublishes {};
// The stream goes on, on this link.
struct ReleasePublishes {
  Side side;
};
// Raw MSG and HMSG frames that were held, in order, for the user. They are counted in the registry already.
struct Deliver {
  std::string frames;
};
// This link is the session's link from here.
struct Live {
  Side side;
};
// Send what is queued on the link, then close it. on_closed for it may follow, or not.
struct Close {
  Side side;
};
// Call on_timer at this time; replaces the one before.
struct Timer {
  Time at;
};
// The last action. The live link is Splice::live(), unless both died.
struct Finished {
  enum class How : std::uint8_t { spliced, abandoned, old_died, new_died, both_died } how;
  std::string reason;  // for the log; empty when all went well
};
}  // namespace splice_action

using SpliceAction = std::variant<splice_action::SendSubscriptions, splice_action::SendQueueSubscriptions,
                                  splice_action::RemoveQueueSubscriptions, splice_action::Subscribe,
                                  splice_action::Unsubscribe, splice_action::Ping, splice_action::HoldPublishes,
                                  splice_action::ReleasePublishes, splice_action::Deliver, splice_action::Live,
                                  splice_action::Close, splice_action::Timer, splice_action::Finished>;
using SpliceActions = std::vector<SpliceAction>;

}  // namespace hawser::session
