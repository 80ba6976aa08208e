#include <algorithm>
#include <boost/json/value.hpp>

#include "identity/claim_keys.hpp"
#include "identity/claim_subject.hpp"
#include "identity/findings_parts.hpp"
#include "identity/strict_json.hpp"

namespace hawser::identity {
namespace {

constexpr std::string_view kJetStream[] = {
    "mem_storage",          "disk_storage",          "streams",           "consumer", "max_ack_pending",
    "mem_max_stream_bytes", "disk_max_stream_bytes", "max_bytes_required"};

// Kept as JSON; all that matters here is that limits by tier and limits without one exclude each other.
void check_jetstream(const AccountLimits& limits, FindingList& list) {
  if (limits.unknown.empty()) {
    return;
  }
  const auto kept = parse_object(limits.unknown, Errc::jwt_malformed, "reading the limits of an account");
  const auto* tiers = kept ? kept->if_contains("tiered_limits") : nullptr;
  if (tiers == nullptr || !tiers->is_object() || tiers->get_object().empty()) {
    return;
  }
  if (std::ranges::any_of(kJetStream, [&](std::string_view key) { return kept->contains({key.data(), key.size()}); })) {
    list.warning("limits", "JetStream limits without a tier do not count beside those of tiers");
  }
  if (tiers->get_object().contains("")) {
    list.error("limits.tiered_limits", "a tier has no name");
  }
}

void check_counts(const AccountClaims& claims, FindingList& list) {
  const auto over = [](std::int64_t limit, std::size_t count) {
    return limit != kNoLimit && static_cast<std::int64_t>(count) > limit;
  };
  if (over(claims.limits.imports, claims.imports.size())) {
    list.error("imports", "there are " + std::to_string(claims.imports.size()) + ", and the operator allows " +
                              std::to_string(claims.limits.imports));
  }
  if (over(claims.limits.exports, claims.exports.size())) {
    list.error("exports", "there are " + std::to_string(claims.exports.size()) + ", and the operator allows " +
                              std::to_string(claims.limits.exports));
  }
  if (claims.limits.exports == kNoLimit || claims.limits.wildcard_exports) {
    return;
  }
  for (std::size_t i = 0; i < claims.exports.size(); ++i) {
    if (has_wildcards(claims.exports[i].subject)) {
      list.error(element_of("exports", i) + ".subject",
                 "the operator allows no wildcards in exports: " + quoted(claims.exports[i].subject));
    }
  }
}

std::uint32_t weight_of(const MappingTargetClaim& target) { return target.weight == 0 ? 100 : target.weight; }

// nats-server 2.9 adds up all targets, later ones those of a cluster.
void check_weights(const std::string& member, const std::vector<MappingTargetClaim>& targets, FindingList& list) {
  std::map<std::string_view, std::uint64_t> by_cluster;
  std::uint64_t total = 0;
  for (const MappingTargetClaim& target : targets) {
    by_cluster[target.cluster] += weight_of(target);
    total += weight_of(target);
  }
  if (std::ranges::any_of(by_cluster, [](const auto& of) { return of.second > 100; })) {
    list.error(member, "the weights of its targets come to more than 100 per cent");
  } else if (total > 100) {
    list.warning(member, "the weights come to more than 100 per cent over all clusters, which older servers refuse");
  }
}

void check_mappings(const AccountClaims& claims, FindingList& list) {
  for (const auto& [subject, targets] : claims.mappings) {
    const std::string member = "mappings[" + quoted(subject) + ']';
    check_subject(subject, member, list);
    for (std::size_t i = 0; i < targets.size(); ++i) {
      check_subject(targets[i].subject, element_of(member, i), list);
      if (has_wildcards(targets[i].subject)) {
        list.error(element_of(member, i), quoted(targets[i].subject) + " holds a wildcard; refer to one as $1");
      }
    }
    check_weights(member, targets, list);
  }
}

// Servers take the account, and refuse the users.
void check_template(const UserLimits& limits, const std::string& parent, FindingList& list) {
  FindingList inside;
  check_user_limits(limits, parent, inside);
  for (ClaimFinding& finding : inside.take()) {
    list.warning(std::move(finding.member), std::move(finding.message));
  }
}

void check_signing_keys(const AccountClaims& claims, FindingList& list) {
  for (std::size_t i = 0; i < claims.signing_keys.size(); ++i) {
    const SigningKey& key = claims.signing_keys[i];
    const std::string member = element_of("signing_keys", i);
    check_key(key.key, true, member, list);
    if (key.scoped) {
      check_template(key.limits, member + ".template", list);
    }
  }
}

}  // namespace

void check_account(const AccountClaims& claims, FindingList& list) {
  check_imports(claims, list);
  check_exports(claims.exports, list);
  check_jetstream(claims.limits, list);
  check_permissions(claims.default_permissions, "default_permissions", list);
  check_mappings(claims, list);
  check_counts(claims, list);
  check_signing_keys(claims, list);
  check_revocations(claims.revocations, "", list);
  check_info(claims.description, claims.info_url, "", list);
  if (is_key(claims.issuer, KeyKind::account) && claims.limits != AccountLimits::absent()) {
    list.warning("limits", "an account that signed itself cannot set the limits that its operator sets");
  }
}

}  // namespace hawser::identity
