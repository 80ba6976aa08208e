// The parts that findings of several kinds of claims are made of. Inside this room only.
//
// A list is filled in; pure otherwise.
//
//   FindingList list; check_permissions(claims.permissions, "", list);
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "identity/claims.hpp"
#include "identity/findings.hpp"

namespace hawser::identity {

class FindingList {
 public:
  void error(std::string member, std::string message) {
    add(ClaimFinding::Severity::error, std::move(member), std::move(message));
  }
  void expiry(std::string member, std::string message) {
    add(ClaimFinding::Severity::expiry, std::move(member), std::move(message));
  }
  void warning(std::string member, std::string message) {
    add(ClaimFinding::Severity::warning, std::move(member), std::move(message));
  }
  [[nodiscard]] std::vector<ClaimFinding> take() { return std::move(findings_); }

 private:
  void add(ClaimFinding::Severity severity, std::string member, std::string message) {
    findings_.push_back({.severity = severity, .member = std::move(member), .message = std::move(message)});
  }
  std::vector<ClaimFinding> findings_;
};

// "exports[2].subject"; without the dot where `parent` is empty.
[[nodiscard]] std::string member_of(std::string_view parent, std::string_view key);
[[nodiscard]] std::string element_of(std::string_view list, std::size_t index);
// Text in quotes, bounded, without control characters: claims are from outside.
[[nodiscard]] std::string quoted(std::string_view text);

void check_subject(std::string_view subject, const std::string& member, FindingList& list);
void check_permissions(const ClaimPermissions& permissions, std::string_view parent, FindingList& list);
void check_user_limits(const UserLimits& limits, std::string_view parent, FindingList& list);
void check_key(std::string_view key, bool account, const std::string& member, FindingList& list);
void check_info(std::string_view description, std::string_view url, std::string_view parent, FindingList& list);
void check_revocations(const Revocations& revocations, std::string_view parent, FindingList& list);

void check_operator(const OperatorClaims& claims, FindingList& list);
void check_account(const AccountClaims& claims, FindingList& list);
void check_user(const UserClaims& claims, FindingList& list);
void check_activation(const ActivationClaims& claims, FindingList& list);
void check_exports(const std::vector<ExportClaim>& exports, FindingList& list);
void check_imports(const AccountClaims& account, FindingList& list);

// "scheme://authority/path" taken apart; false if it has no scheme or holds blanks.
struct UrlParts {
  std::string_view scheme, authority, rest;
};
[[nodiscard]] bool split_url(std::string_view url, UrlParts& parts);

}  // namespace hawser::identity
