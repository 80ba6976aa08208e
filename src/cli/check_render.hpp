// How `hawser check` shows a report: one function a format. Pure: a report in, the whole text out, with a line end.
// None of them adds a secret, since a report holds none; what came from files is escaped for where it goes.
//
//   std::fputs(render_sarif(report).c_str(), stdout);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/check.hpp"

namespace hawser::cli {

enum class Colours : std::uint8_t { off, on };

[[nodiscard]] std::string render_check_text(const config::CheckReport& report, Colours colours);
[[nodiscard]] std::string render_check_json(const config::CheckReport& report);    // the shape is frozen
[[nodiscard]] std::string render_check_sarif(const config::CheckReport& report);   // SARIF 2.1.0
[[nodiscard]] std::string render_check_github(const config::CheckReport& report);  // workflow commands: annotations

// What a finding's source says about a file: "deploy/web.yaml:12:9 (NATS_URL)". No file: an environment variable, a
// flag.
struct SourcePlace {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};
[[nodiscard]] SourcePlace place_of(std::string_view source);

}  // namespace hawser::cli
