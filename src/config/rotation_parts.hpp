// The parts that a rotation's plan repeats: names, paths, endpoints, commands, triggers, targets. For
// rotation_file.cpp.
//
// One object a file; it knows the names that are taken.
//
//   RotationParts parts(schema);  parts.needed_path(block, node, "old_ca", plan.old_ca);
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/yaml_block.hpp"
#include "rotation/plan.hpp"

namespace hawser::config {

class RotationParts {
 public:
  // `plan`: what has been read of it so far.
  RotationParts(Schema& schema, const rotation::Plan& plan) : schema_(schema), plan_(plan) {}

  // `node` is the block's map, here and below: where what is missing should stand.
  void missing(Block& block, const YamlNode& node, std::string_view key);

  // Letters, digits, "-", "_" and "."; at most 64.
  void name(Block& block, const YamlNode& node, std::string& out);
  // And not that of another one of its kind.
  void unique_name(Block& block, const YamlNode& node, std::string& out, std::string_view kind);
  void needed_path(Block& block, const YamlNode& node, std::string_view key, rotation::Path& out);
  std::optional<std::string> item_path(Block& block, std::string_view key, const YamlNode& item);
  void needed_endpoint(Block& block, const YamlNode& node, std::string_view key, rotation::EndpointUse use,
                       rotation::Endpoint& out);
  void needed_trigger(Block& block, const YamlNode& node, std::string_view key, rotation::Trigger& out);
  std::optional<rotation::Trigger> trigger(Block& block, std::string_view key);
  // `deliver`, or how a broker changes: files, or a command with its undo.
  std::optional<rotation::Delivery> change(Block& block, std::string_view key, const std::string& whose);
  rotation::Target target(Block& block, const YamlNode& node);

  // The items of a list that may be absent, or must not be.
  std::vector<const YamlNode*> list(Block& block, std::string_view key, std::size_t most);
  std::vector<const YamlNode*> needed_list(Block& block, const YamlNode& node, std::string_view key, std::size_t most);

  // Files that are written by a target, or for a broker, in the order of the plan.
  struct Written {
    std::string path;
    std::string whose;
    std::string part;  // the key: "deliver", "broaden", "narrow"
    std::size_t wave;  // of a target
    Place place;
  };
  [[nodiscard]] const std::vector<Written>& written() const { return written_; }
  // Targets that are delivered by a command which nothing undoes.
  [[nodiscard]] const std::vector<std::pair<std::string, Place>>& without_undo() const { return without_undo_; }
  [[nodiscard]] static bool is_metric(std::string_view name);

 private:
  bool endpoint(Block& block, std::string_view key, rotation::EndpointUse use, rotation::Endpoint& out);
  // `command: [words]` or `shell: text`.
  std::optional<rotation::Command> command(Block& block, std::string_view words_key, std::string_view shell_key);
  void signal(Block& block, const YamlNode& node, rotation::Trigger& out);
  void deliver(Block& block, const YamlNode& node, rotation::Target& out);
  void files(Block& block, std::vector<rotation::Copy>& out, const std::string& whose, std::string_view key);
  void prove(Block& block, const YamlNode& node, rotation::Target& out);
  void server(Block& block, rotation::Proof& out);

  Schema& schema_;
  const rotation::Plan& plan_;
  std::set<std::pair<std::string, std::string>, std::less<>> names_;
  std::vector<std::pair<std::string, Place>> without_undo_;
  std::vector<Written> written_;
};

}  // namespace hawser::config
