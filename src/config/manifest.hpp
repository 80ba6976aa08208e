// The environments that a Kubernetes manifest gives to its containers.
//
// Reads Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, PodTemplate and List, in any number of YAML
// documents; other kinds are passed over. Each container, init container and ephemeral container is one environment.
// Pure; thread-safe.
//
//   for (const Container& c : *parse_manifest(text, "deploy.yaml")) …    // c.subject: "deploy.yaml: Deployment
//   prod/web, container app"
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "config/env_file.hpp"
#include "config/place.hpp"

namespace hawser::config {

// A ConfigMap or Secret whose every key becomes a variable: which ones cannot be seen from here.
struct EnvironmentFrom {
  Place place;
  std::string origin;  // "secret nats-env", "config map web", with its prefix
};

struct Container {
  std::string subject;
  Place place;
  std::vector<Variable> variables;  // valueFrom: set, value not known; $(NAME) references resolved as the kubelet does
  std::vector<EnvironmentFrom> from;
};

inline constexpr std::size_t kManifestDocuments = 2'000;
inline constexpr std::size_t kManifestContainers = 10'000;

// Errors: config_syntax, config_bad_value (an `env` that is not a list …), config_too_complex; with file:line:column.
[[nodiscard]] Result<std::vector<Container>> parse_manifest(std::string_view text, const std::string& file_name);

}  // namespace hawser::config
