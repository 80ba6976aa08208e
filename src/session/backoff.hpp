// How long to wait before trying again: doubling with full jitter, up to a cap, for ever.
//
// Refusals of credentials have a slower ladder of their own (a server may lock out who repeats them), which only an
// accepted connection or new inputs end. Pure; one owner. The random source is handed in.
//
//   const Duration wait = backoff.failed(Backoff::Failure::unreachable);
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.hpp"

namespace hawser::session {

// 64 random bits.
using RandomBits = std::function<std::uint64_t()>;

struct BackoffOptions {
  Duration wait = std::chrono::milliseconds(50);  // the first wait is up to this, the next up to twice, …
  Duration max_wait = std::chrono::seconds(2);
  Duration denied_wait = std::chrono::seconds(1);
  Duration denied_max_wait = std::chrono::minutes(1);
};

class Backoff {
 public:
  enum class Failure : std::uint8_t {
    unreachable,  // refused, timed out, broken off: the network, or a server that is away
    denied,       // the server answered, and refused who we are
  };

  explicit Backoff(const BackoffOptions& options) : options_(options) {}

  // The wait after this failure: a random part of the ladder's step; of a denial at least half of it.
  [[nodiscard]] Duration failed(Failure failure, const RandomBits& random);
  // A connection was accepted (PONG): both ladders start anew.
  void succeeded();
  // Credentials or material changed: the next try is to be made at once, and the ladders start anew.
  void inputs_changed() { succeeded(); }

  [[nodiscard]] std::uint32_t failures() const { return failures_; }  // in a row
  [[nodiscard]] std::uint32_t denials() const { return denials_; }    // since the last success

 private:
  BackoffOptions options_;
  std::uint32_t failures_ = 0;
  std::uint32_t denials_ = 0;
};

}  // namespace hawser::session
