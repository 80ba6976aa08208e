// The engine of `hawser check`: environments, files and containers in, decisions and findings out.
//
// Uses the same posture::evaluate as the agent's start-up. Reads files; single-threaded. Nothing in a report is secret.
//
//   const CheckReport report = run_check({.env_files = {"prod.env"}}, process_environment, wall_now());
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "posture/evaluate.hpp"
#include "posture/finding.hpp"
#include "posture/settings.hpp"

namespace hawser::config {

struct CheckRequest {
  std::vector<std::string> env_files{};
  std::vector<std::string> manifests{};
  std::vector<std::string> server_confs{};
  std::optional<std::string> config_directory{};
  std::optional<posture::AuthMode> expect{};  // the mode that each connection must have

  [[nodiscard]] bool names_nothing() const {
    return env_files.empty() && manifests.empty() && server_confs.empty() && !config_directory;
  }
};

// One environment, file or container.
struct CheckResult {
  struct Decision {
    posture::Transport transport = posture::Transport::refused;
    posture::AuthMode auth_mode = posture::AuthMode::refused;
    std::vector<std::string> servers;  // printable
  };

  std::string subject;
  std::optional<Decision> decision;  // a nats-server configuration has none
  std::vector<posture::Finding> findings;
};

struct CheckReport {
  std::vector<CheckResult> results;
  bool unreadable = false;  // something named could not be read or parsed at all

  [[nodiscard]] bool ok() const;  // read whole, and no finding is an error
};

// With nothing named: the environment, over ./config/broker.yaml when there is one. An env file stands for the
// environment: it lies over `config_directory`, as the process's own does when no env file is named. Containers of a
// manifest stand alone, and the files that they name are not looked at.
[[nodiscard]] CheckReport run_check(const CheckRequest& request, const posture::Lookup& environment, WallTime now);

}  // namespace hawser::config
