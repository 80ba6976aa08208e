#include "identity/token_read.hpp"

#include <boost/json/value.hpp>

namespace hawser::identity {
namespace {

namespace json = boost::json;

std::unexpected<Error> malformed(std::string_view why) {
  return fail(Errc::jwt_malformed, "reading a JWT: " + std::string(why));
}

std::unexpected<Error> unsupported(std::string_view why) {
  return fail(Errc::jwt_unsupported, "reading a JWT: " + std::string(why));
}

bool of_known_kind(std::string_view type) {
  return type == "operator" || type == "account" || type == "user" || type == "activation";
}

struct Identification {
  std::string type{};
  int version = 0;
};

// The first version has the type beside `nats`, and no number; the second has both inside.
Result<Identification> identify(PayloadMembers members, TokenAlgorithm algorithm) {
  Identification id;
  int number = 0;
  if (const json::value* version = members.nats.value("version"); version != nullptr) {
    if (!version->is_int64() || version->get_int64() < 1 || version->get_int64() > 2) {
      return unsupported("it is of a version that is not 1 or 2");
    }
    number = static_cast<int>(version->get_int64());
  }
  members.outer.take("type", id.type);
  if (!id.type.empty()) {
    id.version = 1;
  } else {
    // Of a type unknown to us it may be anything; of an activation of version 1 it is the kind of export.
    const json::value* type = members.nats.value("type");
    if (type != nullptr && !read_text(*type, id.type)) {
      return malformed("`nats.type` is not a string");
    }
    id.version = number;
  }
  if (id.type == "cluster" || id.type == "server") {
    return unsupported("no server knows claims of this type any more");
  }
  if (!of_known_kind(id.type)) {
    id.version = algorithm == TokenAlgorithm::ed25519 ? 1 : 2;  // generic claims need not tell
  }
  if (id.version == 0) {
    return unsupported("it names no version");
  }
  return id;
}

void read_common(PayloadMembers members, CommonClaims& claims) {
  MemberReader& outer = members.outer;
  outer.take("sub", claims.subject);
  outer.take("name", claims.name);
  outer.take("iss", claims.issuer);
  outer.take("jti", claims.id);
  outer.take("aud", claims.audience);
  outer.take("iat", claims.issued_at);
  outer.take("nbf", claims.not_before);
  outer.take("exp", claims.expires);
  (claims.version == 1 ? outer : members.nats).take("tags", claims.tags);
}

// Of the first version only what has a place in the second is kept.
void keep_unknown(PayloadMembers members, CommonClaims& claims) {
  std::string inner = members.nats.rest();
  std::string beside = members.outer.rest();
  if (claims.version > 1) {
    claims.unknown = std::move(inner);
    claims.unknown_beside = std::move(beside);
  }
}

template <class T>
Claims read_as(PayloadMembers members, const Identification& id, void (*read)(PayloadMembers, T&)) {
  T claims;
  claims.version = id.version;
  read_common(members, claims);
  read(members, claims);
  keep_unknown(members, claims);
  return claims;
}

Claims read_generic(PayloadMembers members, const Identification& id) {
  GenericClaims claims;
  claims.version = id.version;
  claims.type = id.type;
  read_common(members, claims);
  claims.unknown = members.nats.rest();
  claims.unknown_beside = members.outer.rest();
  return claims;
}

Claims read_by_type(PayloadMembers members, const Identification& id) {
  if (id.type == "operator") {
    return read_as<OperatorClaims>(members, id, read_operator);
  }
  if (id.type == "account") {
    return read_as<AccountClaims>(members, id, read_account);
  }
  if (id.type == "user") {
    return read_as<UserClaims>(members, id, read_user);
  }
  if (id.type == "activation") {
    return read_as<ActivationClaims>(members, id, read_activation);
  }
  return read_generic(members, id);
}

}  // namespace

Result<Claims> read_claims(const json::object& payload, TokenAlgorithm algorithm) {
  std::string fault;
  MemberReader outer(payload, "", fault);
  static const json::object kNothing;
  // The first version left `nats` out when it had nothing to say, as operators did.
  const bool left_out = payload.if_contains("nats") == nullptr && payload.if_contains("type") != nullptr;
  const json::object* nats = left_out ? &kNothing : outer.object("nats");
  if (nats == nullptr) {
    return malformed("it has no object `nats`");
  }
  MemberReader inner(*nats, "nats", fault);
  const PayloadMembers members{.outer = outer, .nats = inner};
  const Result<Identification> id = identify(members, algorithm);
  if (!id) {
    return std::unexpected(id.error());
  }
  Claims claims = read_by_type(members, *id);
  if (!fault.empty()) {
    return malformed(fault);
  }
  return claims;
}

void read_operator(PayloadMembers members, OperatorClaims& claims) {
  MemberReader& nats = members.nats;
  nats.take("signing_keys", claims.signing_keys);
  nats.take("account_server_url", claims.account_server_url);
  nats.take("operator_service_urls", claims.service_urls);
  nats.take("system_account", claims.system_account);
  nats.take("assert_server_version", claims.assert_server_version);
  nats.take("strict_signing_key_usage", claims.strict_signing_keys);
}

}  // namespace hawser::identity
