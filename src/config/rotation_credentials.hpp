// What a rotation's plan says only when its kind is credentials. For rotation_file.cpp and rotation_parts.cpp.
//
//   CredentialParts(schema, parts, plan).prober(block, node, plan.prober);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/rotation_parts.hpp"
#include "config/yaml_block.hpp"
#include "rotation/plan.hpp"

namespace hawser::config {

class CredentialParts {
 public:
  // `plan`: what has been read of it so far.
  CredentialParts(Schema& schema, RotationParts& parts, const rotation::Plan& plan)
      : schema_(schema), parts_(parts), plan_(plan) {}

  void prober(Block& block, const YamlNode& node, rotation::Prober& out);
  void broker(Block& block, const YamlNode& node, rotation::Broker& out);
  void prove(Block& block, const YamlNode& node, rotation::Target& out);
  void retires(Block& top, std::vector<std::string>& out);
  // When all brokers are read.
  void check_narrowed(const YamlNode& brokers);

 private:
  rotation::CredentialSource source(Block& prober, const YamlNode& node, std::string_view key);
  void replaces(Block& block, const YamlNode& node, rotation::Target& out);
  [[nodiscard]] static std::string_view why_not_retired(std::string_view text);

  Schema& schema_;
  RotationParts& parts_;
  const rotation::Plan& plan_;
};

}  // namespace hawser::config
