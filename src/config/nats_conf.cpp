#include "config/nats_conf.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "config/conf_cursor.hpp"
#include "config/letters.hpp"

namespace hawser::config {

namespace {

constexpr std::size_t kTextBytes = 16UL << 20U;   // of all files together
constexpr std::size_t kValueBytes = 64UL << 20U;  // of all values, variables counted where they are used
constexpr std::size_t kVariableDepth = 32;        // environment variables that name environment variables

// A map that is being read: variables are looked up in it, and equal keys noticed.
struct Scope {
  ConfNode* node;
  std::unordered_map<std::string, std::size_t> exact;    // key -> the member that counts
  std::unordered_map<std::string, std::size_t> lowered;  // the same in small letters, to find duplicates
};

struct Weight {
  std::size_t nodes = 1;
  std::size_t bytes = 0;
  std::size_t height = 1;
};

Weight weigh(const ConfNode& node) {
  Weight out{1, node.text.size() + node.variable.size(), 1};
  const auto add = [&out](const Weight& below, std::size_t key_bytes) {
    out.nodes += below.nodes;
    out.bytes += below.bytes + key_bytes;
    out.height = std::max(out.height, below.height + 1);
  };
  for (const ConfNode& item : node.items) add(weigh(item), 0);
  for (const ConfMember& member : node.members) add(weigh(member.value), member.key.size());
  return out;
}

// What the files of one configuration share: the bounds, and what was met.
struct Reading {
  const ConfReach& reach;
  std::size_t nodes = 0;
  std::size_t value_bytes = 0;
  std::size_t text_bytes = 0;
  std::vector<std::string> files;
  std::vector<DuplicateKey> duplicates;
  std::vector<std::string> including;        // the files from the first to the one being read
  std::vector<std::string> being_looked_up;  // environment variables
};

// One file, or one environment variable's text. Functions return false when `error_` says why not.
class Parser {
 public:
  Parser(Reading& reading, std::string_view text, FileName file, std::filesystem::path directory, bool may_include)
      : reading_(reading), cursor_(text, file), directory_(std::move(directory)), may_include_(may_include) {}

  // Top level: key-value pairs, with or without one pair of braces around them.
  bool parse(ConfNode& root);
  [[nodiscard]] Error take_error() { return std::move(error_); }

 private:
  enum class Level : std::uint8_t { top, block, map };

  bool stop(const Mistake& mistake) {
    error_ = {mistake.code, mistake.text()};
    return false;
  }
  bool stop(Errc code, const Place& at, std::string message, std::string hint = {}) {
    return stop(Mistake{code, at, std::move(message), std::move(hint)});
  }

  bool parse_block();
  bool parse_member(Level level);
  bool parse_map(ConfNode& out);
  bool parse_array(ConfNode& out);
  bool parse_value(ConfNode& out);
  bool end_of_value(Level level);
  bool skip_to_value(Level level, const ConfCursor::Key& key);
  bool include(const Place& at);
  bool resolve(const ConfNode& reference, ConfNode& out);
  bool resolve_from_environment(const ConfNode& reference, ConfNode& out);
  bool account(const Weight& weight, const Place& at);
  void add_member(ConfMember member);
  bool skip_filling();
  [[nodiscard]] std::string path_to(std::string_view key) const;

  Reading& reading_;
  ConfCursor cursor_;
  std::filesystem::path directory_;
  bool may_include_;
  std::vector<Scope> scopes_;
  std::vector<std::string> keys_;  // from the root to the value being read
  std::size_t depth_ = 0;
  Error error_;
};

std::string Parser::path_to(std::string_view key) const {
  std::string out;
  for (const std::string& k : keys_) out += k + '.';
  return out += key;
}

bool Parser::account(const Weight& weight, const Place& at) {
  reading_.nodes += weight.nodes;
  reading_.value_bytes += weight.bytes;
  if (depth_ + weight.height > kConfDepth)
    return stop(Errc::config_too_complex, at, fmt::format("nested deeper than {} levels", kConfDepth));
  if (reading_.nodes > kConfNodes)
    return stop(Errc::config_too_complex, at,
                fmt::format("more than {} values, variables counted where they are used", kConfNodes));
  if (reading_.value_bytes > kValueBytes)
    return stop(Errc::config_too_complex, at, "more than 64 MiB of values, variables counted where they are used");
  return true;
}

void Parser::add_member(ConfMember member) {
  Scope& scope = scopes_.back();
  const std::size_t index = scope.node->members.size();
  const auto [seen, is_new] = scope.lowered.try_emplace(lower(member.key), index);
  if (!is_new) {
    reading_.duplicates.push_back({path_to(member.key), scope.node->members[seen->second].place, member.place});
    seen->second = index;
  }
  scope.exact.insert_or_assign(member.key, index);
  scope.node->members.push_back(std::move(member));
}

// White space, line ends and comments.
bool Parser::skip_filling() {
  while (true) {
    if (cursor_.space_here() > 0) {
      cursor_.skip_spaces();
    } else if (cursor_.at_comment()) {
      cursor_.skip_comment();
    } else {
      return !cursor_.at_end();
    }
  }
}

bool Parser::parse(ConfNode& root) {
  root.place = cursor_.place();
  scopes_.push_back({&root, {}, {}});
  while (skip_filling()) {
    if (cursor_.peek() == '{') {
      if (!parse_block()) return false;
      continue;
    }
    if (cursor_.peek() == '}') {  // nats-server lets the last brace be one too many
      const Place at = cursor_.place();
      cursor_.next();
      if (skip_filling()) return stop(Errc::config_syntax, at, "a '}' that closes nothing");
      break;
    }
    if (!parse_member(Level::top)) return false;
  }
  scopes_.pop_back();
  return true;
}

// `{ … }` around the whole, as in JSON: its members are the file's.
bool Parser::parse_block() {
  const Place at = cursor_.place();
  cursor_.next();
  if (++depth_ > kConfDepth)
    return stop(Errc::config_too_complex, at, fmt::format("nested deeper than {} levels", kConfDepth));
  while (skip_filling()) {
    const char c = cursor_.peek();
    if (c == '}') {
      cursor_.next();
      --depth_;
      return true;
    }
    if (c == '{') {
      if (!parse_block()) return false;
      while (skip_filling() && (cursor_.peek() == ',' || cursor_.peek() == ';')) cursor_.next();
      continue;
    }
    if (!parse_member(Level::block)) return false;
  }
  return stop(Errc::config_syntax, at, "a '{' that is not closed");
}

bool Parser::parse_member(Level level) {
  const auto key = cursor_.key();
  if (!key) return stop(key.error());
  if (!key->quoted && same_letters(key->text, "include") && cursor_.space_here() > 0) {
    return include(key->place) && end_of_value(level);
  }
  if (!skip_to_value(level, *key)) return false;
  ConfMember member{key->text, key->place, {}, false};
  keys_.push_back(key->text);
  const bool parsed = parse_value(member.value);
  keys_.pop_back();
  if (!parsed) return false;
  add_member(std::move(member));
  if (end_of_value(level)) return true;
  if (key->quoted || key->text.find('{') == std::string::npos) return false;
  return stop(Errc::config_syntax, key->place, fmt::format("\"{}\" is read as one key", key->text.substr(0, 64)),
              "Put a space between a key and its '{'.");
}

bool Parser::skip_to_value(Level level, const ConfCursor::Key& key) {
  cursor_.skip_spaces();
  const bool separated = cursor_.peek() == '=' || cursor_.peek() == ':';
  if (separated) {
    cursor_.next();
    if (level == Level::map) {
      cursor_.skip_spaces();
    } else {
      cursor_.skip_blanks();
    }
  }
  const bool closes = cursor_.peek() == '}' || (level == Level::map && cursor_.peek() == ',');
  if (cursor_.at_end() ? separated : !closes) return true;  // `key =` at the very end is an empty text
  std::string hint;
  if (key.text.find('{') != std::string::npos) hint = "Put a space between a key and its '{'.";
  return stop(Errc::config_syntax, key.place, fmt::format("the key \"{}\" has no value", key.text.substr(0, 64)),
              std::move(hint));
}

bool Parser::end_of_value(Level level) {
  while (true) {
    cursor_.skip_blanks();
    if (cursor_.at_comment()) {
      cursor_.skip_comment();
      continue;
    }
    const char c = cursor_.peek();
    if (cursor_.at_end()) return level == Level::top || stop(cursor_.mistake("a '{' that is not closed"));
    if (cursor_.at_line_end() || c == ',' || c == ';') {
      cursor_.next();
      return true;
    }
    if (c == '}') {
      if (level == Level::top) cursor_.next();  // as nats-server has it
      return true;
    }
    return stop(cursor_.mistake(
        fmt::format("expected the end of the value (a line end, ',', ';' or '}}'), found {}", cursor_.seen()),
        "A text with blanks, or one that begins like a number, needs quotes."));
  }
}

bool Parser::parse_value(ConfNode& out) {
  cursor_.skip_blanks();
  const Place at = cursor_.place();
  if (!account(Weight{}, at)) return false;
  if (cursor_.peek() == '[') return parse_array(out);
  if (cursor_.peek() == '{') return parse_map(out);
  auto scalar = cursor_.scalar();
  if (!scalar) return stop(scalar.error());
  if (scalar->reference) return resolve(scalar->node, out);
  reading_.value_bytes += scalar->node.text.size();
  out = std::move(scalar->node);
  return true;
}

bool Parser::parse_map(ConfNode& out) {
  out.kind = ConfNode::Kind::map;
  out.place = cursor_.place();
  cursor_.next();
  ++depth_;
  scopes_.push_back({&out, {}, {}});
  while (skip_filling()) {
    if (cursor_.peek() == '}') {
      cursor_.next();
      scopes_.pop_back();
      --depth_;
      return true;
    }
    if (!parse_member(Level::map)) return false;
  }
  return stop(Errc::config_syntax, out.place, "a '{' that is not closed");
}

bool Parser::parse_array(ConfNode& out) {
  out.kind = ConfNode::Kind::array;
  out.place = cursor_.place();
  cursor_.next();
  ++depth_;
  while (skip_filling()) {
    if (cursor_.peek() == ']') {
      cursor_.next();
      --depth_;
      return true;
    }
    if (cursor_.peek() == ',') return stop(cursor_.mistake("expected a value of the list, found ','"));
    ConfNode item;
    if (!parse_value(item)) return false;
    out.items.push_back(std::move(item));
    cursor_.skip_blanks();
    while (cursor_.at_comment()) cursor_.skip_comment();
    if (cursor_.at_end()) break;
    if (cursor_.peek() == ',' || cursor_.at_line_end()) {
      cursor_.next();
    } else if (cursor_.peek() != ']') {
      return stop(cursor_.mistake(fmt::format("expected ',' or ']' in the list, found {}", cursor_.seen())));
    }
  }
  return stop(Errc::config_syntax, out.place, "a '[' that is not closed");
}

bool Parser::include(const Place& at) {
  auto path = cursor_.include_path();
  if (!path) return stop(path.error());
  if (!may_include_) return stop(Errc::config_include_failed, at, "an environment variable cannot include a file");
  // Joined even when it begins with a slash, as nats-server does.
  const std::string relative = path->substr(std::min(path->find_first_not_of('/'), path->size()));
  const std::filesystem::path file = (directory_ / relative).lexically_normal();
  const std::string name = file.string();
  if (std::find(reading_.including.begin(), reading_.including.end(), name) != reading_.including.end()) {
    return stop(Errc::config_include_failed, at, fmt::format("{} includes itself", name));
  }
  if (reading_.including.size() > kConfIncludeDepth || reading_.files.size() >= kConfFiles) {
    return stop(Errc::config_too_complex, at,
                fmt::format("more than {} includes in each other, or {} files", kConfIncludeDepth, kConfFiles));
  }
  const Result<std::string> text = reading_.reach.read(file);
  if (!text) return stop(Errc::config_include_failed, at, fmt::format("including {}: {}", name, text.error().doing));
  reading_.text_bytes += text->size();
  if (reading_.text_bytes > kTextBytes) return stop(Errc::config_too_complex, at, "more than 16 MiB of included text");
  if (text->find('\0') != std::string::npos)
    return stop(Errc::config_syntax, at, fmt::format("{} holds a NUL byte", name));

  reading_.files.push_back(name);
  reading_.including.push_back(name);
  ConfNode included;
  Parser inner(reading_, *text, std::make_shared<const std::string>(name), file.parent_path(), true);
  inner.keys_ = keys_;
  inner.depth_ = depth_;
  if (!inner.parse(included)) {
    error_ = inner.take_error();
    return false;
  }
  reading_.including.pop_back();
  for (ConfMember& member : included.members) add_member(std::move(member));
  return true;
}

// The blocks around the reference, from the inside out, and then the environment.
bool Parser::resolve(const ConfNode& reference, ConfNode& out) {
  const std::string& name = reference.text;
  if (name.starts_with("2a$")) {  // a bcrypt hash without quotes, which nats-server takes as one
    out = reference;
    out.text = "$" + name;
    return true;
  }
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    const auto found = scope->exact.find(name);
    if (found == scope->exact.end()) continue;
    ConfMember& member = scope->node->members[found->second];
    if (!account(weigh(member.value), reference.place)) return false;
    member.used_as_variable = true;
    out = member.value;
    out.place = reference.place;
    out.variable = name;
    return true;
  }
  return resolve_from_environment(reference, out);
}

bool Parser::resolve_from_environment(const ConfNode& reference, ConfNode& out) {
  const std::string& name = reference.text;
  const std::string shown = name.substr(0, 64);
  auto& looking = reading_.being_looked_up;
  if (std::find(looking.begin(), looking.end(), name) != looking.end() || looking.size() >= kVariableDepth) {
    return stop(Errc::config_unknown_variable, reference.place,
                fmt::format("the variable ${} refers to itself", shown));
  }
  const std::optional<std::string> text = reading_.reach.environment(name);
  if (!text)
    return stop(Errc::config_unknown_variable, reference.place, fmt::format("the variable ${} is not defined", shown));
  // The text is read as a value of the file would be. Its mistakes are told without the text: it may be a password.
  looking.push_back(name);
  const std::string line = "value=" + *text;
  ConfNode holder;
  reading_.text_bytes += line.size();
  const std::vector<DuplicateKey> duplicates = std::exchange(reading_.duplicates, {});
  Parser inner(reading_, line, std::make_shared<const std::string>("env " + shown), {}, false);
  inner.depth_ = depth_;
  const bool parsed = line.find('\0') == std::string::npos && reading_.text_bytes <= kTextBytes && inner.parse(holder);
  reading_.duplicates = duplicates;
  looking.pop_back();
  if (!parsed || holder.members.empty()) {
    const Error inside = inner.take_error();
    const bool bounds = inside.code == Errc::config_too_complex || reading_.text_bytes > kTextBytes;
    return stop(bounds ? Errc::config_too_complex : Errc::config_unknown_variable, reference.place,
                fmt::format("the value of the environment variable ${} cannot be read", shown),
                "A password in it may need quotes inside the variable.");
  }
  out = std::move(holder.members.front().value);
  out.place = reference.place;
  out.variable = name;
  return true;
}

}  // namespace

const ConfMember* ConfNode::member(std::string_view name) const {
  const auto found =
      std::find_if(members.rbegin(), members.rend(), [name](const ConfMember& m) { return same_letters(m.key, name); });
  return found == members.rend() ? nullptr : &*found;
}

const ConfNode* ConfNode::find(std::string_view name) const {
  const ConfMember* found = member(name);
  return found == nullptr ? nullptr : &found->value;
}

std::string_view ConfNode::kind_name() const {
  switch (kind) {
    case Kind::boolean: return "a boolean";
    case Kind::integer: return "a number";
    case Kind::real: return "a number with a fraction";
    case Kind::datetime: return "a date";
    case Kind::string: return "a text";
    case Kind::array: return "a list";
    case Kind::map: return "a block";
  }
  return "a value";
}

Result<ConfDocument> parse_nats_conf(std::string_view text, const std::string& file_name, const ConfReach& reach) {
  const auto file = std::make_shared<const std::string>(file_name);
  const std::filesystem::path path(file_name);
  Reading reading{reach, 0, 0, text.size(), {file_name}, {}, {path.lexically_normal().string()}, {}};
  if (text.size() > kTextBytes) return fail(Errc::config_too_complex, file_name + ": more than 16 MiB");
  if (text.find('\0') != std::string_view::npos) return fail(Errc::config_syntax, file_name + ": holds a NUL byte");
  ConfDocument document;
  Parser parser(reading, text, file, path.parent_path(), true);
  if (!parser.parse(document.root)) return std::unexpected(parser.take_error());
  document.duplicates = std::move(reading.duplicates);
  document.files = std::move(reading.files);
  return document;
}

Result<ConfDocument> load_nats_conf(const std::filesystem::path& path) {
  const auto read = [](const std::filesystem::path& file) { return read_file(file, limits::kConfigFileBytes); };
  const auto environment = [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  const Result<std::string> text = read(path);
  if (!text) return std::unexpected(text.error());
  return parse_nats_conf(*text, path.string(), {read, environment});
}

}  // namespace hawser::config
