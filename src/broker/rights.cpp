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
  if (replies_.size() >= kMost) {
    std::erase_if(replies_, [now](const auto& entry) { return entry.second.until <= now; });
    if (replies_.size() >= kMost) {
      return;
    }
  }
  const Time until = permission_.expires < Duration::zero() ? Time::max() : now + permission_.expires;
  replies_.insert_or_assign(std::string(reply), Open{permission_.max, until});
}

bool ReplyTable::use(std::string_view reply, Time now) {
  const auto at = replies_.find(reply);
  if (at == replies_.end()) {
    return false;
  }
  if (at->second.until <= now) {
    replies_.erase(at);
    return false;
  }
  if (at->second.left > 0 && --at->second.left == 0) {
    replies_.erase(at);
  }
  return true;
}

}  // namespace hawser::broker
