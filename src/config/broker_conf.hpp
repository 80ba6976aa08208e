// A broker's configuration: nats-server's language, or the same settings as YAML, into broker::Settings.
//
// Means what nats-server means by it, coercions and aliases included. Everything wrong in a file is told at once, each
// with file:line:column. Unlike nats-server it refuses features that it does not have, by name. What is understood and
// deserves a word (a form that nats-server would not read, a key that stands twice, a feature that is ignored …) comes
// back as notices. Pure but for `load_broker_conf`; thread-safe. Certificates are not read here: Broker::start does.
//
//   Result<BrokerConf> conf = load_broker_conf("nats.conf");
//   for (const Notice& notice : conf->notices) log::warn(notice.message, {{"at", notice.place.text()}});
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "broker/settings.hpp"
#include "config/nats_conf.hpp"
#include "config/place.hpp"

namespace hawser::config {

// Something that does not stop the broker, and that its owner should know.
struct Notice {
  enum class Severity : std::uint8_t { note, warning, loud };  // loud: everybody may do everything, and the like

  Errc code;
  Severity severity = Severity::warning;
  Place place;
  std::string message;  // never a secret
  std::string hint;     // the form to write instead; empty: the code's own

  // "nats.conf:3:5: … (…)".
  [[nodiscard]] std::string text() const;
};

struct BrokerConf {
  broker::Settings settings;
  std::vector<Notice> notices;     // loud first, then in the order of the file
  std::vector<std::string> files;  // the file and everything that it includes
};

enum class ConfSyntax : std::uint8_t {
  by_name,  // YAML when the name ends in .yaml or .yml; else nats-server's, and YAML when only that can be read
  nats,
  yaml,
};

// `name` is the file's path: includes and the paths in it are relative to where nats-server would take them (includes
// to the file, all else to the working directory). Errors: CFG-701 … CFG-708, BRK-1101 … BRK-1111, BRK-1121 …
// BRK-1125; the code is the first mistake's, and `doing` has one a line.
[[nodiscard]] Result<BrokerConf> parse_broker_conf(std::string_view text, const std::string& name,
                                                   const ConfReach& reach, ConfSyntax syntax = ConfSyntax::by_name);
// The same from disk, with this process's environment. Errors also: file_unreadable, limit_exceeded.
[[nodiscard]] Result<BrokerConf> load_broker_conf(const std::filesystem::path& path);

// What is to be said of settings whatever they came from (a file, flags, both): no authentication, plain passwords,
// listeners beyond loopback without TLS. The loud ones first; none of it is in a file's own notices.
[[nodiscard]] std::vector<Notice> broker_posture(const broker::Settings& settings);

}  // namespace hawser::config
