#include <algorithm>
#include <arpa/inet.h>
#include <array>

#include "identity/claim_keys.hpp"
#include "identity/findings_parts.hpp"

namespace hawser::identity {
namespace {

enum class Queues : std::uint8_t { allowed, forbidden };

void check_rule(const std::string& rule, Queues queues, const std::string& member, FindingList& list) {
  const std::size_t blank = rule.find(' ');
  if (blank == std::string::npos) {
    check_subject(rule, member, list);
    return;
  }
  if (rule.find(' ', blank + 1) != std::string::npos) {
    list.error(member, quoted(rule) + " holds more than a subject and a queue group");
    return;
  }
  check_subject(rule.substr(0, blank), member, list);
  if (blank + 1 == rule.size()) {
    list.error(member, "the queue group of " + quoted(rule) + " is empty");
  }
  if (queues == Queues::forbidden) {
    list.error(member, quoted(rule) + " has a queue group, which means nothing where one publishes");
  }
}

void check_rules(const SubjectRules& rules, Queues queues, const std::string& parent, FindingList& list) {
  for (std::size_t i = 0; i < rules.allow.size(); ++i) {
    check_rule(rules.allow[i], queues, element_of(parent + ".allow", i), list);
  }
  for (std::size_t i = 0; i < rules.deny.size(); ++i) {
    check_rule(rules.deny[i], queues, element_of(parent + ".deny", i), list);
  }
}

bool is_block(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) {
    return false;
  }
  const std::string_view length = std::string_view(text).substr(slash + 1);
  if (length.empty() || length.size() > 3 || length.find_first_not_of("0123456789") != std::string_view::npos) {
    return false;
  }
  int bits = 0;
  for (const char c : length) {
    bits = bits * 10 + (c - '0');
  }
  std::array<unsigned char, sizeof(in6_addr)> address{};
  const std::string host = text.substr(0, slash);
  return (inet_pton(AF_INET, host.c_str(), address.data()) == 1 && bits <= 32) ||
         (inet_pton(AF_INET6, host.c_str(), address.data()) == 1 && bits <= 128);
}

// "15:04:05".
bool is_time_of_day(std::string_view text) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') {
    return false;
  }
  const auto number = [&](std::size_t at, int end) {
    const char tens = text[at];
    const char ones = text[at + 1];
    return tens >= '0' && tens <= '9' && ones >= '0' && ones <= '9' && (tens - '0') * 10 + (ones - '0') < end;
  };
  return number(0, 24) && number(3, 60) && number(6, 60);
}

// Whether there is such a zone is for whoever has the data base to say.
bool may_be_a_zone(std::string_view name) {
  return !name.starts_with('/') && name.find("..") == std::string_view::npos &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") ==
             std::string_view::npos;
}

void check_connection_types(const std::vector<std::string>& types, std::string_view parent, FindingList& list) {
  constexpr std::array<std::string_view, 7> kKnown = {"STANDARD", "WEBSOCKET", "LEAFNODE",  "LEAFNODE_WS",
                                                      "MQTT",     "MQTT_WS",   "IN_PROCESS"};
  for (std::size_t i = 0; i < types.size(); ++i) {
    std::string upper = types[i];
    std::ranges::transform(upper, upper.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; });
    if (std::ranges::find(kKnown, upper) == kKnown.end()) {
      list.warning(element_of(member_of(parent, "allowed_connection_types"), i),
                   quoted(types[i]) + " is no type of connection that servers know");
    }
  }
}

}  // namespace

void check_permissions(const ClaimPermissions& permissions, std::string_view parent, FindingList& list) {
  check_rules(permissions.subscribe, Queues::allowed, member_of(parent, "sub"), list);
  check_rules(permissions.publish, Queues::forbidden, member_of(parent, "pub"), list);
}

void check_user_limits(const UserLimits& limits, std::string_view parent, FindingList& list) {
  check_permissions(limits.permissions, parent, list);
  for (std::size_t i = 0; i < limits.sources.size(); ++i) {
    if (!is_block(limits.sources[i])) {
      list.error(element_of(member_of(parent, "src"), i),
                 quoted(limits.sources[i]) + " is not a block of addresses, such as 10.0.0.0/8");
    }
  }
  for (std::size_t i = 0; i < limits.times.size(); ++i) {
    const std::string member = element_of(member_of(parent, "times"), i);
    if (!is_time_of_day(limits.times[i].start)) {
      list.error(member + ".start", quoted(limits.times[i].start) + " is not a time of day, such as 08:00:00");
    }
    if (!is_time_of_day(limits.times[i].end)) {
      list.error(member + ".end", quoted(limits.times[i].end) + " is not a time of day, such as 18:00:00");
    }
  }
  if (!may_be_a_zone(limits.times_location)) {
    list.error(member_of(parent, "times_location"), quoted(limits.times_location) + " is not the name of a time zone");
  }
  check_connection_types(limits.allowed_connection_types, parent, list);
}

void check_user(const UserClaims& claims, FindingList& list) {
  check_user_limits(claims, "", list);
  if (!claims.issuer_account.empty()) {
    check_key(claims.issuer_account, true, "issuer_account", list);
  }
}

}  // namespace hawser::identity
