// Who a connection is, as brokers show it: the certificate that it presented, or the user that it was let in as. Pure.
//
//   Identities retired;  retired.add({.user = "UABC…", .issuer = "AOLD…"});
//   if (const Identity* which = retired.match(connection)) …
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "rotation/connz.hpp"

namespace hawser::rotation {

// What is empty may be anything; one of the first three is not.
struct Identity {
  std::string certificate{};  // SHA-256 of the leaf, lowercase hex
  std::string user{};         // a name, or the public key of an NKey; of a token its SHA-256
  std::string issuer{};       // the key that signed its JWT
  bool token = false;         // `user` stands for a token, which brokers show as it is, or not at all

  [[nodiscard]] bool empty() const noexcept { return certificate.empty() && user.empty() && issuer.empty(); }
  bool operator==(const Identity&) const = default;
};

// "0123456789abcdef", "user kate", "user U… signed by A…", "users that A… signs", "a token".
[[nodiscard]] std::string to_text(const Identity& identity);
[[nodiscard]] bool presents(const SeenConnection& connection, const Identity& identity);

// A set of them, to look connections up in.
class Identities {
 public:
  void add(const Identity& identity);
  [[nodiscard]] bool empty() const noexcept;
  // One that the connection presents; null: none.
  [[nodiscard]] const Identity* match(const SeenConnection& connection) const;
  // One that a connection with that identity would present.
  [[nodiscard]] const Identity* match(const Identity& identity) const;

 private:
  using ByText = std::multimap<std::string, Identity, std::less<>>;
  [[nodiscard]] const Identity* match(std::string_view certificate, std::string_view user,
                                      std::string_view issuer) const;

  ByText certificates_;
  ByText users_;
  ByText issuers_;
  std::optional<Identity> token_;
};

}  // namespace hawser::rotation
