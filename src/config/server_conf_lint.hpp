// What nats-server accepts without a word, and should not: findings about its configuration file.
//
// Reads the tree that nats_conf.hpp makes; each finding is a POS-15x, 16x or 17x code with the file:line:column of its
// cause. Pure but for what `assess` reads. No finding shows a password, a token or a key.
//
//   for (const posture::Finding& f : lint_server_conf(*load_nats_conf(path), assess)) …
#pragma once

#include <functional>
#include <vector>

#include "config/nats_conf.hpp"
#include "posture/finding.hpp"
#include "tls/material.hpp"

namespace hawser::config {

// Material of a tls block, validated; the paths are as the configuration has them.
using AssessMaterial = std::function<tls::Assessment(const tls::Source&)>;

[[nodiscard]] std::vector<posture::Finding> lint_server_conf(const ConfDocument& conf, const AssessMaterial& assess);

}  // namespace hawser::config
