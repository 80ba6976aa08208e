#include "config/broker_conf_text.hpp"

#include <fmt/format.h>
#include <utility>

#include "config/letters.hpp"

namespace hawser::config {

namespace {

bool named_as_yaml(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  return same_letters(name.substr(dot), ".yaml") || same_letters(name.substr(dot), ".yml");
}

// Where a line's own text begins and ends: without indentation, comment and blanks at its end.
struct Line {
  std::size_t begin = 0;  // of the line in the text
  std::size_t end = 0;    // of its content
  std::size_t indent = 0;
  bool blank = true;
};

// Walks over lines and knows how deep in braces each begins. Quotes and comments count, blocks in parentheses do not:
// they hold no keys.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  std::vector<Line> read(std::vector<int>& depths) {
    std::vector<Line> out;
    while (at_ < text_.size()) {
      depths.push_back(depth_);
      out.push_back(next());
    }
    return out;
  }

 private:
  Line next() {
    Line line{.begin = at_, .end = at_};
    bool content = false;
    char quote = '\0';
    for (; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      const char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\r') continue;
      const bool comment = quote == '\0' && (c == '#' || text_.substr(at_, 2) == "//") &&
                           (at_ == line.begin || text_[at_ - 1] == ' ' || text_[at_ - 1] == '\t');
      if (comment) {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
        break;
      }
      if (!content) line.indent = at_ - line.begin;
      content = true;
      line.blank = false;
      line.end = at_ + 1;
      if (quote != '\0') {
        if (c == quote) quote = '\0';
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '{' || c == '[') {
        ++depth_;
      } else if (c == '}' || c == ']') {
        --depth_;
      }
    }
    if (at_ < text_.size()) ++at_;
    return line;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

// "tls" of `tls:`, `tls =` or `tls`, alone in its line; empty: it is something else.
std::string_view key_alone(std::string_view content) {
  std::string_view key = content;
  if (key.ends_with(':') || key.ends_with('=')) key = trimmed(key.substr(0, key.size() - 1));
  if (key.empty() || key == content) return {};
  return key.find_first_of(" \t{}[]:=\"',;") == std::string_view::npos ? key : std::string_view();
}

std::size_t known_keys(const ConfNode& root) {
  static constexpr std::string_view kKnown[]{"listen",   "host",          "net",         "port",     "tls",
                                             "accounts", "authorization", "server_name", "http",     "http_port",
                                             "debug",    "trace",         "max_payload", "operator", "pid_file"};
  std::size_t count = 0;
  for (const std::string_view key : kKnown) count += root.member(key) != nullptr ? 1U : 0U;
  return count;
}

Notice not_for_nats_server(const Place& at, std::string message, std::string form) {
  return {Errc::broker_misspelt, Notice::Severity::warning, at, std::move(message), std::move(form)};
}

}  // namespace

std::optional<Braced> brace_indented_blocks(std::string_view text) {
  std::vector<int> depths;
  const std::vector<Line> lines = Lines(text).read(depths);
  Braced out;
  std::string opened(lines.size(), '\0');  // per line: a brace at its end
  std::vector<std::size_t> closed(lines.size(), 0);
  std::vector<std::size_t> open;  // lines whose block is not closed yet
  std::size_t last = 0;           // the last line with content
  const auto close_until = [&](std::size_t indent) {
    while (!open.empty() && lines[open.back()].indent >= indent) {
      ++closed[last];
      open.pop_back();
    }
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].blank || depths[i] != 0) {
      if (!lines[i].blank) last = i;
      continue;
    }
    close_until(lines[i].indent);
    last = i;
    std::size_t below = i + 1;
    while (below < lines.size() && lines[below].blank) ++below;
    const std::size_t content = lines[i].begin + lines[i].indent;
    const std::string_view key = key_alone(text.substr(content, lines[i].end - content));
    if (key.empty() || below == lines.size() || lines[below].indent <= lines[i].indent) continue;
    opened[i] = '{';
    open.push_back(i);
    if (out.first == 0) {
      out.first = static_cast<std::uint32_t>(i + 1);
      out.key = key;
    }
  }
  close_until(0);
  if (out.first == 0) return std::nullopt;
  std::size_t copied = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (opened[i] == '\0' && closed[i] == 0) continue;
    out.text += text.substr(copied, lines[i].end - copied);
    if (opened[i] != '\0') out.text += " {";
    out.text.append(closed[i], '}');
    copied = lines[i].end;
  }
  out.text += text.substr(copied);
  return out;
}

Result<BrokerText> read_broker_text(std::string_view text, const std::string& name, const ConfReach& reach,
                                    ConfSyntax syntax) {
  BrokerText out;
  if (syntax == ConfSyntax::yaml || (syntax == ConfSyntax::by_name && named_as_yaml(name))) {
    auto yaml = conf_from_yaml(text, name, reach);
    if (!yaml) return std::unexpected(std::move(yaml.error()));
    out.document = std::move(*yaml);
    out.yaml = true;
    return out;
  }
  auto nats = parse_nats_conf(text, name, reach);
  if (nats) {
    out.document = std::move(*nats);
    return out;
  }
  if (nats.error().code != Errc::config_syntax || syntax == ConfSyntax::nats)
    return std::unexpected(std::move(nats.error()));
  if (auto yaml = conf_from_yaml(text, name, reach); yaml && known_keys(yaml->root) > 0) {
    out.document = std::move(*yaml);
    out.yaml = true;
    out.notices.push_back(not_for_nats_server(out.document.root.place, "this is YAML, which nats-server does not read",
                                              "name it .yaml, or put blocks in braces: tls { cert_file: … }"));
    return out;
  }
  if (const auto braced = brace_indented_blocks(text)) {
    if (auto repaired = parse_nats_conf(braced->text, name, reach)) {
      out.document = std::move(*repaired);
      out.notices.push_back(not_for_nats_server(
          {out.document.root.place.file, braced->first, 1},
          fmt::format("the block of \"{}\" is indented, which nats-server does not read", braced->key),
          fmt::format("{} {{ … }}", braced->key)));
      return out;
    }
  }
  return std::unexpected(std::move(nats.error()));
}

}  // namespace hawser::config
