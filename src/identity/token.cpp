#include "identity/token.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cctype>

#include "base/limits.hpp"
#include "identity/claim_keys.hpp"
#include "identity/encoding.hpp"
#include "identity/indented_json.hpp"
#include "identity/strict_json.hpp"
#include "identity/token_read.hpp"
#include "identity/token_text.hpp"

namespace hawser::identity {
namespace {

namespace json = boost::json;

std::unexpected<Error> malformed(std::string_view why) {
  return fail(Errc::jwt_malformed, "reading a JWT: " + std::string(why));
}

std::string_view issuer_account(const Claims& claims) {
  if (const auto* user = std::get_if<UserClaims>(&claims); user != nullptr) {
    return user->issuer_account;
  }
  const auto* activation = std::get_if<ActivationClaims>(&claims);
  return activation == nullptr ? std::string_view() : std::string_view(activation->issuer_account);
}

// The issuer, if keys of its kind may issue such claims about such a subject.
Result<PublicKey> read_issuer(const Claims& claims) {
  const std::string of_type = " claims of type " + std::string(type_name(claims));
  Result<PublicKey> issuer = PublicKey::parse(common(claims).issuer);
  if (!issuer || !may_issue(claims, issuer->kind())) {
    return malformed("`iss` is not the public key of one who may issue" + of_type);
  }
  if (!may_be_about(claims, common(claims).subject)) {
    return malformed("`sub` is not a public key for" + of_type);
  }
  if (const std::string_view account = issuer_account(claims); !account.empty() && !is_key(account, KeyKind::account)) {
    return malformed("`issuer_account` is not the public key of an account");
  }
  return issuer;
}

struct Opened {
  json::object payload;
  Claims claims;
};

Result<Opened> open(std::string_view token) {
  const Result<TokenText> text = take_apart(token);
  if (!text) {
    return std::unexpected(text.error());
  }
  Result<json::object> payload =
      parse_object(text->payload.reveal(), Errc::jwt_malformed, "reading a JWT: the payload");
  if (!payload) {
    return std::unexpected(payload.error());
  }
  Result<Claims> claims = read_claims(*payload, text->algorithm);
  if (!claims) {
    return std::unexpected(claims.error());
  }
  const Result<PublicKey> issuer = read_issuer(*claims);
  if (!issuer) {
    return std::unexpected(issuer.error());
  }
  const bool first_version = common(*claims).version == 1;
  if (!issuer->verify(first_version ? text->payload_part : text->header_and_payload, as_bytes(text->signature))) {
    std::string doing = "reading the JWT of ";
    doing += std::holds_alternative<GenericClaims>(*claims)
                 ? "generic claims"
                 : std::string(type_name(*claims)) + ' ' + common(*claims).subject;
    return fail(Errc::jwt_signature_invalid, std::move(doing));
  }
  return Opened{.payload = std::move(*payload), .claims = std::move(*claims)};
}

template <class T>
Result<T> decode_as(std::string_view token, std::string_view type) {
  Result<Opened> opened = open(token);
  if (!opened) {
    return std::unexpected(opened.error());
  }
  if (T* claims = std::get_if<T>(&opened->claims); claims != nullptr) {
    return std::move(*claims);
  }
  return fail(Errc::jwt_wrong_type, "reading a JWT: its type is not `" + std::string(type) + '`');
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

Result<Claims> decode(std::string_view token) {
  Result<Opened> opened = open(token);
  return opened ? Result<Claims>(std::move(opened->claims)) : std::unexpected(opened.error());
}

Result<OperatorClaims> decode_operator(std::string_view token) { return decode_as<OperatorClaims>(token, "operator"); }
Result<AccountClaims> decode_account(std::string_view token) { return decode_as<AccountClaims>(token, "account"); }
Result<UserClaims> decode_user_jwt(std::string_view token) { return decode_as<UserClaims>(token, "user"); }
Result<ActivationClaims> decode_activation(std::string_view token) {
  return decode_as<ActivationClaims>(token, "activation");
}
Result<GenericClaims> decode_generic(std::string_view token) { return decode_as<GenericClaims>(token, "generic"); }

Result<std::string> token_of_file(std::string_view text) {
  if (text.size() > limits::kCredentialFileBytes) {
    return fail(Errc::limit_exceeded, "reading a JWT's file of " + std::to_string(text.size()) + " bytes, over 1 MiB");
  }
  std::string token;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || (line.starts_with("---") && line.ends_with("---"))) {
      if (!token.empty() && !line.empty()) {
        break;  // of a creds file the JWT is the first block; the rest is not for us
      }
      continue;
    }
    if (!token.empty()) {
      return malformed("the file holds more than one line of text");
    }
    token = line;
  }
  return token.empty() ? Result<std::string>(malformed("the file holds no token")) : Result<std::string>(token);
}

Result<std::string> payload_json(std::string_view token, bool pretty) {
  const Result<Opened> opened = open(token);
  if (!opened) {
    return std::unexpected(opened.error());
  }
  return pretty ? indented_json(opened->payload) : json::serialize(opened->payload);
}

}  // namespace hawser::identity
