#include "agent/lifetime.hpp"

#include <algorithm>

namespace hawser::agent {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

sys_seconds begin_of(Stage stage, const Lifetime& lifetime) {
  const seconds whole = std::max(lifetime.end - lifetime.begin, seconds::zero());
  switch (stage) {
    case Stage::fine: return sys_seconds::min();
    case Stage::soon: return lifetime.end - std::min<seconds>(whole / 3, std::chrono::days(30));
    case Stage::urgent: return lifetime.end - std::min<seconds>(whole / 10, std::chrono::days(3));
    case Stage::ended: return lifetime.end;
  }
  return lifetime.end;
}

}  // namespace

Stage stage(const Lifetime& lifetime, sys_seconds now) {
  Stage reached = Stage::fine;
  for (const Stage next : {Stage::soon, Stage::urgent, Stage::ended}) {
    if (now >= begin_of(next, lifetime)) reached = next;
  }
  return reached;
}

std::optional<sys_seconds> next_stage(const Lifetime& lifetime, sys_seconds now) {
  for (const Stage next : {Stage::soon, Stage::urgent, Stage::ended}) {
    if (const sys_seconds begin = begin_of(next, lifetime); now < begin) return begin;
  }
  return std::nullopt;
}

}  // namespace hawser::agent
