#include "config/conf_block.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/nearest.hpp"
#include "base/quantity.hpp"
#include "config/letters.hpp"

namespace hawser::config {

namespace {

using Kind = ConfNode::Kind;

constexpr std::int64_t kMostSeconds = 10LL * 365 * 24 * 3600;
constexpr std::string_view kDurationForm = "a duration like \"500ms\", \"2s\" or \"1m\", in quotes";

bool is_scalar(const ConfNode& node) { return !node.is(Kind::map) && !node.is(Kind::array); }

std::chrono::nanoseconds from_seconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

}  // namespace

std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 80;
  std::string out;
  for (const char c : text.substr(0, kMost)) out += static_cast<unsigned char>(c) >= 0x20 && c != 0x7f ? c : '?';
  return text.size() > kMost ? out + "…" : out;
}

std::optional<std::string> as_text(ConfReading& reading, const ConfNode& node, std::string_view what) {
  if (node.is(Kind::string) || (reading.yaml && is_scalar(node))) return node.text;
  reading.mistake(Errc::config_bad_value, node.place, fmt::format("{} must be a text, not {}", what, node.kind_name()),
                  is_scalar(node) ? "Put it in quotes." : "");
  return std::nullopt;
}

std::optional<bool> as_boolean(ConfReading& reading, const ConfNode& node, std::string_view what) {
  if (node.is(Kind::boolean)) return node.boolean;
  reading.mistake(Errc::config_bad_value, node.place,
                  fmt::format("{} must be true or false, not {}", what, node.kind_name()),
                  node.is(Kind::string) ? "Write it without quotes." : "");
  return std::nullopt;
}

std::optional<std::int64_t> as_integer(ConfReading& reading, const ConfNode& node, std::string_view what) {
  if (node.is(Kind::integer)) return node.integer;
  reading.mistake(Errc::config_bad_value, node.place,
                  fmt::format("{} must be a whole number, not {}", what, node.kind_name()),
                  node.is(Kind::string) ? "Write it without quotes, like 4096 or 1MB." : "");
  return std::nullopt;
}

ConfBlock::ConfBlock(ConfReading& reading, const ConfNode& node, std::string path)
    : reading_(reading), node_(node), path_(std::move(path)) {
  if (node.is(Kind::map)) return;
  reading_.mistake(Errc::config_bad_value, node.place,
                   fmt::format("{} must be a block in braces, not {}", path_.empty() ? "the configuration" : path_,
                               node.kind_name()));
}

std::string ConfBlock::full(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

const ConfMember* ConfBlock::member(Names names) {
  const ConfMember* found = nullptr;
  for (const std::string_view name : names) {
    known_.emplace_back(name);
    const ConfMember* one = node_.member(name);
    if (one == nullptr) continue;
    if (found == nullptr) {
      found = one;
      continue;
    }
    const bool later =
        std::pair(one->place.line, one->place.column) > std::pair(found->place.line, found->place.column);
    const ConfMember& second = later ? *one : *found;
    const ConfMember& first = later ? *found : *one;
    reading_.mistake(Errc::config_conflict, second.place,
                     fmt::format("{} and {} are two names for one setting", full(second.key), shown(first.key)),
                     fmt::format("Keep one, as {}.", *names.begin()));
  }
  return found;
}

void ConfBlock::bad(const ConfMember& member, std::string_view wanted, std::string hint) {
  reading_.mistake(Errc::config_bad_value, member.value.place,
                   fmt::format("{} must be {}", full(shown(member.key)), wanted), std::move(hint));
}

std::optional<bool> ConfBlock::boolean(Names names) {
  const ConfMember* found = member(names);
  if (found == nullptr) return std::nullopt;
  return as_boolean(reading_, found->value, full(found->key));
}

std::optional<std::string> ConfBlock::text(Names names) {
  const ConfMember* found = member(names);
  if (found == nullptr) return std::nullopt;
  return as_text(reading_, found->value, full(found->key));
}

std::optional<std::int64_t> ConfBlock::integer(Names names, std::int64_t least, std::int64_t most) {
  const ConfMember* found = member(names);
  if (found == nullptr) return std::nullopt;
  const std::optional<std::int64_t> number = as_integer(reading_, found->value, full(found->key));
  if (number && (*number < least || *number > most)) {
    bad(*found, fmt::format("a number from {} to {}", least, most));
    return std::nullopt;
  }
  return number;
}

std::optional<std::vector<std::string>> ConfBlock::texts(Names names) {
  const ConfMember* found = member(names);
  if (found == nullptr) return std::nullopt;
  std::vector<std::string> out;
  const std::string what = full(found->key);
  if (!found->value.is(Kind::array)) {
    const auto one = as_text(reading_, found->value, what);
    if (!one) return std::nullopt;
    return std::vector{*one};
  }
  bool all = true;
  for (const ConfNode& item : found->value.items) {
    auto one = as_text(reading_, item, "an item of " + what);
    all = all && one.has_value();
    if (one) out.push_back(std::move(*one));
  }
  return all ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::chrono::nanoseconds> ConfBlock::duration(Names names, DurationKind kind) {
  const ConfMember* found = member(names);
  if (found == nullptr) return std::nullopt;
  const ConfNode& value = found->value;
  const std::string key = full(found->key);
  const bool suffixed = value.is(Kind::integer) && value.form == ConfNode::Form::suffixed;
  if (value.is(Kind::string) || (reading_.yaml && suffixed)) {
    const auto parsed = parse_duration(value.text);
    if (!parsed) bad(*found, kDurationForm);
    return parsed ? std::optional(*parsed) : std::nullopt;
  }
  const bool number = value.is(Kind::integer) || (value.is(Kind::real) && kind == DurationKind::seconds_or_text);
  if (!number || kind == DurationKind::text_only) {
    bad(*found, kDurationForm);
    return std::nullopt;
  }
  const double seconds = value.is(Kind::real) ? value.real : static_cast<double>(value.integer);
  if (seconds < 0 || seconds > static_cast<double>(kMostSeconds)) {
    bad(*found, "a time from 0 to ten years");
    return std::nullopt;
  }
  if (suffixed) {
    reading_.notice(Errc::broker_misspelt, Notice::Severity::warning, value.place,
                    fmt::format("{}: {} without quotes is {} seconds", key, value.text, value.integer),
                    fmt::format("{}: \"{}\"", found->key, value.text));
  } else if (kind == DurationKind::once_seconds) {
    reading_.notice(Errc::broker_misspelt, Notice::Severity::note, value.place,
                    fmt::format("{} is a number of seconds; nats-server wants a duration", key),
                    fmt::format("{}: \"{}s\"", found->key, value.text));
  }
  return from_seconds(seconds);
}

void ConfBlock::finish(std::initializer_list<std::pair<std::string_view, std::string_view>> advice) {
  if (!node_.is(Kind::map)) return;
  for (const ConfMember& member : node_.members) {
    const auto same = [&member](std::string_view key) { return same_letters(member.key, key); };
    if (member.used_as_variable || std::any_of(known_.begin(), known_.end(), same)) continue;
    std::string hint;
    const auto advised = std::find_if(advice.begin(), advice.end(), [&same](const auto& a) { return same(a.first); });
    if (advised != advice.end()) {
      hint = advised->second;
    } else if (const std::size_t brace = member.key.find_first_of("{["); brace != std::string::npos) {
      hint = fmt::format("Put a space between \"{}\" and '{}': it is read as one key.",
                         shown(std::string_view(member.key).substr(0, brace)), member.key[brace]);
    } else if (const auto near = nearest(member.key, known_)) {
      hint = fmt::format("Did you mean \"{}\"?", *near);
    }
    reading_.mistake(Errc::config_unknown_key, member.place,
                     fmt::format("unknown key \"{}\"{}{}", shown(member.key), path_.empty() ? "" : " in ", path_),
                     std::move(hint));
  }
}

}  // namespace hawser::config
