#include "broker/rights.hpp"

namespace hawser::broker {
namespace {

// Who may answer requests and was given no other list may publish nothing else.
PermissionRules publish_rules(const Permissions& permissions) {
  PermissionRules rules = permissions.publish;
  if (permissions.responses && !rules.allow) {
    rules.allow.emplace();
  }
  return rules;
}

routing::SubjectRules compile(const PermissionRules& rules) { return routing::SubjectRules(rules.allow, rules.deny); }

}  // namespace

Rights::Rights(const Permissions& permissions)
    : publish(compile(publish_rules(permissions))),
      subscribe(compile(permissions.subscribe)),
      responses(permissions.responses) {}

void ReplyTable::remember(std::string_view reply, Time now) {
  if (const auto known = replies_.find(reply); known != replies_.end()) {
    forget(known);
  }
  while (!oldest_.empty() && (replies_.size() >= kMost || replies_.find(oldest_.front())->second.until <= now)) {
    forget(replies_.find(oldest_.front()));
  }
  const Time until = permission_.expires < Duration::zero() ? Time::max() : now + permission_.expires;
  const auto made = replies_.emplace(reply, Open{permission_.max, until, {}}).first;
  made->second.place = oldest_.insert(oldest_.end(), made->first);
}

void ReplyTable::forget(Replies::iterator at) {
  oldest_.erase(at->second.place);
  replies_.erase(at);
}

bool ReplyTable::use(std::string_view reply, Time now) {
  const auto at = replies_.find(reply);
  if (at == replies_.end()) {
    return false;
  }
  if (at->second.until <= now) {
    forget(at);
    return false;
  }
  if (at->second.left > 0 && --at->second.left == 0) {
    forget(at);
  }
  return true;
}

}  // namespace hawser::broker
