// nats-server's configuration language, read into a tree.
//
// It takes what nats-server takes, and means the same by it, quirks included (a key ends at a space or a separator and
// so `tls{` is a key; `1m` is a million; `(` … `)` is a block of lines; the last of two equal keys counts). One thing
// is read that nats-server refuses by accident: a number right before `]`. What it takes by accident is refused: a key
// without a value, an unknown size suffix, a number beyond 64 bits, an unclosed top-level `{`, an include that includes
// itself. Every node knows its place, and duplicates are listed, so that a linter can speak of them. Pure but for
// `load_nats_conf`; thread-safe.
//
//   const Result<ConfDocument> conf = load_nats_conf("nats-server.conf");
//   if (const ConfNode* tls = conf->root.find("tls")) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "config/place.hpp"

namespace hawser::config {

struct ConfMember;

struct ConfNode {
  enum class Kind : std::uint8_t { boolean, integer, real, datetime, string, array, map };
  // How a scalar was written, which tells `1m` from `1000000` and `"1m"`.
  enum class Form : std::uint8_t { bare, suffixed, quoted, block };

  Kind kind = Kind::map;
  Form form = Form::bare;
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  Place place;
  std::string text;      // a string's content; any other scalar as it was written
  std::string variable;  // the $VARIABLE that this value came through, without the dollar
  std::vector<ConfNode> items;
  std::vector<ConfMember> members;  // in the order of the file, duplicates included

  [[nodiscard]] bool is(Kind k) const { return kind == k; }
  // The member that counts (the last) of this name, in any case of letters, as nats-server compares. Null: there is
  // none, or no map.
  [[nodiscard]] const ConfMember* member(std::string_view name) const;
  [[nodiscard]] const ConfNode* find(std::string_view name) const;
  // "map", "a string" …, for messages.
  [[nodiscard]] std::string_view kind_name() const;
};

struct ConfMember {
  std::string key;
  Place place;
  ConfNode value;
  bool used_as_variable = false;  // a $REFERENCE names it: not a setting, then
};

struct ConfDocument {
  ConfNode root;
  std::vector<DuplicateKey> duplicates;
  std::vector<std::string> files;  // the file and everything that it includes
};

// What a configuration may reach outside of itself.
struct ConfReach {
  // The text of an included file, by its path.
  std::function<Result<std::string>(const std::filesystem::path&)> read;
  // A variable of the environment.
  std::function<std::optional<std::string>(std::string_view)> environment;
};

// Bounds: beyond them, config_too_complex.
inline constexpr std::size_t kConfDepth = 64;
inline constexpr std::size_t kConfNodes = 200'000;  // variables that stand for blocks are counted where they are used
inline constexpr std::size_t kConfIncludeDepth = 10;
inline constexpr std::size_t kConfFiles = 100;

// Errors: config_syntax, config_unknown_variable, config_include_failed, config_too_complex; each names
// file:line:column.
[[nodiscard]] Result<ConfDocument> parse_nats_conf(std::string_view text, const std::string& file_name,
                                                   const ConfReach& reach);
// The same from disk, with this process's environment. Errors also: file_unreadable, limit_exceeded.
[[nodiscard]] Result<ConfDocument> load_nats_conf(const std::filesystem::path& path);

}  // namespace hawser::config
