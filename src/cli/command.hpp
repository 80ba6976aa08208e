// How one command of `hawser` is made, and how it ends.
//
// A command is one file, <name>.cpp, with one function `void add_<name>(CLI::App& app, Exit& exit)` that is declared
// here and called by main.cpp's list. It adds a subcommand, and in the subcommand's callback does its work and sets
// `exit`. It prints facts on standard output and never prints an error itself: main.cpp prints `exit.error` in one form
// and ends with one code. Main thread only.
//
//   void add_rtt(CLI::App& app, Exit& exit) {
//     auto options = std::make_shared<RttOptions>();   // lives as long as the callback
//     CLI::App* command = add_command(app, "rtt", "Measure the round trip to the server", "hawser rtt -s
//     tls://nats:4222 --count 10"); command->add_option("--count", options->count, "How many
//     PINGs")->capture_default_str(); add_json_flag(*command, exit); command->callback([options, &exit] { exit =
//     run(*options, exit.json); });
//   }
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace CLI {
class App;
class Option;
}

namespace hawser::cli {

enum class ExitCode : int {
  done = 0,
  not_so = 1,         // the thing asked about is not so: findings, a failed drill, a lost message
  misuse = 2,         // bad usage or unreadable configuration
  no_connection = 3,  // could not connect
  refused = 4,        // refused by posture
  interrupted = 130,
};

// The one place where errors become exit codes: by kind, and by the ranges of posture and net.
[[nodiscard]] ExitCode exit_code(const Error& error);

// How a command ended. Assign from a code, an error, or a Result<void>.
struct Exit {
  ExitCode code = ExitCode::done;
  std::optional<Error> error;  // printed by main
  bool json = false;           // --json was given: errors are JSON too

  Exit& operator=(ExitCode ended);
  Exit& operator=(Error failed);
  Exit& operator=(Result<void> result);
};

// A subcommand whose help ends with examples (one a line). Its parent may be the app or another command (`pki ca`).
CLI::App* add_command(CLI::App& parent, const std::string& name, const std::string& summary,
                      const std::string& examples);
// A whole number in this range; anything else is bad usage, said in words.
void require_number(CLI::Option& option, std::uint64_t least, std::uint64_t most);
// `--json`: print facts, and errors, as JSON.
void add_json_flag(CLI::App& command, Exit& exit);

// "hawser: POS-101 …\n  hint: …\n", or one line of JSON.
[[nodiscard]] std::string render_error(const Error& error, bool json, std::string_view program = "hawser");
[[nodiscard]] bool colours_on(int descriptor);  // a terminal, without NO_COLOR and TERM=dumb

// Called once by main: SIGINT and SIGTERM end the process with 130 and 143, SIGPIPE is ignored.
void end_on_signals();
// Until this is called, SIGINT and SIGTERM end the process at once. From then on the first one makes the returned
// descriptor (an eventfd) readable, so that a command can stop in order; a second one ends the process.
[[nodiscard]] int stop_descriptor();
// The signal that asked for the stop, or 0.
[[nodiscard]] int stop_signal();

// One a file; main.cpp calls them in the order in which --help lists them.
void add_agent(CLI::App& app, Exit& exit);
void add_broker(CLI::App& app, Exit& exit);
void add_check(CLI::App& app, Exit& exit);
void add_doctor(CLI::App& app, Exit& exit);
void add_pub(CLI::App& app, Exit& exit);
void add_sub(CLI::App& app, Exit& exit);
void add_request(CLI::App& app, Exit& exit);
void add_reply(CLI::App& app, Exit& exit);
void add_rtt(CLI::App& app, Exit& exit);
void add_pki(CLI::App& app, Exit& exit);
void add_id(CLI::App& app, Exit& exit);
void add_queue(CLI::App& app, Exit& exit);
void add_rotate(CLI::App& app, Exit& exit);
void add_drill(CLI::App& app, Exit& exit);
void add_explain(CLI::App& app, Exit& exit);
void add_version(CLI::App& app, Exit& exit);
void add_completion(CLI::App& app, Exit& exit);

// `hawser broker` reads its flags itself; `program` is what it was called as. Nothing: --help was asked for.
[[nodiscard]] std::optional<Exit> run_broker(std::span<const std::string> arguments, std::string_view program);

}  // namespace hawser::cli
