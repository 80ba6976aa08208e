// Plans for tests: brokers n1…, waves of targets a1…, without anything on disk.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rotation/plan.hpp"

namespace hawser::rotation {

// One broker more for each; a wave for each number, of so many targets, after the wave before it.
inline Plan plan_of(std::size_t brokers, const std::vector<std::size_t>& waves) {
  Plan plan;
  plan.name = "test";
  plan.digest = "d";
  for (std::size_t i = 0; i < brokers; ++i) {
    plan.brokers.push_back({.name = "n" + std::to_string(i + 1),
                            .clients = {},
                            .server_name = {},
                            .tls_first = false,
                            .monitor = {},
                            .bundle = {},
                            .reload = Command{{"true"}, false}});
  }
  std::size_t targets = 0;
  for (std::size_t i = 0; i < waves.size(); ++i) {
    Wave wave;
    wave.name = "w" + std::to_string(i + 1);
    if (i > 0) wave.after.push_back(i - 1);
    for (std::size_t j = 0; j < waves[i]; ++j) {
      Target target;
      target.name = "a" + std::to_string(++targets);
      target.apply = Command{{"true"}, false};
      wave.targets.push_back(std::move(target));
    }
    plan.waves.push_back(std::move(wave));
  }
  return plan;
}

}  // namespace hawser::rotation
