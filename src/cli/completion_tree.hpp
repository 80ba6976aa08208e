// What a shell needs to know of the command line, taken from the CLI::App tree, and the scripts that are made of it.
// Pure.
//
//   std::string script = bash_completion(describe(app));
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace hawser::cli {

// What can stand where a value is due.
struct Values {
  enum class From : std::uint8_t { nowhere, choices, files, directories };
  From from = From::nowhere;  // nowhere: only the user knows
  std::vector<std::string> choices;
};

struct OptionWords {
  std::vector<std::string> names;  // "-s", "--server"
  std::string description;         // one line
  bool takes_value = false;
  Values values;
};

// One command, by its path: "" is hawser itself, then "pub", "pki issue".
struct CommandWords {
  struct Sub {
    std::string name;
    std::string description;
  };
  std::string path;
  std::vector<Sub> subcommands;
  std::vector<OptionWords> options;
  Values positional;
};

// Parents before children.
[[nodiscard]] std::vector<CommandWords> describe(const CLI::App& app);

[[nodiscard]] std::string bash_completion(const std::vector<CommandWords>& commands);
[[nodiscard]] std::string zsh_completion(const std::vector<CommandWords>& commands);
[[nodiscard]] std::string fish_completion(const std::vector<CommandWords>& commands);

}  // namespace hawser::cli
