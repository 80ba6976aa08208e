#include <boost/json/value.hpp>

#include "identity/token_read.hpp"

namespace hawser::identity {
namespace {

namespace json = boost::json;

void read_rules(MemberReader& members, std::string_view key, SubjectRules& rules) {
  if (const json::object* object = members.object(key); object != nullptr) {
    MemberReader inner(*object, members.path_of(key), members.fault());
    inner.take("allow", rules.allow);
    inner.take("deny", rules.deny);
    (void)inner.rest();
  }
}

// An array, or, as the first version has it, one string with commas.
void read_sources(MemberReader& members, std::vector<std::string>& sources) {
  const json::value* value = members.value("src");
  if (value == nullptr) {
    return;
  }
  if (!value->is_string()) {
    members.take("src", sources);
    return;
  }
  std::string list;
  members.take("src", list, kTextBytes);
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    std::string_view one = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    while (one.starts_with(' ')) {
      one.remove_prefix(1);
    }
    while (one.ends_with(' ')) {
      one.remove_suffix(1);
    }
    if (!one.empty()) {
      sources.emplace_back(one);
    }
  }
}

void read_times(MemberReader& members, std::vector<DailyTimes>& times) {
  const json::array* array = members.array("times");
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
    const std::string path = members.path_of("times", i);
    if (const json::object* object = object_at(*array, i, path, members.fault()); object != nullptr) {
      MemberReader inner(*object, path, members.fault());
      inner.take("start", times.emplace_back().start);
      inner.take("end", times.back().end);
      (void)inner.rest();
    }
  }
}

}  // namespace

void read_permissions(MemberReader& members, ClaimPermissions& permissions) {
  read_rules(members, "pub", permissions.publish);
  read_rules(members, "sub", permissions.subscribe);
  if (const json::object* object = members.object("resp"); object != nullptr) {
    MemberReader inner(*object, members.path_of("resp"), members.fault());
    ResponseRule rule{.max = 0};
    inner.take("max", rule.max);
    inner.take("ttl", rule.expires);
    (void)inner.rest();
    permissions.responses = rule;
  }
}

void read_user_limits(MemberReader& members, UserLimits& limits) {
  read_permissions(members, limits.permissions);
  read_sources(members, limits.sources);
  read_times(members, limits.times);
  members.take("times_location", limits.times_location);
  members.take("subs", limits.subscriptions);
  members.take("data", limits.data);
  members.take("payload", limits.payload);
  members.take("bearer_token", limits.bearer);
  members.take("allowed_connection_types", limits.allowed_connection_types);
}

void read_user(PayloadMembers members, UserClaims& claims) {
  if (claims.version > 1) {
    static_cast<UserLimits&>(claims) = UserLimits::absent();  // of the first version, absent limits are none
  }
  read_user_limits(members.nats, claims);
  (claims.version == 1 ? members.outer : members.nats).take("issuer_account", claims.issuer_account);
}

}  // namespace hawser::identity
