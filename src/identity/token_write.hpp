// Claims as a JWT's `nats` object, in the order and with the omissions of nats-io/jwt. Inside this room only.
//
// Faults go to the members' shared fault.
//
//   write_account(claims, members);   // members of the object `nats`
#pragma once

#include "identity/claims.hpp"
#include "identity/member_writer.hpp"

namespace hawser::identity {

// All but what concerns every kind of claims: tags, type and version.
void write_account(const AccountClaims& claims, MemberWriter& nats);
void write_user(const UserClaims& claims, MemberWriter& nats);
void write_activation(const ActivationClaims& claims, MemberWriter& nats);

// Parts that several kinds share.
void write_permissions(const ClaimPermissions& permissions, MemberWriter& members);
void write_user_limits(const UserLimits& limits, MemberWriter& members);
void write_kind(std::string_view key, ShareKind kind, MemberWriter& members);
void write_revocations(const Revocations& revocations, MemberWriter& members);
void write_exports(const std::vector<ExportClaim>& exports, MemberWriter& members);
void write_imports(const std::vector<ImportClaim>& imports, MemberWriter& members);

}  // namespace hawser::identity
