// What NATS JWTs say, version 2: operators, accounts, users, activations, and claims of no particular kind.
//
// Plain values; nothing in them is secret. Names and meaning are nats-io/jwt's; limits of -1 mean "no limit". Members
// that this version does not know are kept as JSON text in `unknown` and written back, so that editing a newer tool's
// JWT loses nothing (but for those of the smallest objects: rules, times, latency, targets). Reading and writing:
// token.hpp. What is wrong with them: findings.hpp.
//
//   UserClaims user; user.subject = key.public_key().text(); user.permissions.publish.allow = {"orders.>"};
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"

namespace hawser::identity {

inline constexpr std::int64_t kNoLimit = -1;

// What every JWT says.
struct CommonClaims {
  std::string subject{};  // the public key that it is about
  std::string name{};
  std::string issuer{};  // the public key that signed it; set by encode()
  std::string id{};      // jti, a hash of the claims; set by encode()
  std::string audience{};
  std::optional<std::chrono::sys_seconds> issued_at{};  // set by encode()
  std::optional<std::chrono::sys_seconds> not_before{};
  std::optional<std::chrono::sys_seconds> expires{};
  std::vector<std::string> tags{};  // lower case; "key:value" ones are what templates of scoped keys refer to
  int version = 2;                  // as it was read; encode() writes 2
  std::string unknown{};            // of `nats`: a JSON object, or empty
  std::string unknown_beside{};     // of the payload itself
  bool operator==(const CommonClaims&) const = default;
};

struct SubjectRules {
  std::vector<std::string> allow{};  // empty: everything that is not denied
  std::vector<std::string> deny{};
  bool operator==(const SubjectRules&) const = default;
};

struct ResponseRule {
  std::int64_t max = 1;  // answers to one request; negative: any number
  Duration expires{};    // `ttl`; zero or negative: never
  bool operator==(const ResponseRule&) const = default;
};

struct ClaimPermissions {
  SubjectRules publish{};
  SubjectRules subscribe{};  // "subject" or "subject queue"
  std::optional<ResponseRule> responses{};
  [[nodiscard]] bool empty() const { return *this == ClaimPermissions{}; }
  bool operator==(const ClaimPermissions&) const = default;
};

struct DailyTimes {
  std::string start{};  // "15:04:05"
  std::string end{};    // before `start`: on the next day
  bool operator==(const DailyTimes&) const = default;
};

// What a user may do: in a user's JWT, and, for all whom it signs, at a scoped signing key.
struct UserLimits {
  ClaimPermissions permissions{};
  std::vector<std::string> sources{};  // `src`: CIDR blocks; empty: from anywhere
  std::vector<DailyTimes> times{};     // empty: always
  std::string times_location{};        // a name of the time zone database; empty: the server's own
  std::int64_t subscriptions = kNoLimit;
  std::int64_t data = kNoLimit;  // kept; no server enforces it
  std::int64_t payload = kNoLimit;
  bool bearer = false;                                  // no seed is needed: whoever has the token is the user
  std::vector<std::string> allowed_connection_types{};  // STANDARD, WEBSOCKET …; empty: any
  bool operator==(const UserLimits&) const = default;
  // As a JWT without any of these members reads: what a scoped user has to have.
  [[nodiscard]] static UserLimits absent();
};

struct UserClaims : CommonClaims, UserLimits {
  std::string issuer_account{};  // the account, if a signing key signed; else empty
  bool operator==(const UserClaims&) const = default;
};

enum class ShareKind : std::uint8_t { unknown, stream, service };

enum class ResponseKind : std::uint8_t { singleton, stream, chunked };

// From which time on what was issued before it is void. "*" stands for every key.
using Revocations = std::map<std::string, std::chrono::sys_seconds, std::less<>>;
[[nodiscard]] bool revoked(const Revocations& revocations, std::string_view key,
                           std::optional<std::chrono::sys_seconds> issued_at);

struct ServiceLatency {
  int sampling = 100;  // per cent; 0: those requests whose headers ask for it
  std::string results{};
  bool operator==(const ServiceLatency&) const = default;
};

struct ExportClaim {
  std::string name{};
  std::string subject{};
  ShareKind kind = ShareKind::stream;
  bool token_required = false;  // private: an importer needs an activation
  Revocations revocations{};    // of activations, by the importing account
  ResponseKind response = ResponseKind::singleton;
  bool response_named = false;    // a singleton is what it is without a word, too; of a stream none may be named
  Duration response_threshold{};  // zero: the server's default
  std::optional<ServiceLatency> latency{};
  std::uint32_t account_token_position = 0;  // 1-based; 0: none
  bool advertise = false;
  std::string description{};
  std::string info_url{};
  std::string unknown{};
  bool operator==(const ExportClaim&) const = default;
};

struct ImportClaim {
  std::string name{};
  std::string subject{};        // the exporter's
  std::string account{};        // A…
  std::string token{};          // an activation JWT, or its URL; empty: the export is public
  std::string to{};             // deprecated, in v1's sense; see local_subject
  std::string local_subject{};  // the importer's own subject, with $1 for the first wildcard; empty: the same
  ShareKind kind = ShareKind::stream;
  bool share = false;  // services: the exporter hears who asks
  std::string unknown{};
  bool operator==(const ImportClaim&) const = default;
};

struct MappingTargetClaim {
  std::string subject{};
  std::uint32_t weight = 0;  // per cent; 0: 100
  std::string cluster{};
  bool operator==(const MappingTargetClaim&) const = default;
};

// A key that may sign for its owner; with a scope, what it signs has these limits, and none of its own.
struct SigningKey {
  std::string key{};
  bool scoped = false;
  std::string role{};
  std::string description{};
  UserLimits limits{};  // may hold templates: {{name()}}, {{tag(k)}} …
  std::string unknown{};
  std::string unknown_limits{};  // of its `template`
  bool operator==(const SigningKey&) const = default;
};

struct AccountLimits {
  std::int64_t subscriptions = kNoLimit;
  std::int64_t data = kNoLimit;
  std::int64_t payload = kNoLimit;
  std::int64_t imports = kNoLimit;
  std::int64_t exports = kNoLimit;
  bool wildcard_exports = true;
  bool disallow_bearer = false;
  std::int64_t connections = kNoLimit;
  std::int64_t leaf_connections = kNoLimit;
  std::string unknown{};  // JetStream's are kept as they are
  bool operator==(const AccountLimits&) const = default;
  // As a JWT without any of these members reads.
  [[nodiscard]] static AccountLimits absent();
};

struct AccountClaims : CommonClaims {
  std::vector<ImportClaim> imports{};
  std::vector<ExportClaim> exports{};
  AccountLimits limits{};
  std::vector<SigningKey> signing_keys{};
  Revocations revocations{};  // of users
  ClaimPermissions default_permissions{};
  std::map<std::string, std::vector<MappingTargetClaim>, std::less<>> mappings{};
  std::string description{};
  std::string info_url{};

  [[nodiscard]] const SigningKey* signing_key(std::string_view key) const;
  bool operator==(const AccountClaims&) const = default;
};

struct OperatorClaims : CommonClaims {
  std::vector<std::string> signing_keys{};  // O…
  std::string account_server_url{};
  std::vector<std::string> service_urls{};
  std::string system_account{};  // A…
  std::string assert_server_version{};
  bool strict_signing_keys = false;  // accounts are signed by signing keys only, and their users by theirs

  // The keys whose accounts are trusted.
  [[nodiscard]] std::vector<std::string> trusted_keys() const;
  bool operator==(const OperatorClaims&) const = default;
};

// One account lets another import what it exports with token_required.
struct ActivationClaims : CommonClaims {  // the subject is the importing account
  std::string import_subject{};
  ShareKind kind = ShareKind::stream;
  std::string issuer_account{};
  bool operator==(const ActivationClaims&) const = default;
};

struct GenericClaims : CommonClaims {  // the rest of `nats` is in `unknown`
  std::string type{};
  bool operator==(const GenericClaims&) const = default;
};

using Claims = std::variant<OperatorClaims, AccountClaims, UserClaims, ActivationClaims, GenericClaims>;

[[nodiscard]] inline const CommonClaims& common(const Claims& claims) {
  return std::visit([](const auto& c) -> const CommonClaims& { return c; }, claims);
}

// "operator", "account", "user", "activation", or what a generic one calls itself.
[[nodiscard]] std::string_view type_name(const Claims& claims);

}  // namespace hawser::identity
