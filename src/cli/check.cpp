// `hawser check`: posture findings about environments, files, manifests and server configurations, for people and for
// CI.
#include "config/check.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>

#include "base/clock.hpp"
#include "cli/check_render.hpp"
#include "cli/command.hpp"
#include "posture/settings.hpp"

namespace hawser::cli {

namespace {

struct CheckOptions {
  config::CheckRequest request;
  std::string config_directory;
  std::string expect;
  std::string format = "text";
};

std::string render(const config::CheckReport& report, const std::string& format) {
  if (format == "json") {
    return render_check_json(report);
  }
  if (format == "sarif") {
    return render_check_sarif(report);
  }
  if (format == "github") {
    return render_check_github(report);
  }
  return render_check_text(report, colours_on(STDOUT_FILENO) ? Colours::on : Colours::off);
}

ExitCode run(CheckOptions& options, bool json) {
  if (!options.config_directory.empty()) {
    options.request.config_directory = options.config_directory;
  }
  options.request.expect = posture::parse_auth_mode(options.expect);
  const config::CheckReport report = config::run_check(options.request, posture::process_environment, wall_now());
  std::fputs(render(report, json ? "json" : options.format).c_str(), stdout);
  if (report.unreadable) {
    return ExitCode::misuse;
  }
  return report.ok() ? ExitCode::done : ExitCode::not_so;
}

}  // namespace

void add_check(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = add_command(app, "check", "Find out what is wrong with a configuration before it is in use",
                                  "hawser check\n"
                                  "hawser check --env-file prod.env --expect nkey\n"
                                  "hawser check --manifest deploy/web.yaml --format github\n"
                                  "hawser check --server-conf nats-server.conf --format sarif > hawser.sarif");
  command
      ->add_option("--env-file", options->request.env_files,
                   "A file of KEY=VALUE lines that stands for the environment (repeatable)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      ->add_option("--manifest", options->request.manifests,
                   "A Kubernetes manifest: each container is one environment (repeatable)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      ->add_option("--config", options->config_directory,
                   "The agent's directory with its broker.yaml, under the environment or each env file")
      ->type_name("DIR");
  command->add_option("--server-conf", options->request.server_confs, "A nats-server configuration (repeatable)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command->add_option("--expect", options->expect, "The authentication mode that must be in effect")
      ->check(CLI::IsMember({"user", "token", "nkey", "creds", "cert", "none"}, CLI::ignore_case));
  command->add_option("--format", options->format, "How findings are written")
      ->check(CLI::IsMember({"text", "json", "sarif", "github"}))
      ->capture_default_str();
  add_json_flag(*command, exit);
  command->callback([options, &exit] { exit = run(*options, exit.json); });
}

}  // namespace hawser::cli
