// What claims say, for people: a line a fact, nothing that is at its default.
#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/quantity.hpp"
#include "cli/id.hpp"
#include "cli/sub_render.hpp"

namespace hawser::cli {
namespace {

using identity::kNoLimit;

// Lines "label   value"; values are made safe, as they may come from elsewhere.
class Lines {
 public:
  void add(std::string_view label, std::string_view value) {
    if (!value.empty()) {
      text_ += fmt::format("{:<20} {}\n", label, safe_for_terminal(value));
    }
  }
  void list(std::string_view label, const std::vector<std::string>& values) {
    std::string all;
    for (const std::string& value : values) {
      all += (all.empty() ? "" : " ") + value;
    }
    add(label, all);
  }
  void limit(std::string_view label, std::int64_t value) {
    if (value != kNoLimit) {
      add(label, std::to_string(value));
    }
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void add_common(Lines& lines, const identity::CommonClaims& claims, std::chrono::sys_seconds now) {
  lines.add("name", claims.name);
  lines.add("key", claims.subject);
  lines.add("issued by", claims.issuer == claims.subject ? "itself" : claims.issuer);
  if (claims.issued_at) {
    lines.add("issued", to_rfc3339(*claims.issued_at));
  }
  if (claims.not_before) {
    lines.add("not before", when_text(claims.not_before, now));
  }
  lines.add("expires", when_text(claims.expires, now));
  lines.list("tags", claims.tags);
}

void add_permissions(Lines& lines, const identity::ClaimPermissions& permissions, const std::string& prefix) {
  lines.list(prefix + "may publish", permissions.publish.allow);
  lines.list(prefix + "may not publish", permissions.publish.deny);
  lines.list(prefix + "may subscribe", permissions.subscribe.allow);
  lines.list(prefix + "may not subscribe", permissions.subscribe.deny);
  if (permissions.responses) {
    const auto& rule = *permissions.responses;
    lines.add(
        prefix + "may answer",
        fmt::format("{} time{}{}", rule.max < 0 ? "any number of" : std::to_string(rule.max), rule.max == 1 ? "" : "s",
                    rule.expires > Duration::zero() ? ", within " + format_duration(rule.expires) : std::string()));
  }
}

// `prefix` sets off what a role stands for.
void add_limits(Lines& lines, const identity::UserLimits& limits, const std::string& prefix) {
  add_permissions(lines, limits.permissions, prefix);
  lines.list(prefix + "from", limits.sources);
  for (const identity::DailyTimes& span : limits.times) {
    lines.add(prefix + "at",
              span.start + " to " + span.end + (limits.times_location.empty() ? "" : " " + limits.times_location));
  }
  lines.limit(prefix + "subscriptions", limits.subscriptions);
  lines.limit(prefix + "payload", limits.payload);
  lines.limit(prefix + "data", limits.data);
  lines.list(prefix + "connection types", limits.allowed_connection_types);
  if (limits.bearer) {
    lines.add(prefix + "bearer", "yes: the token alone is enough");
  }
}

std::string_view kind_of(identity::ShareKind kind) {
  return kind == identity::ShareKind::service ? "service" : "stream";
}

void add_sharing(Lines& lines, const identity::AccountClaims& claims) {
  for (const identity::ExportClaim& one : claims.exports) {
    lines.add("exports",
              fmt::format("{} {}{}", kind_of(one.kind), one.subject, one.token_required ? " (private)" : ""));
  }
  for (const identity::ImportClaim& one : claims.imports) {
    lines.add("imports", fmt::format("{} {} of {}{}", kind_of(one.kind), one.subject, one.account,
                                     one.local_subject.empty() ? "" : " as " + one.local_subject));
  }
  for (const auto& [from, targets] : claims.mappings) {
    for (const identity::MappingTargetClaim& target : targets) {
      lines.add("maps", fmt::format("{} to {}{}", from, target.subject,
                                    target.weight == 0 ? "" : fmt::format(" ({}%)", target.weight)));
    }
  }
}

void add_claims(Lines& lines, const identity::OperatorClaims& claims) {
  lines.list("signing keys", claims.signing_keys);
  lines.add("strict", claims.strict_signing_keys ? "yes: accounts are signed by signing keys only" : "");
  lines.add("system account", claims.system_account);
  lines.list("servers", claims.service_urls);
  lines.add("account server", claims.account_server_url);
}

void add_claims(Lines& lines, const identity::AccountClaims& claims) {
  lines.add("description", claims.description);
  lines.add("information", claims.info_url);
  lines.limit("connections", claims.limits.connections);
  lines.limit("leaf connections", claims.limits.leaf_connections);
  lines.limit("subscriptions", claims.limits.subscriptions);
  lines.limit("payload", claims.limits.payload);
  lines.limit("data", claims.limits.data);
  lines.limit("exports", claims.limits.exports);
  lines.limit("imports", claims.limits.imports);
  lines.add("wildcard exports", claims.limits.wildcard_exports ? "" : "no");
  lines.add("bearer tokens", claims.limits.disallow_bearer ? "not allowed" : "");
  for (const identity::SigningKey& key : claims.signing_keys) {
    lines.add("signing key", key.key + (key.scoped ? " for the role " + key.role : ""));
    if (key.scoped) {
      add_limits(lines, key.limits, "  ");
    }
  }
  add_permissions(lines, claims.default_permissions, "users ");
  add_sharing(lines, claims);
  for (const auto& [key, time] : claims.revocations) {
    lines.add("revoked", fmt::format("{}, issued until {}", key == "*" ? "everybody" : key, to_rfc3339(time)));
  }
}

void add_claims(Lines& lines, const identity::UserClaims& claims) {
  lines.add("account", claims.issuer_account);
  if (static_cast<const identity::UserLimits&>(claims) == identity::UserLimits::absent()) {
    lines.add("permissions", "those of its role");  // servers read nothing else into it
    return;
  }
  add_limits(lines, claims, "");
}

void add_claims(Lines& lines, const identity::ActivationClaims& claims) {
  lines.add("account", claims.issuer_account);
  lines.add("lets import", fmt::format("{} {}", kind_of(claims.kind), claims.import_subject));
}

void add_claims(Lines& lines, const identity::GenericClaims& claims) { lines.add("type", claims.type); }

}  // namespace

std::string when_text(std::optional<std::chrono::sys_seconds> time, std::chrono::sys_seconds now) {
  if (!time) {
    return "never";
  }
  using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;
  using std::chrono::minutes;
  const auto distance = *time > now ? *time - now : now - *time;
  const std::string span = distance >= Days(2)       ? format_duration(std::chrono::round<Days>(distance))
                           : distance >= minutes(10) ? format_duration(std::chrono::round<minutes>(distance))
                                                     : format_duration(distance);
  return to_rfc3339(*time) + (*time > now ? " (in " + span + ")" : " (" + span + " ago)");
}

std::string describe(const identity::Claims& claims, std::chrono::sys_seconds now) {
  Lines lines;
  lines.add("type", type_name(claims));
  add_common(lines, common(claims), now);
  std::visit([&lines](const auto& of_type) { add_claims(lines, of_type); }, claims);
  return lines.take();
}

}  // namespace hawser::cli
