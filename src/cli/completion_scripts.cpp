// The three scripts. Each walks the words before the cursor to find the command's path, then offers what is due there.
#include <algorithm>
#include <fmt/format.h>

#include "cli/completion_tree.hpp"

namespace hawser::cli {
namespace {

// In single quotes, for bash and zsh.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + "'";
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

std::vector<std::string> option_names(const CommandWords& command) {
  std::vector<std::string> names;
  for (const OptionWords& option : command.options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

std::vector<std::string> subcommand_names(const CommandWords& command) {
  std::vector<std::string> names;
  for (const CommandWords::Sub& sub : command.subcommands) {
    names.push_back(sub.name);
  }
  return names;
}

// The shell pattern of "path word" for every command there is: 'pki issue'|' pub'.
std::string all_steps(const std::vector<CommandWords>& commands) {
  std::vector<std::string> steps;
  for (const CommandWords& command : commands) {
    for (const CommandWords::Sub& sub : command.subcommands) {
      steps.push_back(shell_quoted(command.path + ' ' + sub.name));
    }
  }
  return fmt::format("{}", fmt::join(steps, "|"));
}

// 'path|--option' for each name of an option.
std::string places(const CommandWords& command, const OptionWords& option) {
  std::vector<std::string> out;
  for (const std::string& name : option.names) {
    out.push_back(shell_quoted(command.path + '|' + name));
  }
  return fmt::format("{}", fmt::join(out, "|"));
}

std::string bash_offer(const Values& values) {
  switch (values.from) {
    case Values::From::choices: return "_hawser_offer -W " + shell_quoted(joined(values.choices));
    case Values::From::files: return "_hawser_offer_paths -f";
    case Values::From::directories: return "_hawser_offer_paths -d";
    case Values::From::nowhere: break;
  }
  return ":";
}

std::string zsh_offer(const Values& values) {
  switch (values.from) {
    case Values::From::choices: return "compadd -- " + joined(values.choices);
    case Values::From::files: return "_files";
    case Values::From::directories: return "_files -/";
    case Values::From::nowhere: break;
  }
  return ":";
}

// name:description for zsh's _describe, in which a colon ends the name.
std::string zsh_item(const std::string& name, const std::string& description) {
  return shell_quoted(name + ':' + description);
}

std::string fish_values(const Values& values) {
  switch (values.from) {
    case Values::From::choices: return " -x -a " + fish_quoted(joined(values.choices));
    case Values::From::files: return " -r -F";
    case Values::From::directories: return " -x -a '(__fish_complete_directories)'";
    case Values::From::nowhere: break;
  }
  return " -x";
}

}  // namespace

std::string bash_completion(const std::vector<CommandWords>& commands) {
  std::string out = fmt::format(R"(# bash completion for hawser: source <(hawser completion bash)
_hawser_offer() {{ mapfile -t COMPREPLY < <(compgen "$@" -- "$current"); }}
_hawser_offer_paths() {{
  _hawser_offer "$@"
  compopt -o filenames 2>/dev/null
}}
_hawser() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} path= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path ${{COMP_WORDS[i]}}" in
      {}) path="${{path:+$path }}${{COMP_WORDS[i]}}" ;;
    esac
  done
  case "$path|$previous" in
)",
                                all_steps(commands));
  for (const CommandWords& command : commands) {
    for (const OptionWords& option : command.options) {
      if (option.takes_value) {
        out += fmt::format("    {}) {}; return ;;\n", places(command, option), bash_offer(option.values));
      }
    }
  }
  out += "  esac\n  case \"$path|$current\" in\n";
  for (const CommandWords& command : commands) {
    out += fmt::format("    {}-*) _hawser_offer -W {} ;;\n", shell_quoted(command.path + '|'),
                       shell_quoted(joined(option_names(command))));
    const std::string words = command.subcommands.empty()
                                  ? bash_offer(command.positional)
                                  : "_hawser_offer -W " + shell_quoted(joined(subcommand_names(command)));
    out += fmt::format("    {}*) {} ;;\n", shell_quoted(command.path + '|'), words);
  }
  return out + "  esac\n}\ncomplete -F _hawser hawser\n";
}

std::string zsh_completion(const std::vector<CommandWords>& commands) {
  std::string out = fmt::format(R"(#compdef hawser
# zsh completion for hawser: hawser completion zsh > "${{fpath[1]}}/_hawser"
_hawser() {{
  local at= word
  local -a found
  for word in "${{(@)words[2,CURRENT-1]}}"; do
    case "$at $word" in
      ({}) at="${{at:+$at }}$word" ;;
    esac
  done
  case "$at|${{words[CURRENT-1]}}" in
)",
                                all_steps(commands));
  for (const CommandWords& command : commands) {
    for (const OptionWords& option : command.options) {
      if (option.takes_value) {
        out += fmt::format("    ({}) {}; return ;;\n", places(command, option), zsh_offer(option.values));
      }
    }
  }
  out += "  esac\n  case \"$at|$PREFIX\" in\n";
  for (const CommandWords& command : commands) {
    std::string options;
    for (const OptionWords& option : command.options) {
      for (const std::string& name : option.names) {
        options += ' ' + zsh_item(name, option.description);
      }
    }
    out += fmt::format("    ({}-*) found=({} ); _describe option found ;;\n", shell_quoted(command.path + '|'), options);
    std::string subcommands;
    for (const CommandWords::Sub& sub : command.subcommands) {
      subcommands += ' ' + zsh_item(sub.name, sub.description);
    }
    const std::string words = command.subcommands.empty() ? zsh_offer(command.positional)
                                                          : "found=(" + subcommands + " ); _describe command found";
    out += fmt::format("    ({}*) {} ;;\n", shell_quoted(command.path + '|'), words);
  }
  return out +
         "  esac\n}\nif [ \"$funcstack[1]\" = \"_hawser\" ]; then _hawser \"$@\"; else compdef _hawser hawser; fi\n";
}

std::string fish_completion(const std::vector<CommandWords>& commands) {
  std::vector<std::string> steps;
  for (const CommandWords& command : commands) {
    for (const CommandWords::Sub& sub : command.subcommands) {
      steps.push_back(fish_quoted(command.path + ' ' + sub.name));
    }
  }
  std::string out =
      fmt::format(R"(# fish completion for hawser: hawser completion fish > ~/.config/fish/completions/hawser.fish
function __hawser_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case {}
        set at (string trim -- "$at $word")
    end
  end
  test "$at" = "$argv[1]"
end
complete -c hawser -f
)",
                  fmt::join(steps, " "));
  for (const CommandWords& command : commands) {
    const std::string here =
        fmt::format("complete -c hawser -n {}", fish_quoted("__hawser_at " + fish_quoted(command.path)));
    for (const CommandWords::Sub& sub : command.subcommands) {
      out += fmt::format("{} -a {} -d {}\n", here, fish_quoted(sub.name), fish_quoted(sub.description));
    }
    if (command.subcommands.empty() && command.positional.from != Values::From::nowhere) {
      out += here + (command.positional.from == Values::From::files ? " -F" : fish_values(command.positional)) + "\n";
    }
    for (const OptionWords& option : command.options) {
      out += here;
      for (const std::string& name : option.names) {
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      out += (option.takes_value ? fish_values(option.values) : std::string()) + " -d " +
             fish_quoted(option.description) + "\n";
    }
  }
  return out;
}

}  // namespace hawser::cli
