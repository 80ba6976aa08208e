#include <boost/json/value.hpp>

#include "identity/token_write.hpp"

namespace hawser::identity {
namespace {

namespace json = boost::json;

json::object limits_of(const AccountLimits& limits, std::string& fault) {
  json::object object;
  MemberWriter members(object, fault);
  members.put("subs", limits.subscriptions);
  members.put("data", limits.data);
  members.put("payload", limits.payload);
  members.put("imports", limits.imports);
  members.put("exports", limits.exports);
  members.put("wildcards", limits.wildcard_exports);
  members.put("disallow_bearer", limits.disallow_bearer);
  members.put("conn", limits.connections);
  members.put("leaf", limits.leaf_connections);
  members.put_rest(limits.unknown);
  return object;
}

// Of a template an absent limit reads as none: 0 has to be said.
json::object template_of(const SigningKey& key, std::string& fault) {
  json::object object;
  MemberWriter members(object, fault);
  write_user_limits(key.limits, members);
  if (key.limits.subscriptions == 0) {
    members.put_always("subs", 0);
  }
  if (key.limits.data == 0) {
    members.put_always("data", 0);
  }
  if (key.limits.payload == 0) {
    members.put_always("payload", 0);
  }
  members.put_rest(key.unknown_limits);
  return object;
}

json::value signing_key_of(const SigningKey& key, std::string& fault) {
  if (!key.scoped) {
    return json::string(json::string_view(key.key));
  }
  json::object object{{"kind", "user_scope"}, {"key", key.key}, {"role", key.role}};
  MemberWriter members(object, fault);
  members.put("description", key.description);
  members.put_always("template", template_of(key, fault));
  members.put_rest(key.unknown);
  return object;
}

json::array targets_of(const std::vector<MappingTargetClaim>& targets, std::string& fault) {
  json::array array;
  for (const MappingTargetClaim& target : targets) {
    json::object object{{"subject", target.subject}};
    MemberWriter members(object, fault);
    members.put("weight", std::int64_t(target.weight));
    members.put("cluster", target.cluster);
    array.emplace_back(std::move(object));
  }
  return array;
}

}  // namespace

void write_account(const AccountClaims& claims, MemberWriter& nats) {
  write_imports(claims.imports, nats);
  write_exports(claims.exports, nats);
  nats.put_always("limits", limits_of(claims.limits, nats.fault()));
  json::array keys;
  for (const SigningKey& key : claims.signing_keys) {
    keys.emplace_back(signing_key_of(key, nats.fault()));
  }
  if (!keys.empty()) {
    nats.put_always("signing_keys", std::move(keys));
  }
  write_revocations(claims.revocations, nats);
  json::object permissions;
  MemberWriter inner(permissions, nats.fault());
  write_permissions(claims.default_permissions, inner);
  nats.put_always("default_permissions", std::move(permissions));
  json::object mappings;
  for (const auto& [subject, targets] : claims.mappings) {
    mappings.emplace(json::string_view(subject), targets_of(targets, nats.fault()));
  }
  if (!mappings.empty()) {
    nats.put_always("mappings", std::move(mappings));
  }
  nats.put("description", claims.description);
  nats.put("info_url", claims.info_url);
}

}  // namespace hawser::identity
