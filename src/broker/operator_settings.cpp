#include "broker/operator_settings.hpp"

namespace hawser::broker {

identity::TrustedKeys OperatorSettings::trusted() const {
  identity::TrustedKeys keys(trusted_keys.begin(), trusted_keys.end());
  for (const identity::OperatorClaims& one : operators) {
    for (const std::string& key : one.trusted_keys()) {
      keys.insert(key);
    }
  }
  return keys;
}

identity::TrustedKeys OperatorSettings::strict() const {
  identity::TrustedKeys keys;
  for (const identity::OperatorClaims& one : operators) {
    if (one.strict_signing_keys) {
      keys.insert(one.signing_keys.begin(), one.signing_keys.end());
    }
  }
  return keys;
}

}  // namespace hawser::broker
