#include <boost/json/value.hpp>

#include "identity/token_write.hpp"

namespace hawser::identity {
namespace {

namespace json = boost::json;

json::object rules_of(const SubjectRules& rules, std::string& fault) {
  json::object object;
  MemberWriter members(object, fault);
  members.put("allow", rules.allow);
  members.put("deny", rules.deny);
  return object;
}

}  // namespace

void write_permissions(const ClaimPermissions& permissions, MemberWriter& members) {
  members.put_always("pub", rules_of(permissions.publish, members.fault()));
  members.put_always("sub", rules_of(permissions.subscribe, members.fault()));
  if (permissions.responses) {
    const std::int64_t ttl = std::chrono::nanoseconds(permissions.responses->expires).count();
    members.put_always("resp", json::object{{"max", permissions.responses->max}, {"ttl", ttl}});
  }
}

void write_user_limits(const UserLimits& limits, MemberWriter& members) {
  write_permissions(limits.permissions, members);
  members.put("src", limits.sources);
  json::array times;
  for (const DailyTimes& time : limits.times) {
    json::object object;
    MemberWriter inner(object, members.fault());
    inner.put("start", time.start);
    inner.put("end", time.end);
    times.emplace_back(std::move(object));
  }
  if (!times.empty()) {
    members.put_always("times", std::move(times));
  }
  members.put("times_location", limits.times_location);
  members.put("subs", limits.subscriptions);
  members.put("data", limits.data);
  members.put("payload", limits.payload);
  members.put("bearer_token", limits.bearer);
  members.put("allowed_connection_types", limits.allowed_connection_types);
}

void write_user(const UserClaims& claims, MemberWriter& nats) {
  write_user_limits(claims, nats);
  nats.put("issuer_account", claims.issuer_account);
}

}  // namespace hawser::identity
