#include "identity/findings.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "identity/claim_keys.hpp"
#include "identity/claim_subject.hpp"
#include "identity/findings_parts.hpp"

namespace hawser::identity {
namespace {

constexpr std::size_t kInfoBytes = 8UL << 10U;
constexpr std::size_t kQuotedBytes = 128;

void check_times(const CommonClaims& claims, std::chrono::sys_seconds now, FindingList& list) {
  if (claims.expires && now >= *claims.expires) {
    list.expiry("exp", "it expired at " + to_rfc3339(*claims.expires));
  }
  if (claims.not_before && now < *claims.not_before) {
    list.expiry("nbf", "it is not valid before " + to_rfc3339(*claims.not_before));
  }
}

struct CheckByKind {
  FindingList& list;
  void operator()(const OperatorClaims& claims) const { check_operator(claims, list); }
  void operator()(const AccountClaims& claims) const { check_account(claims, list); }
  void operator()(const UserClaims& claims) const { check_user(claims, list); }
  void operator()(const ActivationClaims& claims) const { check_activation(claims, list); }
  void operator()(const GenericClaims&) const {}
};

}  // namespace

std::vector<ClaimFinding> findings(const Claims& claims, std::chrono::sys_seconds now) {
  FindingList list;
  check_times(common(claims), now, list);
  std::visit(CheckByKind{list}, claims);
  return list.take();
}

bool acceptable(const std::vector<ClaimFinding>& findings) {
  return std::ranges::all_of(
      findings, [](const ClaimFinding& finding) { return finding.severity == ClaimFinding::Severity::warning; });
}

std::string member_of(std::string_view parent, std::string_view key) {
  return parent.empty() ? std::string(key) : std::string(parent) + '.' + std::string(key);
}

std::string element_of(std::string_view list, std::size_t index) {
  return std::string(list) + '[' + std::to_string(index) + ']';
}

std::string quoted(std::string_view text) {
  std::string shown = "\"";
  for (const char c : text.substr(0, kQuotedBytes)) {
    shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return shown + (text.size() > kQuotedBytes ? "…\"" : "\"");
}

void check_subject(std::string_view subject, const std::string& member, FindingList& list) {
  if (subject.empty()) {
    list.error(member, "the subject is empty");
  } else if (subject.find(' ') != std::string_view::npos) {
    list.error(member, "the subject " + quoted(subject) + " holds a blank");
  } else if (!valid_subject(subject)) {
    list.warning(member, "no message can have the subject " + quoted(subject));
  }
}

void check_key(std::string_view key, bool account, const std::string& member, FindingList& list) {
  if (!is_key(key, account ? KeyKind::account : KeyKind::operator_key)) {
    list.error(member, quoted(key) + " is not the public key of an " + (account ? "account" : "operator"));
  }
}

bool split_url(std::string_view url, UrlParts& parts) {
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; };
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos || colon == 0 || std::ranges::any_of(url, is_blank)) {
    return false;
  }
  parts.scheme = url.substr(0, colon);
  const std::string_view after = url.substr(colon + 3);
  const std::size_t end = after.find_first_of("/?#");
  parts.authority = after.substr(0, end);
  parts.rest = end == std::string_view::npos ? std::string_view() : after.substr(end);
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return kLetters.find(parts.scheme.front()) != std::string_view::npos &&
         parts.scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.") ==
             std::string_view::npos;
}

void check_info(std::string_view description, std::string_view url, std::string_view parent, FindingList& list) {
  if (description.size() > kInfoBytes) {
    list.error(member_of(parent, "description"), "the description is over 8 KiB");
  }
  if (url.size() > kInfoBytes) {
    list.error(member_of(parent, "info_url"), "the URL is over 8 KiB");
  }
  UrlParts parts;
  if (!url.empty() && (!split_url(url, parts) || parts.authority.empty())) {
    list.error(member_of(parent, "info_url"), quoted(url) + " is not a URL with a host");
  }
}

void check_revocations(const Revocations& revocations, std::string_view parent, FindingList& list) {
  for (const auto& [key, time] : revocations) {
    if (key != "*" && !is_key(key, KeyKind::user) && !is_key(key, KeyKind::account)) {
      list.warning(member_of(parent, "revocations"), quoted(key) + " is no public key: nobody is revoked");
    }
  }
}

}  // namespace hawser::identity
