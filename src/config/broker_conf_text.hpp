// The text of a broker's configuration into one tree, whichever of its forms it is in.
//
// Three forms: nats-server's language; YAML; and nats-server's language with blocks that were indented instead of put
// in braces (`tls:` and the lines below it), which nobody reads but people write. Pure.
//
//   Result<BrokerText> text = read_broker_text(bytes, "nats.conf", reach, ConfSyntax::by_name);
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/broker_conf.hpp"
#include "config/nats_conf.hpp"
#include "config/yaml_tree.hpp"

namespace hawser::config {

struct BrokerText {
  ConfDocument document;
  bool yaml = false;            // plain scalars are YAML's
  std::vector<Notice> notices;  // it is in a form that nats-server does not read
};

// A file that says by its name nothing is nats-server's; then YAML, when it parses and names a key of the broker's;
// then braces are put where they are missing. Errors: of parse_nats_conf, or of parse_yaml for what is YAML by its
// name.
[[nodiscard]] Result<BrokerText> read_broker_text(std::string_view text, const std::string& name,
                                                  const ConfReach& reach, ConfSyntax syntax);

// YAML as nats-server's tree: plain scalars by its own rules (1MB is a number, on is true), `$NAME` from the
// environment. Errors: config_syntax, config_unknown_variable, config_too_complex, with file:line:column.
[[nodiscard]] Result<ConfDocument> conf_from_yaml(std::string_view text, const std::string& name,
                                                  const ConfReach& reach);

// The same text with braces around what is indented below `key:`, no line and no column moved; nothing when there is no
// such block. `first` is the line of the first one.
struct Braced {
  std::string text;
  std::uint32_t first = 0;
  std::string key;
};
[[nodiscard]] std::optional<Braced> brace_indented_blocks(std::string_view text);

}  // namespace hawser::config
