#include "identity/claims.hpp"

#include <algorithm>

namespace hawser::identity {

UserLimits UserLimits::absent() {
  UserLimits limits;
  limits.subscriptions = 0;
  limits.data = 0;
  limits.payload = 0;
  return limits;
}

AccountLimits AccountLimits::absent() {
  AccountLimits limits{.subscriptions = 0, .data = 0, .payload = 0, .imports = 0, .exports = 0, .wildcard_exports = false};
  limits.connections = 0;
  limits.leaf_connections = 0;
  return limits;
}

bool revoked(const Revocations& revocations, std::string_view key, std::optional<std::chrono::sys_seconds> issued_at) {
  const std::chrono::sys_seconds issued = issued_at.value_or(std::chrono::sys_seconds{});
  const auto voids = [&](std::string_view whom) {
    const auto found = revocations.find(whom);
    return found != revocations.end() && found->second >= issued;
  };
  return voids(key) || voids("*");
}

const SigningKey* AccountClaims::signing_key(std::string_view key) const {
  const auto found = std::ranges::find(signing_keys, key, &SigningKey::key);
  return found == signing_keys.end() ? nullptr : &*found;
}

std::vector<std::string> OperatorClaims::trusted_keys() const {
  std::vector<std::string> keys = signing_keys;
  if (!strict_signing_keys) {
    keys.insert(keys.begin(), subject);
  }
  return keys;
}

std::string_view type_name(const Claims& claims) {
  constexpr std::string_view kNames[] = {"operator", "account", "user", "activation"};
  if (const auto* generic = std::get_if<GenericClaims>(&claims); generic != nullptr) {
    return generic->type.empty() ? "generic" : std::string_view(generic->type);
  }
  return kNames[claims.index()];
}

}  // namespace hawser::identity
