#include "identity/jwt.hpp"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cctype>

#include "base/limits.hpp"
#include "base/secret.hpp"
#include "identity/encoding.hpp"
#include "identity/nkey.hpp"

namespace hawser::identity {
namespace {

namespace json = boost::json;

constexpr std::size_t kJsonDepth = 16;    // claims nest five deep
constexpr std::size_t kNameBytes = 4096;  // of a name, before it may reach a log line
constexpr std::size_t kConnectionTypes = 64;
constexpr std::int64_t kLatestSecond = 9'000'000'000;  // the year 2255: fits nanoseconds; later than any deadline

std::unexpected<Error> malformed(std::string_view why) {
  return fail(Errc::jwt_malformed, "reading a user JWT: " + std::string(why));
}

struct Parts {
  std::string_view header, payload, signature, signed_text;
};

Result<Parts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return malformed("not three parts with two dots between them");
  }
  return Parts{.header = token.substr(0, first),
               .payload = token.substr(first + 1, second - first - 1),
               .signature = token.substr(second + 1),
               .signed_text = token.substr(0, second)};
}

Result<json::object> parse_object(std::string_view part, std::string_view what) {
  std::optional<std::string> text = decode_base64url(part);
  if (!text) {
    return malformed("the " + std::string(what) + " is not base64url");
  }
  const Secret holder = Secret::take(std::move(*text));
  json::parse_options options;
  options.max_depth = kJsonDepth;
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(holder.reveal()), error, {}, options);
  if (error || !value.is_object()) {
    return malformed("the " + std::string(what) + " is not a JSON object");
  }
  return std::move(value.as_object());
}

// A string member; empty where it is absent. False where it is of another type.
bool read(const json::object& object, std::string_view key, std::string& out) {
  const json::value* value = object.if_contains(json::string_view(key));
  if (value == nullptr || value->is_null()) {
    return true;
  }
  if (!value->is_string() || value->as_string().size() > kNameBytes) {
    return false;
  }
  out.assign(value->as_string().data(), value->as_string().size());
  return true;
}

// Seconds since 1970; absent and 0 both mean "not set", as in NATS's own tools.
bool read(const json::object& object, std::string_view key, std::optional<std::chrono::sys_seconds>& out) {
  const json::value* value = object.if_contains(json::string_view(key));
  if (value == nullptr || value->is_null()) {
    return true;
  }
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  if (error || number < 0) {
    return false;
  }
  if (number > 0) {
    out = std::chrono::sys_seconds(std::chrono::seconds(std::min(number, kLatestSecond)));
  }
  return true;
}

bool read(const json::object& object, std::string_view key, bool& out) {
  const json::value* value = object.if_contains(json::string_view(key));
  if (value != nullptr && value->is_bool()) {
    out = value->as_bool();
  }
  return value == nullptr || value->is_bool() || value->is_null();
}

bool read(const json::object& object, std::string_view key, std::vector<std::string>& out) {
  const json::value* value = object.if_contains(json::string_view(key));
  if (value == nullptr || value->is_null()) {
    return true;
  }
  if (!value->is_array() || value->as_array().size() > kConnectionTypes) {
    return false;
  }
  for (const json::value& element : value->as_array()) {
    if (!element.is_string() || element.as_string().size() > kNameBytes) {
      return false;
    }
    out.emplace_back(element.as_string().data(), element.as_string().size());
  }
  return true;
}

Result<std::string> read_algorithm(const json::object& header) {
  std::string type;
  std::string algorithm;
  if (!read(header, "typ", type) || !read(header, "alg", algorithm)) {
    return malformed("`typ` or `alg` of the header is not a string");
  }
  const auto lower = [](std::string& text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  };
  lower(type);
  lower(algorithm);
  if (type != "jwt" || (algorithm != "ed25519-nkey" && algorithm != "ed25519")) {
    return fail(Errc::jwt_unsupported,
                "reading a user JWT: its header names another type or algorithm than ed25519-nkey");
  }
  return algorithm;
}

struct Body {
  UserClaims claims;
  std::string type;
};

Result<Body> read_body(const json::object& payload) {
  Body body;
  UserClaims& claims = body.claims;
  const bool outer = read(payload, "sub", claims.subject) && read(payload, "name", claims.name) &&
                     read(payload, "iss", claims.issuer) && read(payload, "iat", claims.issued_at) &&
                     read(payload, "nbf", claims.not_before) && read(payload, "exp", claims.expires) &&
                     read(payload, "type", body.type);
  const json::value* nats = payload.if_contains("nats");
  if (!outer || nats == nullptr || !nats->is_object()) {
    return malformed("a claim is missing or of the wrong type");
  }
  const json::object& inner = nats->as_object();
  claims.version = 1;  // the first version had neither the number nor, inside `nats`, the type
  if (const json::value* version = inner.if_contains("version"); version != nullptr) {
    if (!version->is_int64() || version->as_int64() < 1 || version->as_int64() > 2) {
      return fail(Errc::jwt_unsupported, "reading a user JWT: it is of a version that is not 1 or 2");
    }
    claims.version = static_cast<int>(version->as_int64());
  }
  if (!read(inner, "type", body.type) || !read(inner, "issuer_account", claims.issuer_account) ||
      !read(inner, "bearer_token", claims.bearer) ||
      !read(inner, "allowed_connection_types", claims.allowed_connection_types)) {
    return malformed("a claim inside `nats` is of the wrong type");
  }
  return body;
}

// The key of the text if it is one of that kind.
Result<PublicKey> key_of(std::string_view text, KeyKind kind, std::string_view claim) {
  Result<PublicKey> key = PublicKey::parse(text);
  if (!key || key->kind() != kind) {
    return malformed("`" + std::string(claim) + "` is not the public key of a" +
                     (kind == KeyKind::account ? "n " : " ") + std::string(to_string(kind)));
  }
  return key;
}

}  // namespace

Result<UserClaims> decode_user_jwt(std::string_view token) {
  if (token.size() > limits::kCredentialFileBytes) {
    return fail(Errc::limit_exceeded, "reading a user JWT of " + std::to_string(token.size()) + " bytes, over 1 MiB");
  }
  const Result<Parts> parts = split(token);
  if (!parts) {
    return std::unexpected(parts.error());
  }
  const Result<json::object> header = parse_object(parts->header, "header");
  if (!header) {
    return std::unexpected(header.error());
  }
  if (const auto algorithm = read_algorithm(*header); !algorithm) {
    return std::unexpected(algorithm.error());
  }
  const Result<json::object> payload = parse_object(parts->payload, "payload");
  if (!payload) {
    return std::unexpected(payload.error());
  }
  Result<Body> body = read_body(*payload);
  if (!body) {
    return std::unexpected(body.error());
  }
  if (body->type != "user") {
    return fail(Errc::jwt_wrong_type, "reading a user JWT: its type is not `user`");
  }
  UserClaims& claims = body->claims;
  const Result<PublicKey> issuer = key_of(claims.issuer, KeyKind::account, "iss");
  const Result<PublicKey> subject = key_of(claims.subject, KeyKind::user, "sub");
  if (!issuer || !subject) {
    return std::unexpected(!issuer ? issuer.error() : subject.error());
  }
  if (!claims.issuer_account.empty()) {
    if (const auto account = key_of(claims.issuer_account, KeyKind::account, "issuer_account"); !account) {
      return std::unexpected(account.error());
    }
  }
  const std::optional<std::string> signature = decode_base64url(parts->signature);
  if (!signature) {
    return malformed("the signature is not base64url");
  }
  const std::string_view signed_text = claims.version == 1 ? parts->payload : parts->signed_text;
  if (!issuer->verify(signed_text, as_bytes(*signature))) {
    return fail(Errc::jwt_signature_invalid, "reading the JWT of user " + claims.subject);
  }
  return std::move(claims);
}

}  // namespace hawser::identity
