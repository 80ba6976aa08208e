#include "broker/claims_account.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

namespace hawser::broker {
namespace {

ExportKind kind_of(identity::ShareKind kind) {
  return kind == identity::ShareKind::service ? ExportKind::service : ExportKind::stream;
}

ResponseType type_of(identity::ResponseKind kind) {
  switch (kind) {
    case identity::ResponseKind::stream: return ResponseType::stream;
    case identity::ResponseKind::chunked: return ResponseType::chunked;
    case identity::ResponseKind::singleton: break;
  }
  return ResponseType::singleton;
}

Export export_of(const identity::ExportClaim& claim, const std::string& place) {
  Export made;
  made.kind = kind_of(claim.kind);
  made.subject = claim.subject;
  made.response = type_of(claim.response);
  if (claim.response_threshold > Duration::zero()) {
    made.response_threshold = claim.response_threshold;
  }
  made.account_token_position = claim.account_token_position;
  if (claim.token_required) {
    made.accounts.emplace();  // nobody but those whom an activation lets
  }
  made.place = place;
  return made;
}

// `to` is the old form: of a stream a prefix, of a service the exporter's subject.
Import import_of(const identity::ImportClaim& claim, bool activated, const std::string& place) {
  Import made;
  made.kind = kind_of(claim.kind);
  made.account = claim.account;
  made.subject = claim.subject;
  if (!claim.local_subject.empty()) {
    made.to = claim.local_subject;
  } else if (!claim.to.empty() && made.kind == ExportKind::stream) {
    made.prefix = claim.to;
  } else if (!claim.to.empty()) {
    made.subject = claim.to;
    made.to = claim.subject;
  }
  made.share = claim.share;
  made.activated = activated;
  made.place = place;
  return made;
}

Mapping mapping_of(const std::string& source, const std::vector<identity::MappingTargetClaim>& claims,
                   const std::string& place) {
  constexpr std::uint32_t kAll = 100;
  Mapping made{.source = source, .targets = {}, .place = place};
  for (const identity::MappingTargetClaim& claim : claims) {
    made.targets.push_back(
        {.destination = claim.subject, .weight = claim.weight == 0 ? kAll : claim.weight, .cluster = claim.cluster});
  }
  return made;
}

PermissionRules rules_of(const identity::SubjectRules& claims) {
  PermissionRules rules;
  if (!claims.allow.empty()) {
    rules.allow = claims.allow;
  }
  rules.deny = claims.deny;
  return rules;
}

}  // namespace

std::string shown_account(const identity::AccountClaims& claims) {
  constexpr std::size_t kMost = 64;
  return claims.name.empty() || claims.name == claims.subject
             ? fmt::format("account {}", claims.subject)
             : fmt::format("account {} ({})", claims.subject, std::string_view(claims.name).substr(0, kMost));
}

std::optional<Permissions> permissions_of(const identity::ClaimPermissions& claims) {
  if (claims.empty()) {
    return std::nullopt;
  }
  Permissions made{.publish = rules_of(claims.publish), .subscribe = rules_of(claims.subscribe), .responses = {}};
  if (claims.responses) {
    ResponsePermission& responses = made.responses.emplace();
    constexpr std::int64_t kMost = std::numeric_limits<int>::max();
    if (claims.responses->max != 0) {
      responses.max = static_cast<int>(std::clamp<std::int64_t>(claims.responses->max, -1, kMost));
    }
    if (claims.responses->expires != Duration::zero()) {
      responses.expires = claims.responses->expires;
    }
  }
  return made;
}

Account account_of(const identity::AccountClaims& claims, const Activated& activated) {
  Account made;
  made.name = claims.subject;
  made.place = shown_account(claims);
  for (const identity::ExportClaim& claim : claims.exports) {
    made.exports.push_back(export_of(claim, made.place));
  }
  for (const identity::ImportClaim& claim : claims.imports) {
    made.imports.push_back(import_of(claim, activated(claim), made.place));
  }
  for (const auto& [source, targets] : claims.mappings) {
    made.mappings.push_back(mapping_of(source, targets, made.place));
  }
  made.default_permissions = permissions_of(claims.default_permissions);
  made.max_connections = claims.limits.connections;
  made.max_payload = claims.limits.payload;
  // The limit of subscriptions is one of each connection, as in nats-server: user_admission.cpp.
  return made;
}

}  // namespace hawser::broker
