// The agent's file, a manifest and an env file from the same hostile text: each must end within its bounds, a failure
// must say something, and a mistake must name the file.
#include <cstdint>
#include <string_view>

#include "config/agent_file.hpp"
#include "config/env_file.hpp"
#include "config/manifest.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hawser;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const config::AgentFileResult file = config::parse_agent_file(text, "b.yaml");
  if (!file && (file.error().empty() || config::as_error(file.error()).doing.find("b.yaml") == std::string::npos))
    __builtin_trap();
  const auto containers = config::parse_manifest(text, "m.yaml");
  if (!containers && containers.error().doing.find("m.yaml") == std::string::npos) __builtin_trap();
  const auto variables = config::parse_env_file(text, "e.env");
  if (!variables && variables.error().doing.find("e.env") == std::string::npos) __builtin_trap();
  return 0;
}
