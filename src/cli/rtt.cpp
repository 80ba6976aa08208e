// hawser rtt: how long the server takes to answer a PING.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <memory>

#include "cli/command.hpp"
#include "cli/connection.hpp"
#include "cli/sub_render.hpp"
#include "cli/user_session.hpp"

namespace hawser::cli {
namespace {

struct RttOptions {
  ConnectionFlags connection;
  std::size_t count = 10;
};

// The nearest-rank percentile of sorted values.
Duration percentile(const std::vector<Duration>& sorted, std::size_t percent) {
  const std::size_t rank = (sorted.size() * percent + 99) / 100;
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

Result<std::vector<Duration>> measure(UserSession& session, std::size_t count) {
  std::vector<Duration> measured;
  // The first one pays for what is cold at both ends, and is not counted.
  for (std::size_t i = 0; i <= count; ++i) {
    const Time asked = hawser::now();
    if (auto answered = session.flush(); !answered) {
      return std::unexpected(std::move(answered.error()));
    }
    if (!session.up()) {
      return fail(Errc::connection_lost, session.server_url() + ": while measuring");
    }
    if (i != 0) {
      measured.push_back(hawser::now() - asked);
    }
  }
  std::sort(measured.begin(), measured.end());
  return measured;
}

void report(const UserSession& session, const std::vector<Duration>& sorted, bool json) {
  if (json) {
    const boost::json::value facts = {{"server", session.server_url()},
                                      {"server_name", session.server().server_name},
                                      {"version", session.server().version},
                                      {"tls", session.tls_version()},
                                      {"count", sorted.size()}};
    std::string rtt = "{}";
    for (const auto& [name, value] : {std::pair{"min", sorted.front()}, std::pair{"p50", percentile(sorted, 50)},
                                      std::pair{"p99", percentile(sorted, 99)}, std::pair{"max", sorted.back()}}) {
      rtt = with_number(std::move(rtt), name, in_microseconds(value));
    }
    std::string text = boost::json::serialize(facts);
    text.pop_back();
    fmt::print("{},\"rtt_us\":{}}}\n", text, rtt);
    return;
  }
  const std::string tls = session.tls_version();
  fmt::print("{} ({}, nats-server {}, {})\n  min {}  p50 {}  p99 {}  max {}  of {}\n", session.server_url(),
             safe_for_terminal(session.server().server_name), safe_for_terminal(session.server().version),
             tls == "none" ? "no TLS" : "TLS " + tls, short_duration(sorted.front()),
             short_duration(percentile(sorted, 50)), short_duration(percentile(sorted, 99)),
             short_duration(sorted.back()), sorted.size());
}

Result<ExitCode> run(RttOptions& options, bool json) {
  auto connection = settle(options.connection, "hawser rtt", json);
  if (!connection) {
    return std::unexpected(std::move(connection.error()));
  }
  auto session = UserSession::connect(*connection, Away::give_up, [](const wire::Frame&) {});
  if (!session) {
    return std::unexpected(std::move(session.error()));
  }
  const auto measured = measure(**session, options.count);
  if (!measured) {
    return std::unexpected(measured.error());
  }
  report(**session, *measured, json);
  return ExitCode::done;
}

}  // namespace

void add_rtt(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<RttOptions>();
  CLI::App* command = add_command(app, "rtt", "Measure the round trip to the server",
                                  "hawser rtt\n"
                                  "hawser rtt -s tls://nats:4222 --tlsca ca.crt --count 100\n"
                                  "hawser rtt --json | jq .rtt_us.p99");
  require_number(*command->add_option("--count", options->count, "How many PINGs")->capture_default_str(), 1, 1'000'000);
  add_json_flag(*command, exit);
  add_connection_flags(*command, options->connection);
  command->callback([options, &exit] { end_with(exit, run(*options, exit.json)); });
}

}  // namespace hawser::cli
