#include "identity/scope_template.hpp"

#include <algorithm>
#include <cctype>

#include "identity/claim_subject.hpp"

namespace hawser::identity {
namespace {

constexpr std::size_t kMostSubjects = 4096;  // of one list, when tags multiply

enum class WhenEmpty : std::uint8_t { allows_nothing, refuse };

bool is_template(std::string_view token) {
  return token.size() >= 4 && token.starts_with("{{") && token.ends_with("}}");
}

std::vector<std::string> values_of(const std::vector<std::string>& tags, std::string_view key) {
  const std::string prefix = std::string(key) + ':';
  std::vector<std::string> values;
  for (const std::string& tag : tags) {
    if (tag.starts_with(prefix)) {
      values.push_back(tag.substr(prefix.size()));
    }
  }
  return values;
}

// What may stand in the token's place; none if there is no such thing.
std::vector<std::string> replacements_of(std::string_view token, const UserClaims& user, const AccountClaims& account) {
  std::string call(token.substr(2, token.size() - 4));
  std::ranges::transform(call, call.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (call == "name()") {
    return {user.name};
  }
  if (call == "subject()") {
    return {user.subject};
  }
  if (call == "account-name()") {
    return {account.name};
  }
  if (call == "account-subject()") {
    return {account.subject};
  }
  constexpr std::string_view kTag = "tag(";
  constexpr std::string_view kAccountTag = "account-tag(";
  const std::string_view text = call;
  if (text.starts_with(kTag) && text.ends_with(')')) {
    return values_of(user.tags, text.substr(kTag.size(), text.size() - kTag.size() - 1));
  }
  if (text.starts_with(kAccountTag) && text.ends_with(')')) {
    return values_of(account.tags, text.substr(kAccountTag.size(), text.size() - kAccountTag.size() - 1));
  }
  return {};
}

// Every combination of the tokens' values; empty if a token has none.
Result<std::vector<std::string>> combine(std::string_view rule, const UserClaims& user, const AccountClaims& account) {
  std::vector<std::string> made{""};
  bool first = true;
  for (const std::string_view token : tokens_of(rule)) {
    const std::vector<std::string> values =
        is_template(token) ? replacements_of(token, user, account) : std::vector{std::string(token)};
    if (made.size() * values.size() > kMostSubjects) {
      return fail(Errc::limit_exceeded, "filling in a scope: its tags make more than 4096 subjects");
    }
    std::vector<std::string> longer;
    longer.reserve(made.size() * values.size());
    for (const std::string& begun : made) {
      for (const std::string& value : values) {
        longer.push_back(first ? value : begun + '.' + value);
      }
    }
    made = std::move(longer);
    first = false;
  }
  return made;
}

Result<std::vector<std::string>> fill_in(const std::vector<std::string>& rules, WhenEmpty when_empty,
                                         const UserClaims& user, const AccountClaims& account) {
  std::vector<std::string> filled;
  for (const std::string& rule : rules) {
    if (std::ranges::none_of(tokens_of(rule), is_template)) {
      filled.push_back(rule);
      continue;
    }
    Result<std::vector<std::string>> made = combine(rule, user, account);
    if (!made) {
      return made;
    }
    const auto useless =
        std::ranges::remove_if(*made, [](const std::string& subject) { return !valid_subject(subject); });
    const bool missing = made->empty() || !useless.empty();
    made->erase(useless.begin(), useless.end());
    if (missing && when_empty == WhenEmpty::refuse) {
      return fail(Errc::jwt_template_empty, "filling in the scope of user " + user.subject + ": `" + rule + '`');
    }
    if (filled.size() + made->size() > kMostSubjects) {
      return fail(Errc::limit_exceeded, "filling in a scope: its tags make more than 4096 subjects");
    }
    std::ranges::move(*made, std::back_inserter(filled));
  }
  return filled;
}

Result<SubjectRules> fill_in(const SubjectRules& rules, const UserClaims& user, const AccountClaims& account) {
  Result<std::vector<std::string>> allow = fill_in(rules.allow, WhenEmpty::allows_nothing, user, account);
  Result<std::vector<std::string>> deny = fill_in(rules.deny, WhenEmpty::refuse, user, account);
  if (!allow || !deny) {
    return std::unexpected(allow ? deny.error() : allow.error());
  }
  if (allow->empty() && !rules.allow.empty()) {
    deny->emplace_back(">");  // an empty `allow` would allow everything
  }
  return SubjectRules{.allow = std::move(*allow), .deny = std::move(*deny)};
}

}  // namespace

Result<UserLimits> fill_in(const UserLimits& scope, const UserClaims& user, const AccountClaims& account) {
  Result<SubjectRules> publish = fill_in(scope.permissions.publish, user, account);
  Result<SubjectRules> subscribe = fill_in(scope.permissions.subscribe, user, account);
  if (!publish || !subscribe) {
    return std::unexpected(publish ? subscribe.error() : publish.error());
  }
  UserLimits limits = scope;
  limits.permissions.publish = std::move(*publish);
  limits.permissions.subscribe = std::move(*subscribe);
  return limits;
}

}  // namespace hawser::identity
