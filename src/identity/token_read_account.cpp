#include <algorithm>
#include <boost/json/value.hpp>

#include "identity/token_read.hpp"

namespace hawser::identity {
namespace {

namespace json = boost::json;

// What is absent reads as 0 or false, as in nats-server.
void read_limits(MemberReader& members, AccountLimits& limits) {
  limits = AccountLimits::absent();
  const json::object* object = members.object("limits");
  if (object == nullptr) {
    return;
  }
  MemberReader inner(*object, members.path_of("limits"), members.fault());
  inner.take("subs", limits.subscriptions);
  inner.take("data", limits.data);
  inner.take("payload", limits.payload);
  inner.take("imports", limits.imports);
  inner.take("exports", limits.exports);
  inner.take("wildcards", limits.wildcard_exports);
  inner.take("disallow_bearer", limits.disallow_bearer);
  inner.take("conn", limits.connections);
  inner.take("leaf", limits.leaf_connections);
  limits.unknown = inner.rest();
}

void read_scope(MemberReader& members, SigningKey& key) {
  key.scoped = true;
  std::string kind;
  members.take("kind", kind);
  if (kind != "user_scope") {
    members.refuse("kind", "is of a kind that this version does not know");
  }
  members.take("key", key.key);
  members.take("role", key.role);
  members.take("description", key.description, kTextBytes);
  if (const json::object* object = members.object("template"); object != nullptr) {
    MemberReader inner(*object, members.path_of("template"), members.fault());
    read_user_limits(inner, key.limits);  // absent limits are none here, other than in a user's own JWT
    key.unknown_limits = inner.rest();
  }
  key.unknown = members.rest();
}

// Strings, and objects where a scope belongs to the key.
void read_signing_keys(MemberReader& members, std::vector<SigningKey>& keys) {
  const json::array* array = members.array("signing_keys");
  std::vector<std::string_view> seen;
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
    SigningKey& key = keys.emplace_back();
    if (read_text((*array)[i], key.key)) {
      continue;
    }
    const std::string path = members.path_of("signing_keys", i);
    if (const json::object* object = object_at(*array, i, path, members.fault()); object != nullptr) {
      MemberReader inner(*object, path, members.fault());
      read_scope(inner, key);
    }
  }
  std::ranges::transform(keys, std::back_inserter(seen), &SigningKey::key);
  std::ranges::sort(seen);
  if (std::ranges::adjacent_find(seen) != seen.end()) {
    members.refuse("signing_keys", "holds a key twice");  // with a scope and without, which of them would count?
  }
}

void read_mappings(MemberReader& members, AccountClaims& claims) {
  const json::object* object = members.object("mappings");
  if (object == nullptr) {
    return;
  }
  for (const json::key_value_pair& member : *object) {
    if (!member.value().is_array()) {
      members.refuse("mappings", "holds what is no array");
      return;
    }
    const json::array& array = member.value().get_array();
    auto& targets = claims.mappings[std::string(member.key().data(), member.key().size())];
    for (std::size_t i = 0; i < array.size(); ++i) {
      const std::string path = members.path_of("mappings");
      if (const json::object* target = object_at(array, i, path, members.fault()); target != nullptr) {
        MemberReader inner(*target, path, members.fault());
        inner.take("subject", targets.emplace_back().subject);
        inner.take("weight", targets.back().weight, 255);
        inner.take("cluster", targets.back().cluster);
        (void)inner.rest();
      }
    }
  }
}

}  // namespace

void read_account(PayloadMembers members, AccountClaims& claims) {
  MemberReader& nats = members.nats;
  read_imports(nats, claims.imports);
  read_exports(nats, claims.exports);
  read_limits(nats, claims.limits);
  read_signing_keys(nats, claims.signing_keys);
  read_revocations(nats, claims.revocations);
  if (const json::object* object = nats.object("default_permissions"); object != nullptr) {
    MemberReader inner(*object, nats.path_of("default_permissions"), nats.fault());
    read_permissions(inner, claims.default_permissions);
    (void)inner.rest();
  }
  read_mappings(nats, claims);
  nats.take("description", claims.description, kTextBytes);
  nats.take("info_url", claims.info_url, kTextBytes);
}

}  // namespace hawser::identity
