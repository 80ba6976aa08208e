#include "config/rotation_parts.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <fmt/format.h>

#include "config/letters.hpp"
#include "config/rotation_credentials.hpp"

namespace hawser::config {

using namespace rotation;

namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kMostWords = 256;
constexpr std::size_t kMostFiles = 64;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && std::all_of(text.begin(), text.end(), [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

bool RotationParts::is_metric(std::string_view name) {
  return !name.empty() && name.size() <= 200 && std::all_of(name.begin(), name.end(), [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || is_digit(c) || c == '_' || c == ':';
  });
}

void RotationParts::missing(Block& block, const YamlNode& node, std::string_view key) {
  schema_.mistake(Errc::config_missing, node.place, fmt::format("{} is missing", block.full(key)));
}

void RotationParts::name(Block& block, const YamlNode& node, std::string& out) {
  const YamlNode* found = block.scalar("name");
  if (found == nullptr) return block.has("name") ? void() : missing(block, node, "name");
  out = trimmed(found->text);
  if (!is_name(out)) block.bad("name", *found, "is not made of letters, digits, \"-\", \"_\" and \".\", 64 at most");
}

void RotationParts::unique_name(Block& block, const YamlNode& node, std::string& out, std::string_view kind) {
  name(block, node, out);
  if (!out.empty() && !names_.emplace(std::string(kind), out).second)
    block.bad("name", *block.value("name"), fmt::format("is that of another {}", kind));
}

void RotationParts::needed_path(Block& block, const YamlNode& node, std::string_view key, Path& out) {
  if (const auto path = block.path(key)) {
    out = *path;
  } else if (!block.has(key)) {
    missing(block, node, key);
  }
}

std::optional<std::string> RotationParts::item_path(Block& block, std::string_view key, const YamlNode& item) {
  if (!item.is(YamlNode::Kind::scalar) || trimmed(item.text).empty()) {
    block.bad(key, item, "must hold paths only");
    return std::nullopt;
  }
  const std::filesystem::path written(std::string(trimmed(item.text)));
  return written.is_absolute() ? written.string() : (schema_.directory / written).lexically_normal().string();
}

bool RotationParts::endpoint(Block& block, std::string_view key, EndpointUse use, Endpoint& out) {
  const YamlNode* node = block.scalar(key);
  if (node == nullptr) return false;
  const Result<Endpoint> parsed = Endpoint::parse(trimmed(node->text), use);
  if (parsed) {
    out = *parsed;
  } else {
    block.bad(key, *node, parsed.error().doing);
  }
  return true;
}

void RotationParts::needed_endpoint(Block& block, const YamlNode& node, std::string_view key, EndpointUse use,
                                    Endpoint& out) {
  if (!endpoint(block, key, use, out) && !block.has(key)) missing(block, node, key);
}

std::vector<const YamlNode*> RotationParts::list(Block& block, std::string_view key, std::size_t most) {
  const YamlNode* node = block.value(key);
  std::vector<const YamlNode*> items;
  if (node == nullptr) return items;
  if (!node->is(YamlNode::Kind::sequence)) {
    block.bad(key, *node, fmt::format("must be a list, and is {}", node->kind_name()));
  } else if (node->items.size() > most) {
    block.bad(key, *node, fmt::format("has over {} items", most));
  } else {
    for (const YamlNode& item : node->items) items.push_back(&item);
  }
  return items;
}

std::vector<const YamlNode*> RotationParts::needed_list(Block& block, const YamlNode& node, std::string_view key,
                                                        std::size_t most) {
  std::vector<const YamlNode*> items = list(block, key, most);
  const YamlNode* found = block.value(key);
  if (found == nullptr) {
    missing(block, node, key);
  } else if (found->is(YamlNode::Kind::sequence) && found->items.empty()) {
    block.bad(key, *found, "is empty");
  }
  return items;
}

std::optional<Command> RotationParts::command(Block& block, std::string_view words_key, std::string_view shell_key) {
  Command out;
  if (const YamlNode* text = block.scalar(shell_key)) {
    out.shell = true;
    out.words.push_back(text->text);
  }
  for (const YamlNode* word : list(block, words_key, kMostWords)) {
    if (!word->is(YamlNode::Kind::scalar)) {
      block.bad(words_key, *word, "must hold words only");
    } else {
      out.words.push_back(word->text);
    }
  }
  if (block.has(words_key) && block.has(shell_key)) {
    block.bad(shell_key, *block.value(shell_key), fmt::format("stands beside {}: keep one", words_key));
  } else if (block.has(words_key) && (out.words.empty() || out.words.front().empty())) {
    block.bad(words_key, *block.value(words_key), "has no program to run");
  }
  if (out.words.empty()) return std::nullopt;
  return out;
}

void RotationParts::needed_trigger(Block& block, const YamlNode& node, std::string_view key, Trigger& out) {
  const std::optional<Trigger> found = trigger(block, key);
  if (found) {
    out = *found;
  } else if (!block.has(key)) {
    missing(block, node, key);
  }
}

std::optional<Trigger> RotationParts::trigger(Block& block, std::string_view key) {
  const YamlNode* below = block.value(key);
  if (below == nullptr) return std::nullopt;
  Trigger out;
  Block trigger(schema_, below, block.full(key));
  constexpr std::array<std::string_view, 5> kWays{"admin", "command", "shell", "pid_file", "pid"};
  const auto ways = std::count_if(kWays.begin(), kWays.end(), [&](std::string_view way) { return trigger.has(way); });
  if (ways != 1) block.bad(key, *below, "must have exactly one of admin, command, shell, pid_file and pid");
  Endpoint admin;
  if (endpoint(trigger, "admin", EndpointUse::http, admin)) out = admin;
  if (const auto run = command(trigger, "command", "shell")) out = *run;
  signal(trigger, *below, out);
  trigger.finish();
  return out;
}

void RotationParts::signal(Block& block, const YamlNode& node, Trigger& out) {
  constexpr std::array<std::pair<std::string_view, int>, 3> kSignals{
      {{"hup", SIGHUP}, {"usr1", SIGUSR1}, {"usr2", SIGUSR2}}};
  Signal found{.pid_file = {}, .process = 0, .number = SIGHUP};
  if (const auto path = block.path("pid_file")) found.pid_file = *path;
  std::uint64_t process = 0;
  block.number("pid", process, 2, 1ULL << 22U);
  found.process = static_cast<int>(process);
  block.choice<int>("signal", found.number, kSignals);
  if (!found.pid_file.empty() || found.process != 0) {
    out = found;
  } else if (block.has("signal") && !block.has("pid_file") && !block.has("pid")) {
    missing(block, node, "pid_file");
  }
}

Target RotationParts::target(Block& block, const YamlNode& node) {
  Target out;
  unique_name(block, node, out.name, "target");
  deliver(block, node, out);
  needed_trigger(block, node, "apply", out.apply);
  prove(block, node, out);
  Endpoint metrics;
  if (endpoint(block, "metrics", EndpointUse::http, metrics)) {
    out.metrics = metrics;
  } else if (const auto* admin = std::get_if<Endpoint>(&out.apply)) {
    out.metrics = *admin;
  }
  return out;
}

void RotationParts::deliver(Block& block, const YamlNode& node, Target& out) {
  if (!block.has("deliver")) return missing(block, node, "deliver");
  out.deliver = change(block, "deliver", out.name).value_or(Delivery{});
}

std::optional<Delivery> RotationParts::change(Block& block, std::string_view key, const std::string& whose) {
  const YamlNode* below = block.value(key);
  if (below == nullptr) return std::nullopt;
  Block part(schema_, below, block.full(key));
  const bool by_command = part.has("command") || part.has("shell");
  if (by_command == part.has("files")) block.bad(key, *below, "must have either files or a command (or shell)");
  std::vector<Copy> copies;
  files(part, copies, whose, key);
  const auto run = command(part, "command", "shell");
  const auto undo = command(part, "undo", "undo_shell");
  part.finish();
  if (run) {
    if (!undo && key == "deliver") without_undo_.emplace_back(whose, below->place);
    return DeliveryCommand{*run, undo};
  }
  if (undo) block.bad(key, *below, "has an undo beside files, which are kept and brought back by themselves");
  return copies;
}

void RotationParts::files(Block& block, std::vector<Copy>& out, const std::string& whose, std::string_view key) {
  const std::vector<const YamlNode*> items = list(block, "files", kMostFiles);
  if (block.has("files") && items.empty()) block.bad("files", *block.value("files"), "must be a list of from and to");
  for (std::size_t i = 0; i < items.size(); ++i) {
    Block file(schema_, items[i], fmt::format("{}[{}]", block.full("files"), i));
    Copy copy;
    needed_path(file, *items[i], "from", copy.from);
    needed_path(file, *items[i], "to", copy.to);
    if (!copy.to.empty() && copy.to == copy.from) file.bad("to", *file.value("to"), "is the file that it comes from");
    if (!copy.to.empty()) written_.push_back({copy.to.string(), whose, std::string(key), plan_.waves.size(), file.value("to")->place});
    file.finish();
    out.push_back(std::move(copy));
  }
}

void RotationParts::prove(Block& block, const YamlNode& node, Target& out) {
  const YamlNode* below = block.value("prove");
  if (below == nullptr) return missing(block, node, "prove");
  Block part(schema_, below, block.full("prove"));
  if (plan_.kind == PlanKind::credentials) return CredentialParts(schema_, *this, plan_).prove(part, *below, out);
  needed_path(part, *below, "certificate", out.prove.certificate);
  if (const auto path = part.path("replaces")) out.prove.replaces = *path;
  std::uint64_t connections = out.prove.connections;
  part.number("connections", connections, 1, 1'000'000);
  out.prove.connections = static_cast<std::uint32_t>(connections);
  if (const YamlNode* text = part.scalar("name")) out.prove.name = text->text;
  if (const YamlNode* text = part.scalar("user")) out.prove.user = text->text;
  server(part, out.prove);
  part.finish();
}

void RotationParts::server(Block& block, Proof& out) {
  const YamlNode* node = block.scalar("server");
  if (node == nullptr) return;
  const std::string_view name = trimmed(node->text);
  const auto found =
      std::find_if(plan_.brokers.begin(), plan_.brokers.end(), [name](const Broker& b) { return b.name == name; });
  if (found == plan_.brokers.end()) return block.bad("server", *node, "must name one of the brokers");
  out.server = static_cast<std::size_t>(found - plan_.brokers.begin());
  for (const std::string_view other : {"connections", "name", "user", "replaces"}) {
    if (block.has(other))
      block.bad(other, *block.value(other),
                "says something of connections, which a server's own proof does not look at");
  }
}

}  // namespace hawser::config
