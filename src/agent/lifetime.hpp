// From when until when something that we connect with may be used, and when somebody should hear that it ends.
//
// Pure; times are arguments. In seconds, since a certificate may end in the year 9999, which nanoseconds cannot say.
//
//   if (stage(lifetime, now) > told) warn();   look_again_at(next_stage(lifetime, now));
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace hawser::agent {

struct Lifetime {
  std::chrono::sys_seconds begin;
  std::chrono::sys_seconds end;
};

// What renews things does so at a third of their life, at the latest; so whoever has less left is late.
enum class Stage : std::uint8_t {
  fine,
  soon,    // a third of its life is left, or 30 days
  urgent,  // a tenth, or 3 days
  ended,
};

[[nodiscard]] Stage stage(const Lifetime& lifetime, std::chrono::sys_seconds now);
// When the next stage begins; nothing once it has ended.
[[nodiscard]] std::optional<std::chrono::sys_seconds> next_stage(const Lifetime& lifetime, std::chrono::sys_seconds now);

}  // namespace hawser::agent
