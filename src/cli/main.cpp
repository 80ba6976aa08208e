// The program: the list of commands, what they have in common, and how it ends (command.hpp).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "base/nearest.hpp"
#include "cli/broker_flags.hpp"
#include "cli/command.hpp"

namespace hawser::cli {

namespace {

constexpr const char* kOverview = R"(The secure line between services and NATS.

Hawser decides how a connection to NATS may be made, makes it over mutual TLS, and keeps it while
certificates and credentials change underneath. `hawser agent` does so for any NATS client on this machine.)";

constexpr const char* kFooter = R"(Examples:
  hawser agent --config ./config                  any NATS client on 127.0.0.1:4222, mutual TLS upstream
  hawser broker -c nats.conf                      the embedded server, with nats-server's flags
  hawser check --manifest deploy.yaml             is this how production may connect? (for CI)
  hawser pki ca --out ca --name "Dev CA"          a certificate authority for development
  hawser pub -s tls://nats:4222 greet.joe hello   with NATS_TLS_CA, NATS_TLS_CERT and NATS_TLS_KEY set
  hawser explain TLS-204                          what an error means, and what to do

Connections are configured by flags, the environment (NATS_URL, NATS_TLS_…) and ./config/broker.yaml, in this order.
Exit codes: 0 done, 1 not so, 2 bad usage or configuration, 3 could not connect, 4 refused by posture, 130 interrupted.)";

void add_commands(CLI::App& app, Exit& exit) {
  using Add = void (*)(CLI::App&, Exit&);
  for (const Add add : {add_agent, add_broker, add_check, add_doctor, add_pub, add_sub, add_request, add_reply,
                        add_rtt, add_pki, add_id, add_queue, add_rotate, add_drill, add_explain, add_version, add_completion}) {
    add(app, exit);
  }
}

std::vector<std::string> names_of_commands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> names_of_options(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  return names;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::optional<std::string> near = nearest(word, known);
  return near ? " (did you mean \"" + *near + "\"?)" : "";
}

// The command that the arguments name, followed down as far as they do: "pki issue --out x" gives `issue`. An error
// when one of the words is no command.
Result<const CLI::App*> named_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  const CLI::App* command = &app;
  for (const std::string& word : arguments) {
    const std::vector<std::string> names = names_of_commands(*command);
    if (names.empty() || word.starts_with('-')) {
      break;
    }
    if (std::find(names.begin(), names.end(), word) == names.end()) {
      return fail(Errc::unknown_command, "\"" + word + "\"" + did_you_mean(word, names));
    }
    command = command->get_subcommand(word);
  }
  return command;
}

Error bad_usage(const CLI::ParseError& failed, const CLI::App& command, const std::vector<std::string>& arguments) {
  std::string what = failed.what();
  what = what.substr(0, what.find_last_not_of(" \n") + 1);
  if (dynamic_cast<const CLI::ExtrasError*>(&failed) != nullptr) {
    const std::vector<std::string> known = names_of_options(command);
    for (const std::string& argument : arguments) {
      const std::string name = argument.substr(0, argument.find('='));
      if (name.starts_with("--") && std::find(known.begin(), known.end(), name) == known.end()) {
        what += did_you_mean(name, known);
        break;
      }
    }
  }
  return Error{Errc::bad_usage, what};
}

// Parses, and by that runs the command.
void run(CLI::App& app, Exit& exit, const std::vector<std::string>& arguments) {
  const Result<const CLI::App*> command = named_command(app, arguments);
  if (!command) {
    exit = command.error();
    return;
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::Success& asked) {  // --help, --version
    app.exit(asked);
  } catch (const CLI::ParseError& failed) {
    exit = bad_usage(failed, **command, arguments);
  } catch (const std::exception& failed) {
    exit = Error{Errc::internal_error, failed.what()};
  }
}

// "nats-server", when tools start this binary by that name: then every argument is the broker's.
constexpr const char* kStandIn = "nats-server";

void run_command(CLI::App& app, Exit& exit, const std::vector<std::string>& arguments, const std::string& program) {
  if (arguments.front() == "broker") {
    if (auto ended = run_broker(std::span(arguments).subspan(1), program)) {
      exit = std::move(*ended);
      return;
    }
    return run(app, exit, {"broker", "--help"});
  }
  run(app, exit, arguments);
}

int main_with(const std::vector<std::string>& arguments, const std::string& program) {
  end_on_signals();
  CLI::App app(kOverview, "hawser");
  app.footer(kFooter);
  app.set_version_flag("--version", "hawser " HAWSER_VERSION);
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.require_subcommand(0, 1);

  Exit exit;
  exit.json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  add_commands(app, exit);
  if (arguments.empty()) {
    std::fputs(app.help().c_str(), stdout);
    return static_cast<int>(ExitCode::misuse);
  }
  run_command(app, exit, arguments, program);
  log::flush();
  if (exit.error) {
    std::fflush(stdout);
    std::fputs(render_error(*exit.error, exit.json, program).c_str(), stderr);
  }
  if ((std::fflush(stdout) != 0 || std::ferror(stdout) != 0) && exit.code == ExitCode::done) {
    std::fputs("hawser: standard output could not be written\n", stderr);
    return static_cast<int>(ExitCode::not_so);
  }
  return static_cast<int>(exit.code);
}

}  // namespace
}  // namespace hawser::cli

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  std::string program = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "";
  if (program == hawser::cli::kStandIn) {
    arguments.insert(arguments.begin(), "broker");
  } else {
    program = "hawser";
  }
  if (!arguments.empty() && arguments.front() == "broker") {
    hawser::cli::hide_secret_arguments(argc, argv);
  }
  return hawser::cli::main_with(arguments, program);
}
