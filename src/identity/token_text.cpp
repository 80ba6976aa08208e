#include "identity/token_text.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cctype>

#include "base/limits.hpp"
#include "identity/encoding.hpp"
#include "identity/member_reader.hpp"
#include "identity/strict_json.hpp"

namespace hawser::identity {
namespace {

std::unexpected<Error> malformed(std::string_view why) {
  return fail(Errc::jwt_malformed, "reading a JWT: " + std::string(why));
}

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Result<TokenAlgorithm> read_header(std::string_view part) {
  const std::optional<std::string> text = decode_base64url(part);
  if (!text) {
    return malformed("the header is not base64url");
  }
  const auto header = parse_object(*text, Errc::jwt_malformed, "reading a JWT: the header");
  if (!header) {
    return std::unexpected(header.error());
  }
  std::string fault;
  std::string type;
  std::string algorithm;
  MemberReader members(*header, "", fault);
  members.take("typ", type);
  members.take("alg", algorithm);
  [[maybe_unused]] const std::string others = members.rest();  // of no meaning to NATS
  if (!fault.empty()) {
    return malformed(fault);
  }
  algorithm = lower_case(std::move(algorithm));
  if (lower_case(std::move(type)) != "jwt" || (algorithm != "ed25519-nkey" && algorithm != "ed25519")) {
    return fail(Errc::jwt_unsupported, "reading a JWT: its header names another type or algorithm than ed25519-nkey");
  }
  return algorithm == "ed25519" ? TokenAlgorithm::ed25519 : TokenAlgorithm::ed25519_nkey;
}

}  // namespace

Result<TokenText> take_apart(std::string_view token) {
  if (token.size() > limits::kCredentialFileBytes) {
    return fail(Errc::limit_exceeded, "reading a JWT of " + std::to_string(token.size()) + " bytes, over 1 MiB");
  }
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return malformed("not three parts with two dots between them");
  }
  const Result<TokenAlgorithm> algorithm = read_header(token.substr(0, first));
  if (!algorithm) {
    return std::unexpected(algorithm.error());
  }
  TokenText text{.algorithm = *algorithm,
                 .payload_part = token.substr(first + 1, second - first - 1),
                 .header_and_payload = token.substr(0, second)};
  std::optional<std::string> payload = decode_base64url(text.payload_part);
  std::optional<std::string> signature = decode_base64url(token.substr(second + 1));
  if (!payload || !signature) {
    return malformed(payload ? "the signature is not base64url" : "the payload is not base64url");
  }
  text.payload = Secret::take(std::move(*payload));
  text.signature = std::move(*signature);
  return text;
}

}  // namespace hawser::identity
