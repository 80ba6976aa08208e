// `hawser completion bash|zsh|fish`: the command tree as CLI11 knows it, so that no option is ever forgotten.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/command.hpp"
#include "cli/completion_tree.hpp"

namespace hawser::cli {
namespace {

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// CLI11 tells what an option takes by its type name: "TEXT:{text,json}", "TEXT:FILE", "DIR".
Values values_of(const std::string& type) {
  Values values;
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}', open == std::string::npos ? 0 : open);
  if (open != std::string::npos && close != std::string::npos) {
    values.from = Values::From::choices;
    std::string word;
    for (const char c : type.substr(open + 1, close - open - 1) + ',') {
      if (c == ',') {
        values.choices.push_back(word.substr(0, word.find("->")));  // of a transformer: "ecdsa->1"
        word.clear();
      } else {
        word += c;
      }
    }
  } else if (type.find("DIR") != std::string::npos) {
    values.from = Values::From::directories;
  } else if (type.find("FILE") != std::string::npos || type.find("PATH") != std::string::npos) {
    values.from = Values::From::files;
  }
  return values;
}

void describe_into(const CLI::App& app, const std::string& path, std::vector<CommandWords>& out) {
  CommandWords command;
  command.path = path;
  for (const CLI::Option* option : app.get_options()) {
    const Values values = values_of(option->get_type_name());
    OptionWords words;
    for (const std::string& name : option->get_snames()) {
      words.names.push_back("-" + name);
    }
    for (const std::string& name : option->get_lnames()) {
      words.names.push_back("--" + name);
    }
    if (words.names.empty()) {
      if (command.positional.from == Values::From::nowhere) {
        command.positional = values;
      }
      continue;
    }
    words.description = first_line(option->get_description());
    words.takes_value = option->get_expected_max() > 0;
    words.values = values;
    command.options.push_back(std::move(words));
  }
  const auto subcommands = app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
  for (const CLI::App* sub : subcommands) {
    command.subcommands.push_back({sub->get_name(), first_line(sub->get_description())});
  }
  out.push_back(std::move(command));
  for (const CLI::App* sub : subcommands) {
    describe_into(*sub, path.empty() ? sub->get_name() : path + ' ' + sub->get_name(), out);
  }
}

}  // namespace

std::vector<CommandWords> describe(const CLI::App& app) {
  std::vector<CommandWords> commands;
  describe_into(app, "", commands);
  return commands;
}

void add_completion(CLI::App& app, Exit& exit) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = add_command(app, "completion", "Print a completion script for a shell",
                                  "source <(hawser completion bash)\n"
                                  "hawser completion zsh > \"${fpath[1]}/_hawser\"\n"
                                  "hawser completion fish > ~/.config/fish/completions/hawser.fish");
  command->add_option("shell", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([shell, &app, &exit] {
    const std::vector<CommandWords> commands = describe(app);
    const std::string script = *shell == "bash"  ? bash_completion(commands)
                               : *shell == "zsh" ? zsh_completion(commands)
                                                 : fish_completion(commands);
    std::fputs(script.c_str(), stdout);
    exit = ExitCode::done;
  });
}

}  // namespace hawser::cli
