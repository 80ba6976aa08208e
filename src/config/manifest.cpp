#include "config/manifest.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "config/yaml_tree.hpp"

namespace hawser::config {

namespace {

using Kind = YamlNode::Kind;

// Where a kind keeps its pod: the keys from the object to the pod's `spec`.
struct Workload {
  std::string_view kind;
  std::array<std::string_view, 5> path;  // empty ones end it
};
constexpr std::array<Workload, 9> kWorkloads{{
    {"Pod", {"spec"}},
    {"PodTemplate", {"template", "spec"}},
    {"Deployment", {"spec", "template", "spec"}},
    {"StatefulSet", {"spec", "template", "spec"}},
    {"DaemonSet", {"spec", "template", "spec"}},
    {"ReplicaSet", {"spec", "template", "spec"}},
    {"ReplicationController", {"spec", "template", "spec"}},
    {"Job", {"spec", "template", "spec"}},
    {"CronJob", {"spec", "jobTemplate", "spec", "template", "spec"}},
}};
constexpr std::array<std::string_view, 3> kContainerLists{"initContainers", "containers", "ephemeralContainers"};

std::string_view list_word(std::string_view list) {
  if (list == "initContainers") return "init container";
  return list == "containers" ? "container" : "ephemeral container";
}

class ManifestReader {
 public:
  explicit ManifestReader(FileName file) : file_(std::move(file)) {}

  void read_object(const YamlNode& object, int list_depth = 0) {
    if (object.is(Kind::null)) return;
    if (!object.is(Kind::map))
      return mistake(object.place, fmt::format("expected a Kubernetes object, found {}", object.kind_name()));
    const std::string_view kind = object.scalar("kind");
    if (kind == "List" || kind.ends_with("List")) {
      constexpr int kListsInLists = 4;
      const YamlNode* items = list_of(object, "items");
      if (items == nullptr) return;
      if (list_depth >= kListsInLists) return mistake(items->place, "lists in lists in lists");
      for (const YamlNode& item : items->items) read_object(item, list_depth + 1);
      return;
    }
    const auto workload =
        std::find_if(kWorkloads.begin(), kWorkloads.end(), [kind](const Workload& w) { return w.kind == kind; });
    if (workload == kWorkloads.end()) return;
    const YamlNode* spec = &object;
    for (const std::string_view key : workload->path) {
      if (key.empty()) break;
      const YamlNode* below = spec->find(key);
      if (below == nullptr || !below->is(Kind::map)) {
        return mistake(below == nullptr ? spec->place : below->place,
                       fmt::format("{}: expected a map under \"{}\"", kind, key));
      }
      spec = below;
    }
    const YamlNode* metadata = object.find("metadata");
    std::string name(metadata == nullptr ? "" : metadata->scalar("name"));
    if (name.empty() && metadata != nullptr) name = fmt::format("{}*", metadata->scalar("generateName"));
    const std::string_view space = metadata == nullptr ? "" : metadata->scalar("namespace");
    read_pod(*spec, fmt::format("{} {}{}{}", kind, space, space.empty() ? "" : "/", name));
  }

  Result<std::vector<Container>> take() {
    if (!mistakes_.empty()) return std::unexpected(as_error(mistakes_));
    return std::move(containers_);
  }

 private:
  void mistake(const Place& at, std::string message) {
    constexpr std::size_t kMistakes = 50;
    if (mistakes_.size() < kMistakes) mistakes_.push_back({Errc::config_bad_value, at, std::move(message), {}});
  }

  // The list under `key`, or null when there is none.
  const YamlNode* list_of(const YamlNode& map, std::string_view key) {
    const YamlNode* list = map.find(key);
    if (list == nullptr || list->is(Kind::null)) return nullptr;
    if (list->is(Kind::sequence)) return list;
    mistake(list->place, fmt::format("\"{}\" must be a list, and is {}", key, list->kind_name()));
    return nullptr;
  }

  void read_pod(const YamlNode& spec, const std::string& owner) {
    for (const std::string_view key : kContainerLists) {
      const YamlNode* list = list_of(spec, key);
      if (list == nullptr) continue;
      for (const YamlNode& item : list->items) {
        if (!item.is(Kind::map)) {
          mistake(item.place, "a container must be a map");
          continue;
        }
        if (containers_.size() >= kManifestContainers)
          return mistake(item.place, fmt::format("more than {} containers", kManifestContainers));
        Container container;
        container.place = item.place;
        container.subject = fmt::format("{}: {}, {} {}", *file_, owner, list_word(key), item.scalar("name"));
        read_environment(item, container);
        containers_.push_back(std::move(container));
      }
    }
  }

  void read_environment(const YamlNode& item, Container& container) {
    if (const YamlNode* list = list_of(item, "envFrom")) {
      for (const YamlNode& entry : list->items) read_env_from(entry, container);
    }
    const YamlNode* list = list_of(item, "env");
    if (list == nullptr) return;
    for (const YamlNode& entry : list->items) {
      if (!entry.is(Kind::map) || entry.scalar("name").empty()) {
        mistake(entry.place, "an entry of \"env\" must be a map with a name");
        continue;
      }
      Variable variable;
      variable.name = std::string(entry.scalar("name"));
      const YamlNode* value = entry.find("value");
      const YamlNode* from = entry.find("valueFrom");
      variable.place = value != nullptr ? value->place : from != nullptr ? from->place : entry.place;
      if (from != nullptr && from->is(Kind::map)) {
        variable.origin = origin_of(*from);
      } else if (value != nullptr && !value->is(Kind::null) && !value->is(Kind::scalar)) {
        mistake(value->place,
                fmt::format("the value of {} must be a text, and is {}", variable.name, value->kind_name()));
        continue;
      } else {
        expand(value == nullptr ? std::string_view() : std::string_view(value->text), container, variable);
      }
      container.variables.push_back(std::move(variable));
    }
  }

  static std::string origin_of(const YamlNode& from) {
    for (const auto& [key, word] :
         {std::pair<std::string_view, std::string_view>{"secretKeyRef", "secret"}, {"configMapKeyRef", "config map"}}) {
      const YamlNode* reference = from.find(key);
      if (reference != nullptr)
        return fmt::format("{} {}, key {}", word, reference->scalar("name"), reference->scalar("key"));
    }
    return from.members.empty() ? std::string("valueFrom") : from.members.front().key;
  }

  void read_env_from(const YamlNode& entry, Container& container) {
    if (!entry.is(Kind::map)) return mistake(entry.place, "an entry of \"envFrom\" must be a map");
    EnvironmentFrom from;
    from.place = entry.place;
    const std::string_view prefix = entry.scalar("prefix");
    for (const auto& [key, word] :
         {std::pair<std::string_view, std::string_view>{"secretRef", "secret"}, {"configMapRef", "config map"}}) {
      const YamlNode* reference = entry.find(key);
      if (reference != nullptr) from.origin = fmt::format("{} {}", word, reference->scalar("name"));
    }
    if (!prefix.empty()) from.origin += fmt::format(", prefix {}", prefix);
    container.from.push_back(std::move(from));
  }

  // $(NAME) of variables further up is replaced, $$ is a dollar, anything else stays: the kubelet's rules. A reference
  // to a value that is not known here makes this one unknown as well.
  void expand(std::string_view text, const Container& container, Variable& variable) {
    constexpr std::size_t kExpandedBytes = 64UL << 20U;  // of all values together: each may double the one before
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::string_view rest = text.substr(i);
      if (rest.starts_with("$$")) {
        out += '$';
        ++i;
        continue;
      }
      const std::size_t close = rest.starts_with("$(") ? rest.find(')') : std::string_view::npos;
      if (close == std::string_view::npos) {
        out += text[i];
        continue;
      }
      const Variable* named = find_variable(container.variables, rest.substr(2, close - 2));
      const bool unknown = named == nullptr ? !container.from.empty() : !named->value;
      if (named != nullptr && named->value) expanded_bytes_ += named->value->reveal().size();
      if (unknown || expanded_bytes_ > kExpandedBytes) {
        variable.origin = fmt::format("a reference to {}", rest.substr(2, std::min<std::size_t>(close - 2, 64)));
        wipe(out);
        return;
      }
      out += named == nullptr ? rest.substr(0, close + 1) : named->value->reveal();
      i += close;
    }
    variable.value = Secret::take(std::move(out));
  }

  FileName file_;
  std::vector<Container> containers_;
  std::size_t expanded_bytes_ = 0;
  std::vector<Mistake> mistakes_;
};

}  // namespace

Result<std::vector<Container>> parse_manifest(std::string_view text, const std::string& file_name) {
  const Result<std::vector<YamlDocument>> documents = parse_yaml(text, file_name);
  if (!documents) return std::unexpected(documents.error());
  ManifestReader reader(std::make_shared<const std::string>(file_name));
  for (const YamlDocument& document : *documents) reader.read_object(document.root);
  return reader.take();
}

}  // namespace hawser::config
