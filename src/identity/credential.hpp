// The one credential of a connection, and its answer to a server's INFO: the fields of CONNECT that prove who we are.
//
// Immutable after it was made; share it as shared_ptr<const Credential>, replace it whole when its file changed.
//
//   Result<Proof> proof = credential.prove(info.nonce);   // then into CONNECT
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "identity/creds.hpp"
#include "identity/nkey.hpp"

namespace hawser::identity {

// Fields of CONNECT; empty ones are left out.
struct Proof {
  std::string user;
  Secret password;
  Secret auth_token;
  Secret jwt;
  std::string nkey;       // public key
  std::string signature;  // base64url of the signed nonce
};

class Credential {
 public:
  struct None {};
  struct User {
    std::string name;
    Secret password;
  };
  struct Token {
    Secret text;
  };

  Credential() = default;  // none, or a client certificate: nothing in CONNECT
  explicit Credential(User user) : kind_(std::move(user)) {}
  explicit Credential(Token token) : kind_(std::move(token)) {}
  explicit Credential(KeyPair key) : kind_(std::move(key)) {}
  explicit Credential(Creds creds) : kind_(std::move(creds)) {}

  // The nonce is empty if the server's INFO has none: an NKey then sends its public key alone, and the server says
  // whether that will do. Errors: signing_failed.
  [[nodiscard]] Result<Proof> prove(std::string_view nonce) const;

  // From when until when it is valid; nothing if it says so nowhere (only creds do), or has no end.
  struct Lifetime {
    std::optional<std::chrono::sys_seconds> begin;
    std::chrono::sys_seconds end;
  };
  [[nodiscard]] std::optional<Lifetime> lifetime() const;

  // Whom it stands for, fit for a log: "user kate", "token", "nkey UABC…", "creds of agent-kate (UABC…)", "none".
  [[nodiscard]] std::string printable() const;

 private:
  std::variant<None, User, Token, KeyPair, Creds> kind_;
};

}  // namespace hawser::identity
