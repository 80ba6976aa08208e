// Permissions in all their spellings: a subject, a list, a block of allow and deny; responses as true or as a block.
#include <fmt/format.h>

#include "base/quantity.hpp"
#include "config/broker_conf_parts.hpp"
#include "config/letters.hpp"
#include "wire/subject.hpp"

namespace hawser::config {

namespace {

using Kind = ConfNode::Kind;

enum class Queues : std::uint8_t { refused, allowed };

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v'; }

// "subject queue", the form of subscriptions: one blank stays between the two.
std::optional<std::string> with_queue(std::string_view text) {
  const std::string_view whole = trimmed(text);
  std::size_t blank = 0;
  while (blank < whole.size() && !is_blank(whole[blank])) ++blank;
  const std::string_view subject = whole.substr(0, blank);
  const std::string_view queue = trimmed(whole.substr(blank));
  if (!wire::valid_subscribe_subject(subject) || !wire::valid_subscribe_subject(queue)) return std::nullopt;
  return fmt::format("{} {}", subject, queue);
}

void add_subject(ConfReading& reading, const ConfNode& node, const std::string& path, Queues queues,
                 std::vector<std::string>& out) {
  auto text = as_text(reading, node, "a subject in " + path);
  if (!text) return;
  if (queues == Queues::allowed && text->find_first_of(" \t") != std::string::npos) {
    if (auto both = with_queue(*text)) {
      out.push_back(std::move(*both));
      return;
    }
    reading.mistake(Errc::broker_bad_subject, node.place,
                    fmt::format("{}: \"{}\" is not a valid subject and queue", path, shown(*text)));
    return;
  }
  if (check_subject(reading, node, *text, path)) out.push_back(std::move(*text));
}

std::vector<std::string> subjects(ConfReading& reading, const ConfNode& node, const std::string& path, Queues queues) {
  std::vector<std::string> out;
  if (!node.is(Kind::array)) {
    add_subject(reading, node, path, queues, out);
    return out;
  }
  for (const ConfNode& item : node.items) add_subject(reading, item, path, queues, out);
  return out;
}

// As nats-server has it, an empty list is no list.
std::optional<std::vector<std::string>> allowed(ConfReading& reading, const ConfNode& node, const std::string& path,
                                                Queues queues) {
  if (node.is(Kind::array) && node.items.empty()) {
    reading.notice(Errc::broker_unsafe_setting, Notice::Severity::warning, node.place,
                   fmt::format("{} is an empty list, and so everything is allowed", path), "deny: \">\"");
    return std::nullopt;
  }
  return subjects(reading, node, path, queues);
}

broker::PermissionRules rules(ConfReading& reading, const ConfMember& member, const std::string& path, Queues queues) {
  broker::PermissionRules out;
  if (!member.value.is(Kind::map)) {
    out.allow = allowed(reading, member.value, path, queues);
    return out;
  }
  ConfBlock block(reading, member.value, path);
  if (const ConfMember* allow = block.member({"allow"}))
    out.allow = allowed(reading, allow->value, path + ".allow", queues);
  if (const ConfMember* deny = block.member({"deny"}))
    out.deny = subjects(reading, deny->value, path + ".deny", queues);
  block.finish();
  return out;
}

std::optional<Duration> expiry(ConfReading& reading, const ConfMember& member) {
  const std::string_view text = member.value.text;
  const bool negative = text.starts_with('-');
  const auto parsed = parse_duration(negative ? text.substr(1) : text);
  const bool readable =
      member.value.is(Kind::string) || (reading.yaml && member.value.form == ConfNode::Form::suffixed);
  if (!parsed || !readable) {
    reading.mistake(Errc::config_bad_value, member.value.place,
                    fmt::format("{} must be a duration like \"1m\", in quotes", shown(member.key)));
    return std::nullopt;
  }
  return negative ? -*parsed : *parsed;
}

std::optional<broker::ResponsePermission> responses(ConfReading& reading, const ConfMember& member,
                                                    const std::string& path) {
  broker::ResponsePermission out;
  if (member.value.is(Kind::boolean)) return member.value.boolean ? std::optional(out) : std::nullopt;
  if (!member.value.is(Kind::map)) {
    reading.mistake(Errc::config_bad_value, member.value.place,
                    fmt::format("{} must be true, false or a block of max and expires", path));
    return std::nullopt;
  }
  ConfBlock block(reading, member.value, path);
  constexpr std::int64_t kMost = 1'000'000'000;
  if (const auto max = block.integer({"max", "max_msgs", "max_messages", "max_responses"}, -kMost, kMost);
      max && *max != 0)
    out.max = static_cast<int>(*max);
  if (const ConfMember* expires = block.member({"expires", "expiration", "ttl"})) {
    const auto after = expiry(reading, *expires);
    if (after && *after != Duration::zero()) out.expires = *after;
  }
  block.finish();
  return out;
}

}  // namespace

bool check_subject(ConfReading& reading, const ConfNode& node, std::string_view subject, std::string_view what) {
  const wire::SubjectFault fault = wire::subscribe_fault(subject);
  if (fault == wire::SubjectFault::none) return true;
  reading.mistake(
      Errc::broker_bad_subject, node.place,
      fmt::format("{}: \"{}\" is not a valid subject: it {}", what, shown(subject), wire::to_string(fault)));
  return false;
}

std::optional<broker::Permissions> read_permissions(ConfReading& reading, const ConfNode& node,
                                                    const std::string& path) {
  ConfBlock block(reading, node, path);
  if (!node.is(Kind::map)) return std::nullopt;
  broker::Permissions out;
  if (const ConfMember* publish = block.member({"publish", "pub", "import"}))
    out.publish = rules(reading, *publish, block.full("publish"), Queues::refused);
  if (const ConfMember* subscribe = block.member({"subscribe", "sub", "export"}))
    out.subscribe = rules(reading, *subscribe, block.full("subscribe"), Queues::allowed);
  if (const ConfMember* found = block.member({"allow_responses", "publish_allow_responses"}))
    out.responses = responses(reading, *found, block.full("allow_responses"));
  // Who may answer may do nothing else unless it is allowed by name.
  if (out.responses && !out.publish.allow) out.publish.allow.emplace();
  block.finish();
  return out;
}

}  // namespace hawser::config
