// A fingerprint of a message as a subscriber sees it, to recognise the second copy of it.
//
// SipHash-1-3 with 128 bits, over the subscription, subject, reply, headers and payload, each with its length: all that
// a MSG or HMSG consists of. Keyed with a key that publishers do not know, two different messages collide with a chance
// of 2^-128, and a collision would be treated as two byte-identical messages are: one of them may be repeated, none is
// dropped for it while both links live. Pure.
//
//   const Fingerprint f = fingerprint(key, subscription.serial, frame);
#pragma once

#include <cstdint>
#include <string_view>

#include "wire/frame.hpp"

namespace hawser::session {

struct FingerprintKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

struct Fingerprint {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

[[nodiscard]] Fingerprint fingerprint(const FingerprintKey& key, std::uint64_t subscription, std::string_view subject,
                                      std::string_view reply, std::string_view headers, std::string_view payload);

[[nodiscard]] inline Fingerprint fingerprint(const FingerprintKey& key, std::uint64_t subscription,
                                             const wire::Frame& frame) {
  return fingerprint(key, subscription, frame.subject, frame.reply, frame.headers, frame.payload);
}

// SipHash-1-3-128 of bytes; for the tests that compare it with another implementation.
[[nodiscard]] Fingerprint siphash(const FingerprintKey& key, std::string_view bytes);

}  // namespace hawser::session
