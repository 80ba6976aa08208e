// `hawser explain`: what an error means and how to mend it, from the one table; also the source of docs/errors.md.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <vector>

#include "base/nearest.hpp"
#include "cli/command.hpp"

namespace hawser::cli {
namespace {

struct ExplainOptions {
  std::string which;
  bool all = false;
  bool markdown = false;
};

struct Chapter {
  std::string_view prefix;
  std::string_view title;
};

// In the order of the error numbers.
constexpr Chapter kChapters[] = {
    {"GEN", "General"},
    {"POS", "Posture: how a connection may be made, and as whom"},
    {"TLS", "TLS: certificates, keys and handshakes"},
    {"NET", "Network: addresses, connections, sockets"},
    {"WIR", "Wire: the NATS protocol"},
    {"SES", "Session: the connection to the servers"},
    {"AGT", "Agent: local clients"},
    {"CFG", "Configuration files"},
    {"IDN", "Identity: NKeys, JWTs, creds files"},
    {"CLI", "Command line"},
    {"ADM", "Admin endpoint"},
    {"BRK", "Broker: the embedded server"},
    {"STO", "Store: the disk queue"},
    {"ROT", "Rotation: across a fleet, and the drill"},
};

std::vector<const ErrorInfo*> sorted_table() {
  std::vector<const ErrorInfo*> rows;
  for (const ErrorInfo& row : error_table()) {
    rows.push_back(&row);
  }
  std::sort(rows.begin(), rows.end(), [](const ErrorInfo* a, const ErrorInfo* b) { return a->code < b->code; });
  return rows;
}

std::string_view meaning(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::retryable: return "the same again may succeed";
    case ErrorKind::permanent: return "the same again fails until an input changes";
    case ErrorKind::denied: return "the other side, or posture, refused";
    case ErrorKind::misuse: return "wrong arguments or configuration";
    case ErrorKind::internal: return "a defect of Hawser";
  }
  return "";
}

std::string as_text(const ErrorInfo& row) {
  return fmt::format("{} {}\n  {}\n  kind: {} ({})\n  hint: {}\n  exit code: {}\n", error_id(row.code), row.name,
                     row.summary, to_string(row.kind), meaning(row.kind), row.hint,
                     static_cast<int>(exit_code(Error{row.code, {}})));
}

boost::json::value as_json(const ErrorInfo& row) {
  return {
      {"id", error_id(row.code)}, {"name", row.name}, {"kind", to_string(row.kind)},
      {"summary", row.summary},   {"hint", row.hint}, {"exit_code", static_cast<int>(exit_code(Error{row.code, {}}))}};
}

// A cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '<') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

std::string all_as_markdown() {
  std::string out =
      "# Errors\n\n"
      "Every refusal of Hawser has an id that never changes. `hawser explain ID` prints its row; logs carry it as "
      "`id=`.\n"
      "This page is generated: `hawser explain --all --markdown > docs/errors.md`.\n\n"
      "Kinds: *retryable*, the same again may succeed; *permanent*, it fails until an input changes; *denied*, the "
      "other\n"
      "side or posture refused; *misuse*, wrong arguments or configuration; *internal*, a defect of Hawser.\n";
  const std::vector<const ErrorInfo*> rows = sorted_table();
  for (const Chapter& chapter : kChapters) {
    bool begun = false;
    for (const ErrorInfo* row : rows) {
      const std::string id = error_id(row->code);
      if (!id.starts_with(chapter.prefix)) {
        continue;
      }
      if (!begun) {
        out += fmt::format("\n## {}\n\n| id | name | kind | what | what to do |\n| --- | --- | --- | --- | --- |\n",
                           chapter.title);
        begun = true;
      }
      out += fmt::format("| {} | `{}` | {} | {} | {} |\n", id, row->name, to_string(row->kind), cell(row->summary),
                         cell(row->hint));
    }
  }
  return out;
}

std::string all_as(const ExplainOptions& options, bool json) {
  if (options.markdown) {
    return all_as_markdown();
  }
  boost::json::array array;
  std::string text;
  for (const ErrorInfo* row : sorted_table()) {
    if (json) {
      array.push_back(as_json(*row));
    } else {
      text += fmt::format("{}  {:<32} {}\n", error_id(row->code), row->name, row->summary);
    }
  }
  return json ? boost::json::serialize(array) + "\n" : text;
}

Result<void> explain(const ExplainOptions& options, bool json) {
  if (options.all) {
    std::fputs(all_as(options, json).c_str(), stdout);
    return {};
  }
  if (options.which.empty() || options.markdown) {
    return fail(Errc::bad_usage, "explain needs an id or a name, or --all (--markdown goes with --all)");
  }
  const std::optional<Errc> code = find_error(options.which);
  if (!code) {
    std::vector<std::string> names;
    for (const ErrorInfo& row : error_table()) {
      names.emplace_back(row.name);
    }
    const std::optional<std::string> near = nearest(options.which, names);
    return fail(Errc::unknown_error_id,
                "\"" + options.which + "\"" + (near ? " (did you mean \"" + *near + "\"?)" : std::string()));
  }
  std::fputs((json ? boost::json::serialize(as_json(info(*code))) + "\n" : as_text(info(*code))).c_str(), stdout);
  return {};
}

}  // namespace

void add_explain(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* command = add_command(app, "explain", "Say what an error means, and what to do",
                                  "hawser explain TLS-204\nhawser explain auth-collision --json\nhawser explain --all");
  command->add_option("which", options->which, "Id (TLS-204) or name (tls-key-mismatch)")->type_name("ID|NAME");
  command->add_flag("--all", options->all, "The whole table");
  command->add_flag("--markdown", options->markdown, "With --all: as the page docs/errors.md");
  add_json_flag(*command, exit);
  command->callback([options, &exit] { exit = explain(*options, exit.json); });
}

}  // namespace hawser::cli
