// A map of a strict YAML schema: each key is asked for once, in its type; what was not asked for is a mistake.
//
// Lives while its node and the shared Schema do; one thread.
//
//   Block limits(schema, node, "limits");
//   limits.size("max_payload", out.max_payload, 1, limits::kMaxPayloadBytes);
//   limits.finish();
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/place.hpp"
#include "config/yaml_tree.hpp"

namespace hawser::config {

// What all blocks of one file share.
struct Schema {
  std::filesystem::path directory;  // relative paths are relative to it
  std::vector<Mistake> mistakes;
  std::map<std::string, std::string, std::less<>> origins;

  void mistake(Errc code, const Place& at, std::string message, std::string hint = {}) {
    mistakes.push_back({code, at, std::move(message), std::move(hint)});
  }
};

// A word of a closed list and what it stands for.
template <class T>
using Choices = std::span<const std::pair<std::string_view, T>>;

class Block {
 public:
  // `node` may be null or no map: then every key is absent, and the latter is a mistake.
  Block(Schema& schema, const YamlNode* node, std::string prefix);

  // The value of a key, or null; the key is known from then on.
  const YamlNode* value(std::string_view key);
  [[nodiscard]] bool has(std::string_view key) const { return node_ != nullptr && node_->find(key) != nullptr; }
  // A block below this one.
  Block block(std::string_view key);

  // A single value that is not empty.
  const YamlNode* scalar(std::string_view key);
  std::optional<std::string> path(std::string_view key);
  void boolean(std::string_view key, bool& out);
  void duration(std::string_view key, std::chrono::nanoseconds& out, std::chrono::nanoseconds least,
                std::chrono::nanoseconds most);
  void size(std::string_view key, std::uint64_t& out, std::uint64_t least, std::uint64_t most);
  void number(std::string_view key, std::uint64_t& out, std::uint64_t least, std::uint64_t most);
  template <class T>
  void choice(std::string_view key, T& out, Choices<T> choices) {
    const YamlNode* node = scalar(key);
    if (node == nullptr) return;
    std::string words;
    for (const auto& [word, meaning] : choices) {
      if (same(node->text, word)) {
        out = meaning;
        return;
      }
      words += (words.empty() ? "" : ", ") + std::string(word);
    }
    bad(key, *node, "is not one of " + words);
  }

  void bad(std::string_view key, const YamlNode& node, const std::string& why);
  [[nodiscard]] std::string full(std::string_view key) const {
    return prefix_.empty() ? std::string(key) : prefix_ + '.' + std::string(key);
  }

  // Reports the keys that nobody asked for. `advice`: keys that people try, and what to do instead.
  void finish(std::span<const std::pair<std::string_view, std::string_view>> advice = {});

 private:
  static bool same(std::string_view a, std::string_view b);

  Schema& schema_;
  const YamlNode* node_;
  std::string prefix_;
  std::vector<std::string> known_;
};

}  // namespace hawser::config
