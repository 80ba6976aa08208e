#include "session/backoff.hpp"

#include <algorithm>

namespace hawser::session {
namespace {

// `first` doubled `times` times, up to `most`.
Duration step(Duration first, Duration most, std::uint32_t times) {
  if (first <= Duration{}) return Duration{};
  Duration current = std::min(first, most);
  for (; times > 0 && current < most; --times) current = current > most / 2 ? most : 2 * current;
  return current;
}

Duration random_up_to(Duration most, const RandomBits& random) {
  return Duration(static_cast<Duration::rep>(random() % (static_cast<std::uint64_t>(most.count()) + 1)));
}

}  // namespace

Duration Backoff::failed(Failure failure, const RandomBits& random) {
  constexpr std::uint32_t kMost = 0xFFFF'FFFE;
  const Duration usual = step(options_.wait, options_.max_wait, failures_);
  failures_ = std::min(failures_, kMost) + 1;
  if (failure == Failure::unreachable) return random_up_to(usual, random);
  const Duration slow = step(options_.denied_wait, options_.denied_max_wait, denials_);
  denials_ = std::min(denials_, kMost) + 1;
  return slow / 2 + random_up_to(slow / 2, random);
}

void Backoff::succeeded() {
  failures_ = 0;
  denials_ = 0;
}

}  // namespace hawser::session
