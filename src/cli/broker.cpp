// hawser broker: the embedded NATS server as a process of its own; drop-in for nats-server where tools start it.
#include "broker/broker.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <span>
#include <string>

#include "base/log.hpp"
#include "cli/broker_flags.hpp"
#include "cli/broker_server.hpp"
#include "cli/broker_signal.hpp"
#include "cli/command.hpp"

namespace hawser::cli {
namespace {

Result<void> run(BrokerFlags flags, std::string_view program) {
  if (flags.version) {
    fmt::print("nats-server: v{}\n", broker::version_text(HAWSER_VERSION));
    return {};
  }
  if (!flags.signal.empty()) {
    return signal_broker(flags.signal);
  }
  if (flags.test) {
    if (flags.config.empty()) {
      return fail(Errc::bad_usage, "must specify [-c, --config] option to check configuration file syntax");
    }
    auto tested = test_broker(flags);
    if (tested) {
      fmt::print("{}: configuration file {} is valid\n", program, flags.config);
    }
    return tested;
  }
  return BrokerServer(std::move(flags), HAWSER_VERSION).run();
}

}  // namespace

// Flags are Go's, which CLI11 does not read: it has them for --help and the completion scripts.
void add_broker(CLI::App& app, Exit&) {
  CLI::App* command = add_command(
      app, "broker", "Serve NATS clients: an embedded server that takes nats-server's flags and configuration",
      "hawser broker                                  on 0.0.0.0:4222, for everybody\n"
      "hawser broker -c nats.conf -m 8222             with monitoring on http://…:8222\n"
      "hawser broker -c nats.conf -t                  is the configuration good?\n"
      "hawser broker -a 127.0.0.1 -p -1 -DV           a free port, with debug and trace\n"
      "hawser broker --signal reload                  read the configuration again\n"
      "hawser broker --signal ldm=/run/nats.pid       let clients go one by one, and end");
  describe_broker_flags(*command);
}

std::optional<Exit> run_broker(std::span<const std::string> arguments, std::string_view program) {
  Exit exit;
  auto flags = parse_broker_flags(arguments);
  if (flags && flags->help) {
    return std::nullopt;
  }
  exit = flags ? run(std::move(*flags), program) : std::unexpected(std::move(flags.error()));
  return exit;
}

}  // namespace hawser::cli
