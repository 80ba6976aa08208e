// The splice: moving a session from link O (old) to link N (new) without losing, duplicating or reordering a message.
//
// A pure state machine of ../shared/design/splice.md's protocol (docs/splice.md): events in, actions out, time as an argument.
// The driver (session.cpp) owns the links and performs the actions in their order. Not thread-safe; one a splice.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/frame.hpp"

namespace hawser::session {

using Time = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

enum class Side : std::uint8_t { old_link, new_link };

// What the driver is to do, in the order given.
namespace splice_action {
struct SendSubscriptions { Side side; };       // SUB every plain subscription (with UNSUB max for what is left of it)
struct SendQueueSubscriptions { Side side; };  // SUB every queue subscription
struct RemoveQueueSubscriptions { Side side; };
struct Ping { Side side; std::uint32_t tag; }; // its PONG comes back as on_pong(side, tag)
struct HoldPublishes {};                       // the session's own publishes wait
struct ReleasePublishes { Side side; };        // and go on, on this link
struct Deliver { std::string frames; };        // raw MSG/HMSG frames that were held, in order, to the user
struct Live { Side side; };                    // the cut: this link is the session's link from here
struct Close { Side side; };                   // send what is queued, then close
struct Timer { Time at; };                     // call on_timer at this time; replaces the one before
struct Finished { enum class How : std::uint8_t { spliced, abandoned, old_died, new_died } how; std::string reason; };
}  // namespace splice_action

using SpliceAction = std::variant<splice_action::SendSubscriptions, splice_action::SendQueueSubscriptions,
                                  splice_action::RemoveQueueSubscriptions, splice_action::Ping,
                                  splice_action::HoldPublishes, splice_action::ReleasePublishes, splice_action::Deliver,
                                  splice_action::Live, splice_action::Close, splice_action::Timer, splice_action::Finished>;
using SpliceActions = std::vector<SpliceAction>;

}  // namespace hawser::session
