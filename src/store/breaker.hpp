// The circuit breaker between the agent and its servers: whether publishes go to a server or to the disk, and why.
//
// It opens when the link is lost or credentials are refused, is half-open while a connection is being tried, and closes
// when the server has answered the first PING on it. Pure: time comes in. Not thread-safe.
//
//   breaker.on_link_lost(now, error);  breaker.on_probe(now);  breaker.on_link_up(now);
//   if (breaker.state() != BreakerState::closed) …  // to the disk queue, because of breaker.reason()
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace hawser::store {

// The numbers of the gauge circuit_breaker_state.
//
//            on_link_lost, on_refused
//   closed ────────────────────────────► open ◄───────┐
//     ▲                                    │ on_probe │ on_link_lost, on_refused
//     │ on_link_up                         ▼          │
//     └───────────────────────────────── half_open ───┘
//
// on_link_up closes it from any state: a link that came up by itself is as good as one that was probed for.
enum class BreakerState : std::uint8_t { closed = 0, open = 1, half_open = 2 };

// "closed", "open", "half-open".
[[nodiscard]] std::string_view to_string(BreakerState state);

class Breaker {
 public:
  // An agent starts without a link: open, with no reason yet.
  explicit Breaker(Time now) noexcept : since_(now), opened_(now) {}

  // Each returns whether the state is another than before.
  // The first PING on a new link was answered.
  bool on_link_up(Time now);
  bool on_link_lost(Time now, Error why);
  // The server refused who we are: stays in reason() until a link is up, also when later probes fail to connect.
  bool on_refused(Time now, Error why);
  // A connection is being tried.
  bool on_probe(Time now);

  [[nodiscard]] BreakerState state() const noexcept { return state_; }
  // As the gauge has it.
  [[nodiscard]] int number() const noexcept { return static_cast<int>(state_); }
  // When this state began.
  [[nodiscard]] Time since() const noexcept { return since_; }
  // When it last stopped being closed, whatever was tried in the meantime; meaningless while it is closed.
  [[nodiscard]] Time away_since() const noexcept { return opened_; }
  // Why it is not closed. Nothing while it is, or before the first failure.
  [[nodiscard]] const std::optional<Error>& reason() const noexcept { return reason_; }
  // The reason is a refusal: a server is there.
  [[nodiscard]] bool refused() const noexcept { return refused_; }

 private:
  bool enter(BreakerState state, Time now);

  BreakerState state_ = BreakerState::open;
  Time since_;
  Time opened_;
  std::optional<Error> reason_;
  bool refused_ = false;
};

}  // namespace hawser::store
