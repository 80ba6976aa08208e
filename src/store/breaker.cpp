#include "store/breaker.hpp"

#include <utility>

namespace hawser::store {

std::string_view to_string(BreakerState state) {
  switch (state) {
    case BreakerState::closed: return "closed";
    case BreakerState::open: return "open";
    case BreakerState::half_open: return "half-open";
  }
  return "";
}

bool Breaker::enter(BreakerState state, Time now) {
  if (state_ == state) {
    return false;
  }
  if (state_ == BreakerState::closed) {
    opened_ = now;
  }
  state_ = state;
  since_ = now;
  return true;
}

bool Breaker::on_link_up(Time now) {
  reason_.reset();
  refused_ = false;
  return enter(BreakerState::closed, now);
}

bool Breaker::on_link_lost(Time now, Error why) {
  if (!refused_) {
    reason_ = std::move(why);
  }
  return enter(BreakerState::open, now);
}

bool Breaker::on_refused(Time now, Error why) {
  reason_ = std::move(why);
  refused_ = true;
  return enter(BreakerState::open, now);
}

bool Breaker::on_probe(Time now) { return state_ != BreakerState::closed && enter(BreakerState::half_open, now); }

}  // namespace hawser::store
