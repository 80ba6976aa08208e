#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <openssl/evp.h>

#include "identity/claim_keys.hpp"
#include "identity/encoding.hpp"
#include "identity/token.hpp"
#include "identity/token_text.hpp"
#include "identity/token_write.hpp"

namespace hawser::identity {
namespace {

namespace json = boost::json;

void write_type(const Claims& claims, MemberWriter& nats) {
  if (const auto* generic = std::get_if<GenericClaims>(&claims); generic != nullptr) {
    nats.put("type", generic->type);
  } else {
    nats.put("type", type_name(claims));
  }
}

json::object nats_of(const Claims& claims, std::string& fault) {
  json::object object;
  MemberWriter nats(object, fault);
  if (const auto* as_operator = std::get_if<OperatorClaims>(&claims)) {
    nats.put("signing_keys", as_operator->signing_keys);
    nats.put("account_server_url", as_operator->account_server_url);
    nats.put("operator_service_urls", as_operator->service_urls);
    nats.put("system_account", as_operator->system_account);
    nats.put("assert_server_version", as_operator->assert_server_version);
    nats.put("strict_signing_key_usage", as_operator->strict_signing_keys);
  } else if (const auto* account = std::get_if<AccountClaims>(&claims)) {
    write_account(*account, nats);
  } else if (const auto* user = std::get_if<UserClaims>(&claims)) {
    write_user(*user, nats);
  } else if (const auto* activation = std::get_if<ActivationClaims>(&claims)) {
    write_activation(*activation, nats);
  }
  nats.put("tags", common(claims).tags);
  write_type(claims, nats);
  nats.put("version", std::int64_t(2));
  nats.put_rest(common(claims).unknown);
  return object;
}

// In the order of nats-io/jwt, whose hash depends on it.
json::object registered_of(const CommonClaims& claims, std::string_view issuer, std::chrono::sys_seconds now,
                           std::string_view id, std::string& fault) {
  json::object object;
  MemberWriter members(object, fault);
  members.put("aud", claims.audience);
  members.put("exp", claims.expires);
  members.put("jti", id);
  members.put("iat", std::optional(now));
  members.put("iss", issuer);
  members.put("name", claims.name);
  members.put("nbf", claims.not_before);
  members.put("sub", claims.subject);
  return object;
}

// Go's encoder writes these three as escapes; in JSON they stand inside of strings only.
std::string escaped_as_go_does(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '<': escaped += "\\u003c"; break;
      case '>': escaped += "\\u003e"; break;
      case '&': escaped += "\\u0026"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

Result<std::string> id_of(const json::object& registered) {
  const std::string text = escaped_as_go_does(json::serialize(registered));
  std::array<std::uint8_t, 32> digest{};
  unsigned length = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha512_256(), nullptr) != 1) {
    return fail(Errc::signing_failed, "hashing claims");
  }
  return encode_base32(digest);
}

Result<std::string> payload_of(const Claims& claims, std::string_view issuer, std::chrono::sys_seconds now) {
  std::string fault;
  const CommonClaims& basics = common(claims);
  const Result<std::string> id = id_of(registered_of(basics, issuer, now, "", fault));
  if (!id) {
    return id;
  }
  json::object object = registered_of(basics, issuer, now, *id, fault);
  MemberWriter members(object, fault);
  members.put_always("nats", nats_of(claims, fault));
  members.put_rest(basics.unknown_beside);
  if (!fault.empty()) {
    return fail(Errc::jwt_malformed, std::move(fault));
  }
  return json::serialize(object);
}

// Names that are not UTF-8, too much of something, members kept as text that make another type of it: what we could not
// read ourselves, as what it is meant to be, goes nowhere.
Result<std::string> as_read_again(std::string token, const Claims& claims) {
  const Result<Claims> read = decode(token);
  if (!read) {
    return fail(read.error().code, "writing a JWT that could not be read: " + read.error().doing);
  }
  if (read->index() != claims.index()) {
    return fail(Errc::jwt_malformed, "writing a JWT of type " + std::string(type_name(claims)) +
                                         ": it would be read as of type " + std::string(type_name(*read)));
  }
  return token;
}

}  // namespace

Result<std::string> encode(const Claims& claims, const KeyPair& signer, std::chrono::sys_seconds now) {
  const std::string type(type_name(claims));
  if (!may_issue(claims, signer.public_key().kind())) {
    return fail(Errc::jwt_subject_wrong, "signing claims of type " + type + " with the key of a " +
                                             std::string(to_string(signer.public_key().kind())));
  }
  if (!may_be_about(claims, common(claims).subject)) {
    return fail(Errc::jwt_subject_wrong, "signing claims of type " + type + ": their subject is no key of that kind");
  }
  const Result<std::string> payload = payload_of(claims, signer.public_key().text(), now);
  if (!payload) {
    return payload;
  }
  std::string token = encode_base64url(as_bytes(kTokenHeader)) + '.' + encode_base64url(as_bytes(*payload));
  const Result<Signature> signature = signer.sign(token);
  if (!signature) {
    return std::unexpected(signature.error());
  }
  token += '.' + encode_base64url(*signature);
  return as_read_again(std::move(token), claims);
}

}  // namespace hawser::identity
