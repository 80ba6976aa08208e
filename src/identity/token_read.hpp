// A JWT's payload as claims: one reader a kind of claims, for both versions. Inside this room only.
//
// Faults go to the members' shared fault; read_claims turns it into an error.
//
//   Result<Claims> claims = read_claims(payload, text.algorithm);
#pragma once

#include "base/error.hpp"
#include "identity/claims.hpp"
#include "identity/member_reader.hpp"
#include "identity/token_text.hpp"

namespace hawser::identity {

// Where claims stand: `outer` is the payload itself, `nats` its member of that name.
struct PayloadMembers {
  MemberReader& outer;
  MemberReader& nats;
};

// Errors: jwt_malformed, jwt_unsupported.
[[nodiscard]] Result<Claims> read_claims(const boost::json::object& payload, TokenAlgorithm algorithm);

// `claims.version` is set; what all kinds have in common is read elsewhere.
void read_operator(PayloadMembers members, OperatorClaims& claims);
void read_account(PayloadMembers members, AccountClaims& claims);
void read_user(PayloadMembers members, UserClaims& claims);
void read_activation(PayloadMembers members, ActivationClaims& claims);

// Parts that several kinds share.
void read_permissions(MemberReader& members, ClaimPermissions& permissions);
void read_user_limits(MemberReader& members, UserLimits& limits);
void read_kind(MemberReader& members, std::string_view key, ShareKind& kind);
void read_revocations(MemberReader& members, Revocations& revocations);
void read_exports(MemberReader& members, std::vector<ExportClaim>& exports);
void read_imports(MemberReader& members, std::vector<ImportClaim>& imports);

}  // namespace hawser::identity
