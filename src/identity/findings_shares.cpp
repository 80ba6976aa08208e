// Exports, imports and activations: what is wrong with each, and with several beside each other.
#include <algorithm>
#include <optional>

#include "identity/claim_keys.hpp"
#include "identity/claim_subject.hpp"
#include "identity/findings_parts.hpp"
#include "identity/token.hpp"

namespace hawser::identity {
namespace {

constexpr std::size_t kPairsChecked = 4096;  // exports or imports beside each other: their pairs grow as the square

std::string_view to_string(ShareKind kind) {
  return kind == ShareKind::stream ? "stream" : kind == ShareKind::service ? "service" : "unknown";
}

void check_position(const ExportClaim& exported, const std::string& member, FindingList& list) {
  const std::uint32_t position = exported.account_token_position;
  if (position == 0) {
    return;
  }
  const std::vector<std::string_view> tokens = tokens_of(exported.subject);
  if (position > tokens.size() || tokens[position - 1] != "*") {
    list.error(member + ".account_token_position",
               "token " + std::to_string(position) + " of " + quoted(exported.subject) + " is no *");
  }
}

void check_latency(const ExportClaim& exported, const std::string& member, FindingList& list) {
  if (!exported.latency) {
    return;
  }
  if (exported.kind != ShareKind::service) {
    list.error(member, "only a service has a latency to measure");
  }
  if (exported.latency->sampling < 0 || exported.latency->sampling > 100) {
    list.error(member + ".sampling", "the rate is not between 1 and 100 per cent");
  }
  check_subject(exported.latency->results, member + ".results", list);
  if (has_wildcards(exported.latency->results)) {
    list.error(member + ".results", "results cannot be published to a wildcard");
  }
}

void check_export(const ExportClaim& exported, const std::string& member, FindingList& list) {
  if (exported.kind == ShareKind::unknown) {
    list.error(member + ".type", "it is neither a stream nor a service");
  }
  const bool service = exported.kind == ShareKind::service;
  if (exported.kind == ShareKind::stream && (exported.response_named || exported.response != ResponseKind::singleton)) {
    list.error(member + ".response_type", "only a service has responses");
  }
  check_latency(exported, member + ".service_latency", list);
  if (exported.response_threshold < Duration::zero()) {
    list.error(member + ".response_threshold", "it is negative");
  } else if (exported.response_threshold > Duration::zero() && !service) {
    list.error(member + ".response_threshold", "only a service has responses");
  }
  check_subject(exported.subject, member + ".subject", list);
  check_position(exported, member, list);
  check_revocations(exported.revocations, member, list);
  check_info(exported.description, exported.info_url, member, list);
}

void check_contained(const std::vector<ExportClaim>& exports, FindingList& list) {
  for (std::size_t i = 0; i < exports.size(); ++i) {
    const auto covers = [&](const ExportClaim& other) {
      return &other != &exports[i] && (other.kind == ShareKind::service) == (exports[i].kind == ShareKind::service) &&
             contained_in(exports[i].subject, other.subject);
    };
    if (const auto other = std::ranges::find_if(exports, covers); other != exports.end()) {
      list.error(element_of("exports", i) + ".subject",
                 "the export of " + quoted(other->subject) + " covers " + quoted(exports[i].subject) + " already");
    }
  }
}

// "$2" is 2.
std::optional<std::size_t> reference_of(std::string_view token) {
  if (token.size() < 2 || token.size() > 5 || token.front() != '$' ||
      token.find_first_not_of("0123456789", 1) != std::string_view::npos) {
    return std::nullopt;
  }
  std::size_t number = 0;
  for (const char c : token.substr(1)) {
    number = number * 10 + static_cast<std::size_t>(c - '0');
  }
  return number;
}

// As the importer's clients know it, references as `*`.
std::string subject_here(const ImportClaim& imported) {
  if (!imported.to.empty()) {
    return imported.to;
  }
  std::string subject;
  for (const std::string_view token : tokens_of(imported.local_subject)) {
    subject += subject.empty() ? "" : ".";
    subject += reference_of(token) ? "*" : token;
  }
  return subject.empty() ? imported.subject : subject;
}

void check_local_subject(const ImportClaim& imported, const std::string& member, FindingList& list) {
  if (imported.local_subject.empty()) {
    return;
  }
  check_subject(imported.local_subject, member, list);
  if (!imported.to.empty()) {
    list.error(member, "`to` is there, too; `local_subject` replaces it");
  }
  if (ends_in_full_wildcard(imported.local_subject) != ends_in_full_wildcard(imported.subject)) {
    list.error(member, "one of it and `subject` ends in >, the other does not");
  }
  const std::size_t stars = count_stars(imported.subject);
  std::size_t references = 0;
  for (const std::string_view token : tokens_of(imported.local_subject)) {
    const std::optional<std::size_t> reference = reference_of(token);
    if (reference && *reference > stars) {
      list.error(member, quoted(token) + " refers to a * that " + quoted(imported.subject) + " does not have");
    }
    if (token == "*" || (reference && *reference <= stars)) {
      ++references;
    }
  }
  if (references != stars) {
    list.error(member, "it has to have as many * or references such as $1 as " + quoted(imported.subject) + " has *");
  }
}

void check_token(const ImportClaim& imported, std::string_view importer, const std::string& member, FindingList& list) {
  if (imported.token.empty()) {
    return;
  }
  const Result<ActivationClaims> activation = decode_activation(imported.token);
  if (!activation) {
    list.error(member, "it is no activation: " + activation.error().doing);
    return;
  }
  if (activation->issuer != imported.account && activation->issuer_account != imported.account) {
    list.error(member, "the activation is of another account than the import's");
  }
  if (activation->subject != importer) {
    list.error(member, "the activation is for another account than this one");
  }
  if (activation->kind != imported.kind) {
    list.error(member, "the activation is for a " + std::string(to_string(activation->kind)) + ", the import a " +
                           std::string(to_string(imported.kind)));
  }
  FindingList inside;
  check_activation(*activation, inside);
  for (const ClaimFinding& finding : inside.take()) {
    if (finding.severity == ClaimFinding::Severity::error) {
      list.error(member, "the activation's " + finding.member + ": " + finding.message);
    }
  }
  const bool as_to = imported.kind == ShareKind::service && !imported.to.empty();
  if (!contained_in(as_to ? imported.to : imported.subject, activation->import_subject)) {
    list.error(member, "the activation is for " + quoted(activation->import_subject) + ", which does not cover it");
  }
}

void check_import(const ImportClaim& imported, std::string_view importer, const std::string& member,
                  FindingList& list) {
  if (imported.kind == ShareKind::unknown) {
    list.error(member + ".type", "it is neither a stream nor a service");
  }
  if (imported.account.empty()) {
    list.error(member + ".account", "the account to import from is missing");
  } else if (!is_key(imported.account, KeyKind::account)) {
    list.warning(member + ".account", quoted(imported.account) + " is not the public key of an account");
  }
  if (!imported.to.empty()) {
    list.warning(member + ".to", "it is deprecated: use `local_subject`");
  }
  check_subject(imported.subject, member + ".subject", list);
  check_local_subject(imported, member + ".local_subject", list);
  if (imported.share && imported.kind != ShareKind::service) {
    list.error(member + ".share", "only a service hears who asks");
  }
  check_token(imported, importer, member + ".token", list);
}

// Two services under one subject of the importer: which of them is asked?
void check_overlaps(const std::vector<ImportClaim>& imports, FindingList& list) {
  std::vector<std::string> subjects;
  for (std::size_t i = 0; i < imports.size(); ++i) {
    if (imports[i].kind != ShareKind::service) {
      continue;
    }
    std::string subject = subject_here(imports[i]);
    const auto overlaps = [&](const std::string& other) {
      return contained_in(subject, other) || contained_in(other, subject);
    };
    if (const auto other = std::ranges::find_if(subjects, overlaps); other != subjects.end()) {
      list.error(element_of("imports", i), "it has the same subjects here as another service: " + quoted(*other));
    }
    subjects.push_back(std::move(subject));
  }
}

}  // namespace

void check_exports(const std::vector<ExportClaim>& exports, FindingList& list) {
  for (std::size_t i = 0; i < exports.size(); ++i) {
    check_export(exports[i], element_of("exports", i), list);
  }
  if (exports.size() > kPairsChecked) {
    list.error("exports", "there are more than 4096");
    return;
  }
  check_contained(exports, list);
}

void check_imports(const AccountClaims& account, FindingList& list) {
  if (account.imports.size() > kPairsChecked) {
    list.error("imports", "there are more than 4096");
    return;
  }
  check_overlaps(account.imports, list);
  for (std::size_t i = 0; i < account.imports.size(); ++i) {
    check_import(account.imports[i], account.subject, element_of("imports", i), list);
  }
}

void check_activation(const ActivationClaims& claims, FindingList& list) {
  if (claims.kind == ShareKind::unknown) {
    list.error("kind", "it is neither a stream nor a service");
  }
  check_subject(claims.import_subject, "subject", list);
  if (!claims.issuer_account.empty()) {
    check_key(claims.issuer_account, true, "issuer_account", list);
  }
}

}  // namespace hawser::identity
