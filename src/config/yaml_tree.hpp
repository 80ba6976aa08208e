// YAML as a bounded tree with places: what agent files and manifests are read from.
//
// Untyped on purpose: "no" is the text "no" until somebody asks for a boolean. Aliases are copied and counted where
// they are used, so that a small file cannot become a large tree; `<<` merges maps. Keys that stand twice are listed.
// Pure; thread-safe.
//
//   const Result<std::vector<YamlDocument>> documents = parse_yaml(text, "broker.yaml");
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "config/place.hpp"

namespace hawser::config {

struct YamlMember;

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, sequence, map };

  Kind kind = Kind::null;
  bool plain = true;  // written without quotes
  Place place;
  std::string text;
  std::vector<YamlNode> items;
  std::vector<YamlMember> members;  // in the order of the file, duplicates included, merged ones last

  [[nodiscard]] bool is(Kind k) const { return kind == k; }
  // The value of a key (the last of its name), or null. Case counts.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
  // A scalar's text, or "".
  [[nodiscard]] std::string_view scalar(std::string_view key) const;
  // "a map", "a list" …, for messages.
  [[nodiscard]] std::string_view kind_name() const;
};

struct YamlMember {
  std::string key;
  Place place;
  YamlNode value;
};

struct YamlDocument {
  YamlNode root;
  std::vector<DuplicateKey> duplicates;
};

// Bounds: beyond them, config_too_complex.
inline constexpr std::size_t kYamlDepth = 64;
inline constexpr std::size_t kYamlNodes = 200'000;
inline constexpr std::size_t kYamlTextBytes = 32UL << 20U;  // of all scalars, aliases counted where they are used
inline constexpr std::size_t kYamlDocuments = 2'000;

// Errors: config_syntax, config_too_complex, with file:line:column.
[[nodiscard]] Result<std::vector<YamlDocument>> parse_yaml(std::string_view text, const std::string& file_name);

}  // namespace hawser::config
