#include "config/yaml_tree.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <sstream>
#include <unordered_map>
#include <utility>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "config/letters.hpp"

namespace hawser::config {

namespace {

// Thrown through yaml-cpp, and caught at this file's edge.
struct Stop {
  Mistake mistake;
};

struct Weight {
  std::size_t nodes = 1;
  std::size_t bytes = 0;
  std::size_t height = 1;
};

Weight weigh(const YamlNode& node) {
  Weight out{1, node.text.size(), 1};
  const auto add = [&out](const Weight& below, std::size_t key_bytes) {
    out.nodes += below.nodes;
    out.bytes += below.bytes + key_bytes;
    out.height = std::max(out.height, below.height + 1);
  };
  for (const YamlNode& item : node.items) add(weigh(item), 0);
  for (const YamlMember& member : node.members) add(weigh(member.value), member.key.size());
  return out;
}

bool means_null(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// Builds the tree of one document from yaml-cpp's events.
class Builder final : public YAML::EventHandler {
 public:
  Builder(FileName file, std::size_t& nodes, std::size_t& bytes)
      : file_(std::move(file)), nodes_(nodes), bytes_(bytes) {}

  [[nodiscard]] YamlDocument take() { return std::move(document_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node;
    node.place = place(mark);
    add(std::move(node), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node;
    node.place = place(mark);
    node.plain = tag != "!";  // yaml-cpp's sign for quotes
    node.kind = node.plain && means_null(value) ? YamlNode::Kind::null : YamlNode::Kind::scalar;
    if (node.kind == YamlNode::Kind::scalar) node.text = value;
    add(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) stop(Errc::config_syntax, place(mark), "an alias stands inside of what it names");
    YamlNode node = found->second;
    node.place = place(mark);
    add(std::move(node), 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::sequence, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::map, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    std::string key;
    Place key_place;
    bool has_key = false;
    std::unordered_map<std::string, std::size_t> seen;
    std::vector<YamlNode> merged;
  };

  [[noreturn]] static void stop(Errc code, Place at, std::string message) {
    throw Stop{{code, std::move(at), std::move(message), {}}};
  }

  [[nodiscard]] Place place(const YAML::Mark& mark) const {
    return {file_, static_cast<std::uint32_t>(std::max(mark.line, -1) + 1),
            static_cast<std::uint32_t>(std::max(mark.column, -1) + 1)};
  }

  void account(const Weight& weight, const Place& at) {
    nodes_ += weight.nodes;
    bytes_ += weight.bytes;
    if (stack_.size() + weight.height > kYamlDepth)
      stop(Errc::config_too_complex, at, fmt::format("nested deeper than {} levels", kYamlDepth));
    if (nodes_ > kYamlNodes)
      stop(Errc::config_too_complex, at,
           fmt::format("more than {} values, aliases counted where they are used", kYamlNodes));
    if (bytes_ > kYamlTextBytes)
      stop(Errc::config_too_complex, at, "more than 32 MiB of text, aliases counted where they are used");
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    Frame frame;
    frame.node.kind = kind;
    frame.node.place = place(mark);
    frame.anchor = anchor;
    if (!stack_.empty() && stack_.back().node.is(YamlNode::Kind::map) && !stack_.back().has_key) {
      stop(Errc::config_syntax, frame.node.place, "a key that is a list or a map");
    }
    account(Weight{0, 0, 1}, frame.node.place);
    stack_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    for (YamlNode& source : frame.merged) {
      for (YamlMember& member : source.members) {
        if (frame.seen.try_emplace(member.key, frame.node.members.size()).second)
          frame.node.members.push_back(std::move(member));
      }
    }
    nodes_ += 1;  // the container; its content is counted
    place_node(std::move(frame.node), frame.anchor);
  }

  void add(YamlNode node, YAML::anchor_t anchor) {
    account(weigh(node), node.place);
    place_node(std::move(node), anchor);
  }

  void place_node(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      account(weigh(node), node.place);  // the copy for its aliases
      anchors_.insert_or_assign(anchor, node);
    }
    if (stack_.empty()) {
      document_.root = std::move(node);
      return;
    }
    Frame& top = stack_.back();
    if (top.node.is(YamlNode::Kind::sequence)) {
      top.node.items.push_back(std::move(node));
    } else if (top.has_key) {
      add_value(top, std::move(node));
    } else {
      if (node.is(YamlNode::Kind::map) || node.is(YamlNode::Kind::sequence))
        stop(Errc::config_syntax, node.place, "a key that is a list or a map");
      top.key = std::move(node.text);
      top.key_place = std::move(node.place);
      top.has_key = true;
    }
  }

  void add_value(Frame& top, YamlNode node) {
    top.has_key = false;
    const bool is_list = node.is(YamlNode::Kind::sequence);
    if (top.key == "<<" && (node.is(YamlNode::Kind::map) || is_list)) {
      if (is_list) {
        for (YamlNode& item : node.items) top.merged.push_back(std::move(item));
      } else {
        top.merged.push_back(std::move(node));
      }
      return;
    }
    const auto [seen, is_new] = top.seen.try_emplace(top.key, top.node.members.size());
    if (!is_new) {
      document_.duplicates.push_back({path_to(top), top.node.members[seen->second].place, top.key_place});
      seen->second = top.node.members.size();
    }
    top.node.members.push_back({std::move(top.key), std::move(top.key_place), std::move(node)});
  }

  [[nodiscard]] std::string path_to(const Frame& top) const {
    std::string out;
    for (const Frame& frame : stack_) {
      if (&frame != &top && frame.has_key) out += frame.key + '.';
    }
    return out + top.key;
  }

  FileName file_;
  std::size_t& nodes_;
  std::size_t& bytes_;
  YamlDocument document_;
  std::vector<Frame> stack_;
  std::unordered_map<YAML::anchor_t, YamlNode> anchors_;
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  const auto found =
      std::find_if(members.rbegin(), members.rend(), [key](const YamlMember& m) { return m.key == key; });
  return found == members.rend() ? nullptr : &found->value;
}

std::string_view YamlNode::scalar(std::string_view key) const {
  const YamlNode* found = find(key);
  return found != nullptr && found->is(Kind::scalar) ? std::string_view(found->text) : std::string_view();
}

std::string_view YamlNode::kind_name() const {
  switch (kind) {
    case Kind::null: return "nothing";
    case Kind::scalar: return "a single value";
    case Kind::sequence: return "a list";
    case Kind::map: return "a map";
  }
  return "a value";
}

Result<std::vector<YamlDocument>> parse_yaml(std::string_view text, const std::string& file_name) {
  const auto file = std::make_shared<const std::string>(file_name);
  const auto failed = [](const Mistake& mistake) { return fail(mistake.code, mistake.text()); };
  if (text.find('\0') != std::string_view::npos) return fail(Errc::config_syntax, file_name + ": holds a NUL byte");
  std::vector<YamlDocument> documents;
  std::size_t nodes = 0;
  std::size_t bytes = 0;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (true) {
      Builder builder(file, nodes, bytes);
      if (!parser.HandleNextDocument(builder)) break;
      if (documents.size() >= kYamlDocuments)
        return failed(
            {Errc::config_too_complex, {file, 0, 0}, fmt::format("more than {} documents", kYamlDocuments), {}});
      documents.push_back(builder.take());
    }
  } catch (const Stop& stop) {
    return failed(stop.mistake);
  } catch (const YAML::Exception& e) {
    const auto number = [](int n) { return static_cast<std::uint32_t>(std::max(n, -1) + 1); };
    return failed({Errc::config_syntax, {file, number(e.mark.line), number(e.mark.column)}, e.msg, {}});
  } catch (const std::exception& e) {
    return failed({Errc::config_syntax, {file, 0, 0}, fmt::format("not YAML: {}", e.what()), {}});
  }
  return documents;
}

}  // namespace hawser::config
