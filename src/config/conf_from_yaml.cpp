#include <fmt/format.h>
#include <memory>
#include <utility>

#include "config/broker_conf_text.hpp"
#include "config/conf_cursor.hpp"
#include "config/letters.hpp"

namespace hawser::config {

namespace {

// Thrown inside of this file only.
struct Stop {
  Mistake mistake;
};

class Converter {
 public:
  explicit Converter(const ConfReach& reach) : reach_(reach) {}

  ConfNode convert(const YamlNode& yaml) const {
    ConfNode out;
    out.place = yaml.place;
    switch (yaml.kind) {
      case YamlNode::Kind::map:
        for (const YamlMember& member : yaml.members) out.members.push_back(convert(member));
        return out;
      case YamlNode::Kind::sequence:
        out.kind = ConfNode::Kind::array;
        for (const YamlNode& item : yaml.items) out.items.push_back(convert(item));
        return out;
      case YamlNode::Kind::scalar: return scalar(yaml);
      case YamlNode::Kind::null: break;
    }
    throw Stop{{Errc::config_syntax, yaml.place, "an empty value", "Give it a value, or \"\" for an empty text."}};
  }

 private:
  ConfMember convert(const YamlMember& member) const {
    if (member.value.is(YamlNode::Kind::null))
      throw Stop{{Errc::config_syntax,
                  member.place,
                  fmt::format("the key \"{}\" has no value", member.key.substr(0, 64)),
                  {}}};
    return {member.key, member.place, convert(member.value), false};
  }

  ConfNode scalar(const YamlNode& yaml) const {
    const std::string_view text = yaml.text;
    if (yaml.plain && text.starts_with('$') && !text.starts_with("$2")) return variable(yaml);
    return plain(yaml.text, yaml.plain, yaml.place);
  }

  // By the rules of nats-server's own scalars; what is none of them is a text.
  static ConfNode plain(const std::string& text, bool plain, const Place& place) {
    if (plain) {
      ConfCursor cursor(text, place.file);
      const char first = text.empty() ? '\0' : text.front();
      const bool number = is_digit(first) || first == '-';
      const bool word = (first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z');
      if (number || word) {
        auto read = cursor.scalar();
        if (read && cursor.at_end() && !read->reference && read->node.text == text) {
          read->node.place = place;
          return std::move(read->node);
        }
      }
    }
    ConfNode out;
    out.kind = ConfNode::Kind::string;
    out.form = plain ? ConfNode::Form::bare : ConfNode::Form::quoted;
    out.place = place;
    out.text = text;
    return out;
  }

  ConfNode variable(const YamlNode& yaml) const {
    const std::string name = yaml.text.substr(1);
    const std::optional<std::string> value = reach_.environment(name);
    if (!value)
      throw Stop{{Errc::config_unknown_variable,
                  yaml.place,
                  fmt::format("the environment variable ${} is not defined", name.substr(0, 64)),
                  {}}};
    ConfNode out = plain(*value, true, yaml.place);
    out.variable = name;
    return out;
  }

  const ConfReach& reach_;
};

}  // namespace

Result<ConfDocument> conf_from_yaml(std::string_view text, const std::string& name, const ConfReach& reach) {
  auto documents = parse_yaml(text, name);
  if (!documents) return std::unexpected(std::move(documents.error()));
  ConfDocument out;
  out.files = {name};
  out.root.place = {std::make_shared<const std::string>(name), 1, 1};
  if (documents->empty() || documents->front().root.is(YamlNode::Kind::null)) return out;
  if (documents->size() > 1)
    return fail(Errc::config_syntax,
                fmt::format("{}: more than one YAML document", documents->at(1).root.place.text()));
  try {
    out.root = Converter(reach).convert(documents->front().root);
  } catch (const Stop& stop) {
    return fail(stop.mistake.code, stop.mistake.text());
  }
  if (!out.root.is(ConfNode::Kind::map))
    return fail(Errc::config_syntax, fmt::format("{}: a configuration is a map of keys", out.root.place.text()));
  out.duplicates = std::move(documents->front().duplicates);
  return out;
}

}  // namespace hawser::config
