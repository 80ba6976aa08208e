// Operator mode as a broker is told it: whose accounts are trusted, and where their JWTs are.
//
// Plain values, part of Settings; nothing in them is secret. Names and meaning are nats-server's.
//
//   settings.operator_mode.emplace().operators.push_back(*identity::decode_operator(token));
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "identity/chain.hpp"
#include "identity/claims.hpp"

namespace hawser::broker {

// cache: as full, since there is no other server to fetch from, and with nats-server's words.
enum class ResolverKind : std::uint8_t { memory, full, cache };

struct ResolverSettings {
  static constexpr std::size_t kMostAccounts = 16'384;

  ResolverKind kind = ResolverKind::memory;
  std::filesystem::path directory;  // of ACCOUNT_KEY.jwt files; made when it is not there
  bool allow_delete = false;        // $SYS.REQ.CLAIMS.DELETE is answered
  bool hard_delete = false;         // and removes files, instead of renaming them to ACCOUNT_KEY.jwt.deleted
  std::size_t limit = kMostAccounts;
  bool operator==(const ResolverSettings&) const = default;
};

struct PreloadedJwt {
  std::string key;    // A…; empty: the subject of the JWT
  std::string token;  // an account's
  std::string place;  // file:line:column
  bool operator==(const PreloadedJwt& other) const { return key == other.key && token == other.token; }
};

struct OperatorSettings {
  std::vector<identity::OperatorClaims> operators;
  std::vector<std::string> operator_tokens;  // the same, as they came
  std::set<std::string> trusted_keys;        // O…, without an operator's JWT
  ResolverSettings resolver;
  std::vector<PreloadedJwt> preload;
  std::set<std::string, std::less<>> pinned_accounts;  // when there are any, users of others are refused
  std::string place;

  // Every key whose signature on an account is trusted.
  [[nodiscard]] identity::TrustedKeys trusted() const;
  // Of these, the keys of operators that want users to be signed by signing keys, too.
  [[nodiscard]] identity::TrustedKeys strict() const;
};

}  // namespace hawser::broker
