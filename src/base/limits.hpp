// The bounds of everything that is read from outside, in one place. Each has a stated behaviour at the bound.
#pragma once

#include <cstddef>

namespace hawser::limits {

inline constexpr std::size_t kControlLineBytes = 4096;            // as nats-server's max_control_line
inline constexpr std::size_t kMaxPayloadBytes = 64UL << 20U;      // the most that any max_payload may be
inline constexpr std::size_t kInfoBytes = 256UL << 10U;           // INFO with connect_urls, CONNECT with a JWT
inline constexpr std::size_t kPemFileBytes = 4UL << 20U;          // certificate, key, CA bundle
inline constexpr std::size_t kCrlFileBytes = 64UL << 20U;
inline constexpr std::size_t kConfigFileBytes = 4UL << 20U;
inline constexpr std::size_t kCredentialFileBytes = 1UL << 20U;   // nats-server's bound for a JWT
inline constexpr std::size_t kSubjectTokens = 256;

}  // namespace hawser::limits
