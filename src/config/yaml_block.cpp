#include "config/yaml_block.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/nearest.hpp"
#include "base/quantity.hpp"
#include "config/letters.hpp"

namespace hawser::config {

namespace {

// A key as people may have written it, for a message.
std::string shown(std::string_view key) {
  std::string out;
  for (const char c : key.substr(0, 64)) out += c >= ' ' && c <= '~' ? c : '?';
  return out;
}

}  // namespace

Block::Block(Schema& schema, const YamlNode* node, std::string prefix)
    : schema_(schema), node_(node), prefix_(std::move(prefix)) {
  if (node_ == nullptr || node_->is(YamlNode::Kind::map)) return;
  if (!node_->is(YamlNode::Kind::null)) {
    schema_.mistake(
        Errc::config_bad_value, node_->place,
        fmt::format("{} must be a map, and is {}", prefix_.empty() ? "the file" : prefix_, node_->kind_name()));
  }
  node_ = nullptr;
}

bool Block::same(std::string_view a, std::string_view b) { return same_letters(a, b); }

const YamlNode* Block::value(std::string_view key) {
  known_.emplace_back(key);
  if (node_ == nullptr) return nullptr;
  const YamlNode* found = node_->find(key);
  if (found == nullptr || found->is(YamlNode::Kind::null)) return nullptr;
  schema_.origins.insert_or_assign(full(key), found->place.text());
  return found;
}

Block Block::block(std::string_view key) { return {schema_, value(key), full(key)}; }

const YamlNode* Block::scalar(std::string_view key) {
  const YamlNode* node = value(key);
  if (node == nullptr) return nullptr;
  if (!node->is(YamlNode::Kind::scalar)) {
    bad(key, *node, fmt::format("must be a single value, and is {}", node->kind_name()));
    return nullptr;
  }
  if (trimmed(node->text).empty()) {
    bad(key, *node, "is empty");
    return nullptr;
  }
  return node;
}

std::optional<std::string> Block::path(std::string_view key) {
  const YamlNode* node = scalar(key);
  if (node == nullptr) return std::nullopt;
  const std::filesystem::path written(std::string(trimmed(node->text)));
  if (written.is_absolute() || node->text.starts_with("pkcs11:")) return written.string();
  std::string joined = (schema_.directory / written).lexically_normal().string();
  if (!joined.starts_with('/') && !joined.starts_with('.'))
    joined.insert(0, "./");  // so that it reads as a path everywhere
  return joined;
}

void Block::boolean(std::string_view key, bool& out) {
  constexpr std::string_view kTrue[] = {"true", "yes", "on", "y", "1"};
  constexpr std::string_view kFalse[] = {"false", "no", "off", "n", "0"};
  const YamlNode* node = scalar(key);
  if (node == nullptr) return;
  const auto is = [node](std::string_view word) { return same(node->text, word); };
  if (std::any_of(std::begin(kTrue), std::end(kTrue), is)) {
    out = true;
  } else if (std::any_of(std::begin(kFalse), std::end(kFalse), is)) {
    out = false;
  } else {
    bad(key, *node, "is not true or false");
  }
}

void Block::duration(std::string_view key, std::chrono::nanoseconds& out, std::chrono::nanoseconds least,
                     std::chrono::nanoseconds most) {
  const YamlNode* node = scalar(key);
  if (node == nullptr) return;
  const Result<std::chrono::nanoseconds> parsed = parse_duration(node->text);
  if (!parsed) return bad(key, *node, "is not a duration like 50ms, 2s or 1m30s");
  if (*parsed < least || *parsed > most)
    return bad(key, *node, fmt::format("must be from {} to {}", format_duration(least), format_duration(most)));
  out = *parsed;
}

void Block::size(std::string_view key, std::uint64_t& out, std::uint64_t least, std::uint64_t most) {
  const YamlNode* node = scalar(key);
  if (node == nullptr) return;
  const Result<std::uint64_t> parsed = parse_size(node->text);
  if (!parsed) return bad(key, *node, "is not a size like 512KB, 4MB or 1048576");
  if (*parsed < least || *parsed > most)
    return bad(key, *node, fmt::format("must be from {} to {}", format_size(least), format_size(most)));
  out = *parsed;
}

void Block::number(std::string_view key, std::uint64_t& out, std::uint64_t least, std::uint64_t most) {
  const YamlNode* node = scalar(key);
  if (node == nullptr) return;
  std::uint64_t parsed = 0;
  const char* end = node->text.data() + node->text.size();
  const auto [stopped, error] = std::from_chars(node->text.data(), end, parsed);
  if (error != std::errc() || stopped != end) return bad(key, *node, "is not a whole number");
  if (parsed < least || parsed > most) return bad(key, *node, fmt::format("must be from {} to {}", least, most));
  out = parsed;
}

void Block::bad(std::string_view key, const YamlNode& node, const std::string& why) {
  schema_.mistake(Errc::config_bad_value, node.place, fmt::format("{} {}", full(key), why));
}

void Block::finish(std::span<const std::pair<std::string_view, std::string_view>> advice) {
  if (node_ == nullptr) return;
  for (const YamlMember& member : node_->members) {
    if (std::find(known_.begin(), known_.end(), member.key) != known_.end()) continue;
    const auto advised =
        std::find_if(advice.begin(), advice.end(), [&member](const auto& a) { return a.first == member.key; });
    std::string hint;
    if (advised != advice.end()) {
      hint = advised->second;
    } else if (const auto near = nearest(member.key, known_)) {
      hint = fmt::format("did you mean \"{}\"?", *near);
    }
    const std::string_view where = prefix_.empty() ? std::string_view("at the top level") : std::string_view(prefix_);
    schema_.mistake(Errc::config_unknown_key, member.place,
                    fmt::format("unknown key \"{}\" {}{}", shown(member.key), prefix_.empty() ? "" : "in ", where),
                    std::move(hint));
  }
}

}  // namespace hawser::config
