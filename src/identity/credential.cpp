#include "identity/credential.hpp"

namespace hawser::identity {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

Result<void> sign_into(Proof& proof, const KeyPair& key, std::string_view nonce) {
  if (nonce.empty()) {
    return {};
  }
  Result<std::string> signature = key.sign_nonce(nonce);
  if (!signature) {
    return std::unexpected(signature.error());
  }
  proof.signature = std::move(*signature);
  return {};
}

}  // namespace

Result<Proof> Credential::prove(std::string_view nonce) const {
  Proof proof;
  const Result<void> done = std::visit(Overloaded{
                                           [](const None&) -> Result<void> { return {}; },
                                           [&](const User& user) -> Result<void> {
                                             proof.user = user.name;
                                             proof.password = user.password.copy();
                                             return {};
                                           },
                                           [&](const Token& token) -> Result<void> {
                                             proof.auth_token = token.text.copy();
                                             return {};
                                           },
                                           [&](const KeyPair& key) -> Result<void> {
                                             proof.nkey = key.public_key().text();
                                             return sign_into(proof, key, nonce);
                                           },
                                           // No `nkey` beside a JWT: nats-server before 2.12 drops such clients at
                                           // every reload of its configuration.
                                           [&](const Creds& creds) -> Result<void> {
                                             proof.jwt = creds.jwt.copy();
                                             return creds.key ? sign_into(proof, *creds.key, nonce) : Result<void>();
                                           },
                                       },
                                       kind_);
  if (!done) {
    return std::unexpected(done.error());
  }
  return proof;
}

std::optional<Credential::Lifetime> Credential::lifetime() const {
  const auto* creds = std::get_if<Creds>(&kind_);
  if (creds == nullptr || !creds->claims.expires) {
    return std::nullopt;
  }
  const auto& begin = creds->claims.not_before ? creds->claims.not_before : creds->claims.issued_at;
  return Lifetime{.begin = begin, .end = *creds->claims.expires};
}

std::string Credential::printable() const {
  return std::visit(
      Overloaded{
          [](const None&) { return std::string("none"); },
          [](const User& user) { return "user " + user.name; },
          [](const Token&) { return std::string("token"); },
          [](const KeyPair& key) { return "nkey " + key.public_key().text(); },
          [](const Creds& creds) { return "creds of " + creds.claims.name + " (" + creds.claims.subject + ")"; },
      },
      kind_);
}

}  // namespace hawser::identity
