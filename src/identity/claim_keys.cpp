#include "identity/claim_keys.hpp"

namespace hawser::identity {
namespace {

template <class T>
bool are(const Claims& claims) {
  return std::holds_alternative<T>(claims);
}

}  // namespace

bool may_issue(const Claims& claims, KeyKind issuer) {
  switch (issuer) {
    case KeyKind::operator_key: return !are<UserClaims>(claims);
    case KeyKind::account: return !are<OperatorClaims>(claims);
    case KeyKind::user: return are<GenericClaims>(claims);
    case KeyKind::cluster:
    case KeyKind::server:
    case KeyKind::curve: return false;
  }
  return false;
}

bool is_key(std::string_view text, KeyKind kind) {
  const Result<PublicKey> key = PublicKey::parse(text);
  return key && key->kind() == kind;
}

bool may_be_about(const Claims& claims, std::string_view subject) {
  if (are<GenericClaims>(claims)) {
    return !subject.empty();
  }
  const KeyKind kind = are<OperatorClaims>(claims) ? KeyKind::operator_key
                       : are<UserClaims>(claims)   ? KeyKind::user
                                                   : KeyKind::account;
  return is_key(subject, kind);
}

}  // namespace hawser::identity
